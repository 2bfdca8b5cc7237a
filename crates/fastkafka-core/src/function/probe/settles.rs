//! An `Ack` among the parameters of a handler, asked of their types.

use crate::delivery::ack::Ack;
use std::marker::PhantomData;

/// Finds an `Ack` among the parameters where they are not asked through `FromContext`.
#[derive(Debug)]
pub struct SettlesProbe<T>(PhantomData<T>);
/// The answer of [`SettlesProbe`] for every other type.
pub trait SettlesNot {
    /// The return value settles the record.
    const SETTLES: bool = false;
}
impl<T> SettlesNot for SettlesProbe<T> {}
impl SettlesProbe<Ack> {
    /// The handler does.
    pub const SETTLES: bool = true;
}
