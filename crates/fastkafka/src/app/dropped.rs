//! What follows when something is dropped without which an app has no end: a future, its last handle, or the
//! tokio runtime that it runs on.

use super::App;
use crate::error::RunError;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::watch;

/// Said by an app that was not stopped in time.
const RUNTIME_IS_GONE: &str =
    "its tokio runtime is gone; await `App::stop` before the runtime is dropped";

/// Lets the end begin when a future is dropped whose caller would have seen to it.
pub(super) struct EndOnDrop {
    /// `None` once the caller has seen to it.
    app: Option<App>,
    tokio: Handle,
}

impl EndOnDrop {
    pub(super) fn new(app: &App) -> Self {
        Self {
            app: Some(app.clone()),
            tokio: Handle::current(),
        }
    }

    pub(super) fn disarm(mut self) {
        self.app = None;
    }
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        let Some(app) = self.app.take() else { return };
        app.shut_down();
        app.let_go_of_server();
        // Also where the tokio runtime ends with the future, and with it the task.
        if let Some(runtime) = app.inner.life.runtime.get() {
            runtime.shut_down();
        }
        let end = Relay::new(&app).carry(async move |app| drop(app.stop().await));
        self.tokio.spawn(end);
    }
}

/// Lives in a task of the app. When the task is dropped before it is done, its tokio runtime is gone: nobody can
/// go on there, so the end of the app goes on in a thread with a runtime of its own.
pub(super) struct Relay {
    /// `None` once the task is done.
    app: Option<App>,
    gone: watch::Sender<bool>,
    /// The handlers are on the same tokio runtime.
    with_handlers: bool,
}

impl Relay {
    pub(super) fn new(app: &App) -> Self {
        Self {
            // No handle of a user: the app must see when the last one is dropped.
            app: Some(App::new(app.inner.clone())),
            gone: watch::Sender::new(false),
            with_handlers: false,
        }
    }

    /// In a task that is where the handlers are: the app cannot go on without it.
    pub(super) fn with_handlers(app: &App) -> Self {
        let mut relay = Self::new(app);
        relay.with_handlers = true;
        relay
    }

    pub(super) fn app(&self) -> App {
        let app = self.app.as_ref();
        App::new(app.expect("the task is not done").inner.clone())
    }

    /// Becomes true when the task is dropped.
    pub(super) fn gone(&self) -> watch::Receiver<bool> {
        self.gone.subscribe()
    }

    /// The task. It is guarded before it is polled, too: a runtime that is gone drops what it is given.
    pub(super) async fn carry<F>(mut self, work: impl FnOnce(App) -> F)
    where
        F: Future<Output = ()>,
    {
        work(self.app()).await;
        self.app = None;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(app) = self.app.take() else { return };
        self.gone.send_replace(true);
        let life = &app.inner.life;
        if life.end.borrow().is_some() || life.may_be_dropped.load(Relaxed) {
            return;
        }
        if self.with_handlers {
            app.fail(RUNTIME_IS_GONE.to_owned());
        }
        // One is enough: it goes on with what others leave.
        if !life.alone.swap(true, Relaxed)
            && let Err(error) = app.clone().end_alone()
        {
            app.has_no_thread(&error);
        }
    }
}

impl App {
    /// The last handle was dropped. False when that may be: its runtime goes with it.
    pub(super) fn is_let_go(&self) -> bool {
        if self.inner.life.may_be_dropped.load(Relaxed) {
            return false;
        }
        let title = &self.inner.spec.info.title;
        tracing::warn!(
            "{title} stops: its last `App` was dropped while it ran; keep one, and await `App::stop` or `App::ended`"
        );
        self.shut_down();
        true
    }

    fn end_alone(self) -> io::Result<()> {
        let thread = thread::Builder::new().name("fk-end".to_owned());
        // The runtime is made in there: without a thread the closure is dropped here, inside another runtime,
        // and there none may be dropped.
        let thread =
            thread.spawn(
                move || match Builder::new_current_thread().enable_all().build() {
                    Ok(tokio) => drop(tokio.block_on(self.stop())),
                    Err(error) => self.has_no_thread(&error),
                },
            );
        thread.map(drop)
    }

    fn has_no_thread(&self, error: &io::Error) {
        let what = format!(
            "{RUNTIME_IS_GONE}; nothing was drained or released, for there is no thread: {error}"
        );
        self.inner.life.set_end(Err(RunError::Ended(what)));
    }
}
