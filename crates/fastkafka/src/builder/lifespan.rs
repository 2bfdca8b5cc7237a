//! Values that are made at the start and released at the stop.

use super::AppBuilder;
use crate::app::App;
use crate::hook::{Hook, Name, done};
use fastkafka_core::TaskReturn;
use std::fmt;

impl<S: 'static> AppBuilder<S> {
    /// A value for `State<T>` parameters that is made when the app starts and has nothing to release.
    ///
    /// ```
    /// # use fastkafka::App;
    /// # #[derive(Clone)] struct Model;
    /// # impl Model { async fn load(path: &str) -> Result<Model, std::io::Error> { Ok(Model) } }
    /// let app = App::builder()
    ///     .state_with(|_| Model::load("model.bin"))
    ///     .build();
    /// # let _ = app;
    /// ```
    ///
    /// It is a hook of the start: see [`on_start`](Self::on_start).
    #[must_use]
    #[track_caller]
    pub fn state_with<T, E, F>(mut self, make: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        T: Clone + Send + Sync + 'static,
        E: fmt::Display,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.states.declare::<T>();
        let name = Name::making::<T>("state_with");
        self.hooks.push(Hook::making(name, make, |_: T| None));
        self
    }

    /// A value for `State<T>` parameters that is made when the app starts, and released when it has
    /// stopped: FastKafka's `lifespan`.
    ///
    /// ```
    /// # use fastkafka::App;
    /// # #[derive(Clone)] struct Pool;
    /// # impl Pool { async fn connect() -> Result<Pool, std::io::Error> { Ok(Pool) } async fn close(&self) {} }
    /// let app = App::builder()
    ///     .lifespan(|_| Pool::connect(), |pool| async move { pool.close().await })
    ///     .build();
    /// # let _ = app;
    /// ```
    ///
    /// `release` returns `()` or a `Result<(), E>`. It is called exactly when `make` has succeeded, with a
    /// clone of what it made: also when the start fails after that, or is stopped. For the order see
    /// [`on_start`](Self::on_start) and [`on_stop`](Self::on_stop).
    #[must_use]
    #[track_caller]
    pub fn lifespan<T, E, F, R>(
        mut self,
        make: impl Fn(App) -> F + Send + Sync + 'static,
        release: impl Fn(T) -> R + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        E: fmt::Display,
        F: Future<Output = Result<T, E>> + Send + 'static,
        R: Future<Output: TaskReturn> + Send + 'static,
    {
        self.states.declare::<T>();
        let name = Name::making::<T>("lifespan");
        let release = move |made: T| Some(done(release(made)));
        self.hooks.push(Hook::making(name, make, release));
        self
    }

    /// Something to do before the app connects: nothing can be produced yet. It returns `()` or a
    /// `Result<(), E>`.
    ///
    /// All hooks, of the start and of the stop, are one list in the order in which they were added. The
    /// start goes down the list. When a hook fails or panics the app does not start: the error names the
    /// hook and its place, and what stands before it in the list is released. A stop that is asked for
    /// meanwhile drops the hook where it awaits and does the same.
    #[must_use]
    #[track_caller]
    pub fn on_start<F>(mut self, hook: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: TaskReturn> + Send + 'static,
    {
        let name = Name::new("on_start");
        self.hooks.push(Hook::on_start(name, hook));
        self
    }

    /// Something to do after the app has stopped: background tasks are cancelled, the last handler has
    /// returned, everything that was produced is acknowledged, offsets are committed, and the clients are
    /// disconnected. It returns `()` or a `Result<(), E>`.
    ///
    /// A start that fails or is stopped ends in the same way: handlers of a group that had joined return
    /// first. The stop goes up the list of hooks from where the start had come to, each hook once and whatever
    /// became of the others; a failure makes the stop fail. Together they have what `shutdown_timeout`
    /// leaves them, and each at least a second.
    #[must_use]
    #[track_caller]
    pub fn on_stop<F>(mut self, hook: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: TaskReturn> + Send + 'static,
    {
        let name = Name::new("on_stop");
        self.hooks.push(Hook::on_stop(name, hook));
        self
    }
}
