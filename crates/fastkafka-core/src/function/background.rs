//! A function under `#[run_in_background]`, seen as a type.

use super::definition::{BackgroundDef, BackgroundFuture};
use super::extract::State;
use super::registry::Register;
use crate::app::States;
use crate::delivery::failure::{Failure, IntoFailure, Rejection};
use crate::settings::Restart;
use std::any::{TypeId, type_name};
use std::sync::Arc;
use std::time::Duration;

/// A background task with its settings, each of them known.
#[derive(Clone, Debug)]
pub struct Task {
    /// The function.
    pub def: &'static BackgroundDef,
    /// The consequence of a failure.
    pub restart: Restart,
    /// The pause before the first restart; doubles with each.
    pub backoff: Duration,
    /// The longest pause. After a run of this length a failure counts as the first again.
    pub backoff_max: Duration,
}

impl Task {
    pub(crate) fn new(def: &'static BackgroundDef) -> Self {
        let settings = (def.settings)();
        Self {
            def,
            restart: settings.restart.unwrap_or_default(),
            backoff: settings.backoff.unwrap_or(Duration::from_millis(100)),
            backoff_max: settings.backoff_max.unwrap_or(Duration::from_secs(30)),
        }
    }
}

/// A function under `#[run_in_background]`, seen as a type. Implemented by the attribute only.
pub trait Background: Register {
    /// The definition.
    const DEF: BackgroundDef;

    /// Extracts the parameters and calls the function.
    fn run(states: Arc<States>) -> impl Future<Output = Result<(), Failure>> + Send + 'static;

    /// Names the types of states that its parameters need.
    fn requires(_need: &mut dyn FnMut(TypeId, &'static str)) {}
}

/// The value of [`BackgroundDef::run`].
pub fn run_in_background<B: Background>(states: Arc<States>) -> BackgroundFuture {
    Box::pin(B::run(states))
}

/// A parameter of a background task.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a background task",
    label = "a task is called without a record, so nothing that belongs to one can be its parameter",
    note = "a background task takes `State<T>`; `State<Handle>` is the controls of the app"
)]
pub trait FromApp: Sized {
    /// Makes the parameter.
    ///
    /// # Errors
    /// When the app does not have it.
    fn from_app(states: &States) -> Result<Self, Rejection>;

    /// Names the types of states that it needs; checked before the app starts.
    fn requires(need: &mut dyn FnMut(TypeId, &'static str));
}

impl<T: Clone + Send + Sync + 'static> FromApp for State<T> {
    fn from_app(states: &States) -> Result<Self, Rejection> {
        Self::look_up(states)
    }

    fn requires(need: &mut dyn FnMut(TypeId, &'static str)) {
        need(TypeId::of::<T>(), type_name::<T>());
    }
}

/// The return type of a task, under `#[run_in_background]` and in `fastkafka::spawn`, and of a hook of
/// the app's builder.
#[diagnostic::on_unimplemented(
    message = "a task or hook cannot return `{Self}`",
    label = "expected `()` or `Result<(), E>` with `E: Display`"
)]
pub trait TaskReturn: Send + 'static {
    /// The outcome.
    ///
    /// # Errors
    /// The task's.
    fn outcome(self) -> Result<(), Failure>;
}

impl TaskReturn for () {
    fn outcome(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<E: IntoFailure + Send + 'static> TaskReturn for Result<(), E> {
    fn outcome(self) -> Result<(), Failure> {
        self.map_err(IntoFailure::into_failure)
    }
}
