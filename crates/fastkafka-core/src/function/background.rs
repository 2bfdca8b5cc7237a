//! A function under `#[run_in_background]`, seen as a type.

use crate::app::AppCore;
use crate::delivery::failure::{Failure, IntoFailure, Rejection};
use crate::function::extract::State;
use crate::function::registry::{Location, Register};
use crate::settings::{BackgroundSettings, Restart};
use std::any::{TypeId, type_name};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A background task under way.
pub type BackgroundFuture = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// A function under `#[run_in_background]`.
#[derive(Debug)]
pub struct BackgroundDef {
    /// The function's name.
    pub name: &'static str,
    /// The module it stands in.
    pub module: &'static str,
    /// Where it stands.
    pub location: Location,
    /// The attribute's settings, each an expression of the user's.
    pub settings: fn() -> BackgroundSettings,
    /// Names the state types of the parameters.
    pub requires: fn(&mut dyn FnMut(TypeId, &'static str)),
    /// Runs it once.
    pub run: fn(Arc<AppCore>) -> BackgroundFuture,
}

impl BackgroundDef {
    /// `module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

/// A background task with its settings, each of them known.
#[derive(Clone, Debug)]
pub struct Task {
    /// The function.
    pub def: &'static BackgroundDef,
    /// Whether it is started again after a failure.
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
    /// What the attribute says.
    const DEF: BackgroundDef;

    /// Extracts the parameters and calls the function.
    fn run(app: Arc<AppCore>) -> impl Future<Output = Result<(), Failure>> + Send + 'static;

    /// State types the parameters need.
    fn requires(_need: &mut dyn FnMut(TypeId, &'static str)) {}
}

/// What [`BackgroundDef::run`] is.
pub fn run_in_background<B: Background>(app: Arc<AppCore>) -> BackgroundFuture {
    Box::pin(B::run(app))
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
    fn from_app(app: &AppCore) -> Result<Self, Rejection>;

    /// Names the state types it needs; checked before the app starts.
    fn requires(need: &mut dyn FnMut(TypeId, &'static str));
}

impl<T: Clone + Send + Sync + 'static> FromApp for State<T> {
    fn from_app(app: &AppCore) -> Result<Self, Rejection> {
        Self::look_up(app)
    }

    fn requires(need: &mut dyn FnMut(TypeId, &'static str)) {
        need(TypeId::of::<T>(), type_name::<T>());
    }
}

/// What a task may return, under `#[run_in_background]` and in `fastkafka::spawn`, and a hook of the
/// app's builder.
#[diagnostic::on_unimplemented(
    message = "a task or hook cannot return `{Self}`",
    label = "expected `()` or `Result<(), E>` with `E: Display`"
)]
pub trait TaskReturn: Send + 'static {
    /// What came of it.
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
