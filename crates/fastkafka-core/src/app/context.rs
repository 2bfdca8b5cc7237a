//! The context of an app's calls: its states, its hooks, its counts, and the sink of its records.

use super::States;
use crate::delivery::sink::RecordSink;
use crate::function::around::Around;
use crate::function::interceptor::{Hooks, Interceptor};
use crate::function::meter::{Tally, tallies};
use crate::function::registry::Registry;
use std::any::TypeId;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The context of an app's calls. It lives as long as any of them.
pub struct AppContext {
    scope: TypeId,
    states: Arc<States>,
    around: Option<Box<dyn Around>>,
    tallies: Vec<Tally>,
    sink: OnceLock<Arc<dyn RecordSink>>,
    disconnected: AtomicBool,
    interceptor: OnceLock<Arc<dyn Interceptor>>,
}

impl AppContext {
    /// The context of an app of type `S` with these functions.
    pub fn new<S: 'static>(registry: &Registry, states: States) -> Self {
        Self {
            scope: TypeId::of::<S>(),
            states: Arc::new(states),
            around: None,
            tallies: tallies(registry.defs()),
            sink: OnceLock::new(),
            disconnected: AtomicBool::new(false),
            interceptor: OnceLock::new(),
        }
    }

    /// Puts a hook around every handler call.
    #[must_use]
    pub fn with_around(mut self, around: Option<Box<dyn Around>>) -> Self {
        self.around = around;
        self
    }

    /// The app's type.
    #[inline]
    pub fn scope(&self) -> TypeId {
        self.scope
    }

    /// The values of `State<T>` parameters.
    #[inline]
    pub fn states(&self) -> &Arc<States> {
        &self.states
    }

    /// The counts of its functions under `#[benchmark]`.
    #[inline]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// The sink of its records; `None` before [`AppContext::connect`].
    #[inline]
    pub fn sink(&self) -> Option<&Arc<dyn RecordSink>> {
        self.sink.get()
    }

    /// True from [`AppContext::disconnect`] on: its producers send nothing more.
    #[inline]
    pub fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Acquire)
    }

    /// Its producers send nothing more.
    pub(super) fn refuse(&self) {
        self.disconnected.store(true, Ordering::Release);
    }

    /// Sends its records there from now on.
    pub(super) fn connect_to(&self, sink: Arc<dyn RecordSink>) -> Result<(), Arc<dyn RecordSink>> {
        self.sink.set(sink)
    }

    /// The interceptor of its calls and outputs: a tester's.
    #[doc(hidden)]
    #[inline]
    pub fn interceptor(&self) -> Option<&dyn Interceptor> {
        self.interceptor.get().map(|interceptor| &**interceptor)
    }

    /// Lets `interceptor` see all calls and outputs.
    ///
    /// # Errors
    /// Gives it back when the app has one already.
    #[doc(hidden)]
    pub fn intercept(&self, interceptor: Arc<dyn Interceptor>) -> Result<(), Arc<dyn Interceptor>> {
        self.interceptor.set(interceptor)
    }

    /// The hook and the interceptor around its calls.
    pub(crate) fn hooks(&self) -> Hooks<'_> {
        Hooks::new(self.interceptor(), self.around.as_deref())
    }
}

impl fmt::Debug for AppContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppContext")
            .field("states", &self.states)
            .field("connected", &self.sink.get().is_some())
            .finish_non_exhaustive()
    }
}
