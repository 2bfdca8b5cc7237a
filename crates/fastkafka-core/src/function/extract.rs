//! The parameters of a handler after the payload.

use crate::app::States;
use crate::delivery::failure::Rejection;
use crate::function::call::CallContext;
use crate::function::shape::{Batch, Nullable, NullableBatch, Shape, Single};
use crate::record::{EventMetadata, Headers, RawRecord};
use std::any::{TypeId, type_name};

/// A parameter after the payload. `S` lets one type mean different things per record and per batch.
///
/// Implement it for your own extractors:
///
/// ```
/// # use fastkafka_core::{CallContext, FromContext, PerRecord, Rejection};
/// struct Tenant(String);
///
/// impl<'r, S: PerRecord> FromContext<'r, S> for Tenant {
///     fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
///         let headers = cx.record().headers();
///         let tenant = headers.get("tenant").ok_or_else(|| Rejection::new("no `tenant` header"))?;
///         Ok(Tenant(String::from_utf8_lossy(tenant).into_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of this consumer",
    label = "not available to this handler",
    note = "after the payload a handler may take `EventMetadata`, `&EventMetadata`, `Key<K>`, `Option<Key<K>>`, `Headers`, `RawRecord`, `State<T>`, `Ack` and types that implement `FromContext`, in any order; a batch handler takes `State<T>`, `Ack` and `Vec<..>` of the others"
)]
pub trait FromContext<'r, S: Shape>: Sized {
    /// True for the parameter that settles the record instead of the return value.
    const SETTLES: bool = false;

    /// Makes the parameter.
    ///
    /// # Errors
    /// When the record does not have it; the record is then rejected, which no retry can help.
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection>;

    /// Names the types of states that it needs; checked before the app starts.
    fn requires(_need: &mut dyn FnMut(TypeId, &'static str)) {}
}

/// Shapes with one record per call.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot take a parameter that belongs to one record",
    label = "take a `Vec<..>` of it",
    note = "after its payloads a batch handler takes `State<T>`, `Ack`, and `Vec<..>` of what belongs to one record"
)]
pub trait PerRecord: Shape {}
impl PerRecord for Single {}
impl PerRecord for Nullable {}

impl<'r, S: PerRecord> FromContext<'r, S> for EventMetadata {
    #[inline]
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Ok(*cx.metadata())
    }
}

impl<'r, S: PerRecord> FromContext<'r, S> for &'r EventMetadata {
    #[inline]
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Ok(cx.metadata())
    }
}

impl<'r, S: PerRecord> FromContext<'r, S> for Headers<'r> {
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Ok(cx.record().headers())
    }
}

impl<'r, S: PerRecord> FromContext<'r, S> for RawRecord<'r> {
    #[inline]
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Ok(cx.record())
    }
}

/// One value for each record of the batch.
impl<'r, T: FromContext<'r, Single> + PerRecordValue<'r>> FromContext<'r, Batch> for Vec<T> {
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        cx.records().map(|record| T::of_record(&record)).collect()
    }
}

impl<'r, T: FromContext<'r, Single> + PerRecordValue<'r>> FromContext<'r, NullableBatch>
    for Vec<T>
{
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        <Self as FromContext<'r, Batch>>::from_context(cx)
    }
}

/// A value that a batch handler may take a `Vec` of.
#[diagnostic::on_unimplemented(
    message = "a batch handler cannot take a `Vec` of `{Self}`",
    label = "it may take `Vec<..>` of `EventMetadata`, `Headers` and `RawRecord`; a key is in `RawRecord`"
)]
pub trait PerRecordValue<'r>: Sized {
    /// The value of one record.
    ///
    /// # Errors
    /// When the record does not have it.
    fn of_record(record: &RawRecord<'r>) -> Result<Self, Rejection>;
}

impl<'r> PerRecordValue<'r> for EventMetadata {
    fn of_record(record: &RawRecord<'r>) -> Result<Self, Rejection> {
        Ok(record.metadata())
    }
}
impl<'r> PerRecordValue<'r> for Headers<'r> {
    fn of_record(record: &RawRecord<'r>) -> Result<Self, Rejection> {
        Ok(record.headers())
    }
}
impl<'r> PerRecordValue<'r> for RawRecord<'r> {
    fn of_record(record: &RawRecord<'r>) -> Result<Self, Rejection> {
        Ok(*record)
    }
}

/// A clone of a value given to the app's builder. A parameter of handlers and background tasks.
///
/// Wrap what is costly to clone in an `Arc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State<T>(pub T);

impl<T: Clone + Send + Sync + 'static> State<T> {
    #[inline]
    pub(crate) fn look_up(states: &States) -> Result<Self, Rejection> {
        let missing =
            || Rejection::new(format_args!("the app has no state `{}`", type_name::<T>()));
        states.get::<T>().cloned().map(State).ok_or_else(missing)
    }
}

impl<'r, S: Shape, T: Clone + Send + Sync + 'static> FromContext<'r, S> for State<T> {
    #[inline]
    fn from_context(cx: &'r CallContext<'r>) -> Result<Self, Rejection> {
        Self::look_up(cx.states())
    }
    fn requires(need: &mut dyn FnMut(TypeId, &'static str)) {
        need(TypeId::of::<T>(), type_name::<T>());
    }
}
