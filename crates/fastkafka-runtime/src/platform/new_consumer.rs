//! A consumer that a platform is asked to make and to serve.

use super::handle::ConsumerHandle;
use crate::client_error::ClientError;
use crate::driver::setup::Setup;
use crate::driver::{Driver, serve};
use crate::mailbox::{Mailbox, Wake};
use crate::shared::Shared;
use crate::tasks;
use crate::transport::GroupConsumer;
use fastkafka_core::{AppTask, ConsumerSettings, Group, Text};
use std::fmt;
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::Thread;
use tokio::sync::Notify;

/// A consumer that is to be made, and all that its driver is given beside it.
pub struct NewConsumer {
    cluster: Text,
    group: String,
    /// There is no group.
    standalone: bool,
    left_out: Vec<String>,
    settings: ConsumerSettings,
    topics: Vec<&'static str>,
    worker: usize,
    waker: LateWaker,
    pub(crate) setup: Setup,
}

/// Wakes the driver, once something serves it.
#[derive(Clone, Default)]
struct LateWaker(Arc<OnceLock<Wake>>);

impl LateWaker {
    fn wake(&self) {
        if let Some(wake) = self.0.get() {
            wake();
        }
    }
}

impl NewConsumer {
    /// `setup` makes the rest from what the driver tells and is told.
    pub(crate) fn new(
        group: &Group,
        topics: Vec<&'static str>,
        worker: usize,
        setup: impl FnOnce(Arc<Shared>, Wake) -> Setup,
    ) -> Self {
        let waker = LateWaker::default();
        let wake = || {
            let waker = waker.clone();
            Box::new(move || waker.wake())
        };
        let shared = Arc::new(Shared::new(
            &group.cluster,
            &group.id,
            group.standalone,
            Mailbox::new(wake()),
        ));
        let setup = setup(shared, wake());
        Self {
            cluster: group.cluster.clone(),
            group: group.id.clone(),
            standalone: group.standalone,
            left_out: group.left_out.clone(),
            settings: group.settings.clone(),
            topics,
            worker,
            waker,
            setup,
        }
    }

    /// The cluster it reads from.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The group's id.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// There is no group: it reads every partition, and keeps nothing of it.
    pub fn is_standalone(&self) -> bool {
        self.standalone
    }

    /// The settings that the handlers of the group agree on.
    pub fn settings(&self) -> &ConsumerSettings {
        &self.settings
    }

    /// Its subscription: topics, or a pattern that begins with `^`.
    pub fn topics(&self) -> &[&'static str] {
        &self.topics
    }

    /// The topics that its pattern leaves out, if it has one.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// Its number among the consumers that the group has in this process.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// Sets how the driver is woken, from any thread. Once.
    fn wake_by(&self, wake: Wake) {
        let _ = self.waker.0.set(wake);
    }

    /// Serves the consumer on a thread of its own and on the machine's clock. `make` makes the client
    /// on that thread, which the handle unparks.
    ///
    /// # Errors
    /// Why the thread cannot be started, or the client cannot be made.
    pub fn serve_in_thread<T: GroupConsumer>(
        self,
        make: impl FnOnce(&Self, Thread) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<ConsumerHandle, String> {
        let group = self.group.clone();
        let (made, is_made) = mpsc::sync_channel(1);
        let (lives, ends) = tokio::sync::oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(format!("fk-{group}-{}", self.worker))
            .spawn(move || {
                let _lives = lives;
                let me = std::thread::current();
                let driver = me.clone();
                self.wake_by(Box::new(move || driver.unpark()));
                match make(&self, me) {
                    Ok(consumer) => {
                        let _ = made.send(Ok(()));
                        serve::on_thread(Driver::new(consumer, self.setup))
                    }
                    Err(error) => {
                        let _ = made.send(Err(error.to_string()));
                        Ok(())
                    }
                }
            })
            .map_err(|error| format!("cannot start the thread of group `{group}`: {error}"))?;
        match is_made.recv() {
            Ok(Ok(())) => Ok(ConsumerHandle::Thread {
                thread: Some(thread),
                ends,
            }),
            Ok(Err(error)) => Err(format!(
                "cannot make the consumer of group `{group}`: {error}"
            )),
            Err(_) => Err(format!("the thread of group `{group}` ended at once")),
        }
    }

    /// Serves the consumer on a task of this tokio runtime and on its clock. `waker` wakes the driver;
    /// `after` is called after each of its turns.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn serve_in_task<T: GroupConsumer + Send + 'static>(
        self,
        consumer: T,
        waker: Arc<Notify>,
        after: impl Fn() + Send + Sync + 'static,
    ) -> ConsumerHandle {
        let wakeup = waker.clone();
        self.wake_by(Box::new(move || wakeup.notify_one()));
        let kill = Arc::new(Notify::new());
        let killed = kill.clone();
        let app = self.setup.app.clone();
        let (tokio, group) = (self.setup.tokio.clone(), self.group.clone());
        let task = tasks::spawn(&app, &tokio, AppTask::Consumer(&group), async move {
            let driver = Driver::new(consumer, self.setup);
            serve::in_task(driver, &waker, &killed, after).await
        });
        ConsumerHandle::Task { task, kill }
    }
}

impl fmt::Debug for NewConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewConsumer")
            .field("group", &self.group)
            .field("worker", &self.worker)
            .finish_non_exhaustive()
    }
}
