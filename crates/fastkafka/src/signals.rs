//! What SIGINT, SIGTERM and SIGHUP do.
//!
//! | | the first one | each further one |
//! |---|---|---|
//! | while an app runs | asks it to stop | ends the process with status 1 |
//! | when none runs any more | ends the process, with the status that the signal has in a shell | |
//!
//! An app that has not stopped when its time is over is one whose threads are blocked: the process ends with
//! status 1 as well.

use crate::app::App;
use crate::lock::lock;
use std::io;
use std::process::exit;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// For the end of an app beyond what its stop may take.
const MOMENT: Duration = Duration::from_secs(2);

static APPS: Mutex<Apps<App>> = Mutex::new(Apps {
    next: 0,
    listed: Vec::new(),
});

/// While it lives, a signal stops its app.
#[derive(Debug)]
pub(crate) struct StopOnSignal {
    number: u64,
}

impl StopOnSignal {
    pub(crate) fn new(app: &App) -> io::Result<Self> {
        listen()?;
        let number = lock(&APPS).add(app.clone());
        Ok(Self { number })
    }
}

impl Drop for StopOnSignal {
    fn drop(&mut self) {
        lock(&APPS).remove(self.number);
    }
}

/// The apps that run, in the order in which they began.
struct Apps<T> {
    next: u64,
    listed: Vec<Listed<T>>,
}

struct Listed<T> {
    number: u64,
    app: T,
    /// It was asked to stop.
    told: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Meaning<T> {
    Stop(Vec<T>),
    /// All apps were asked before.
    Again,
    /// No app runs.
    Unheard,
}

impl<T: Clone> Apps<T> {
    fn add(&mut self, app: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.listed.push(Listed {
            number,
            app,
            told: false,
        });
        number
    }

    fn remove(&mut self, number: u64) {
        self.listed.retain(|listed| listed.number != number);
    }

    fn signal(&mut self) -> Meaning<T> {
        if self.listed.is_empty() {
            return Meaning::Unheard;
        }
        let others = self.listed.iter_mut().filter(|listed| !listed.told);
        let others = others.map(|listed| {
            listed.told = true;
            listed.app.clone()
        });
        match others.collect::<Vec<_>>() {
            none if none.is_empty() => Meaning::Again,
            apps => Meaning::Stop(apps),
        }
    }

    /// One that was asked to stop and still runs.
    fn told(&self) -> Option<T> {
        let told = self.listed.iter().find(|listed| listed.told);
        told.map(|listed| listed.app.clone())
    }
}

/// Begins to listen, if nobody does yet.
///
/// Signals have a thread and a runtime of their own: handlers that block their threads must not keep one from
/// being heard. Nobody can give a signal back to the system, so they live as long as the process.
fn listen() -> io::Result<()> {
    static LISTENS: Mutex<bool> = Mutex::new(false);
    let mut listens = lock(&LISTENS);
    if !*listens {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let signals = {
            let _in_runtime = runtime.enter();
            Signals::new()?
        };
        let thread = thread::Builder::new().name("fk-signals".to_owned());
        thread.spawn(move || runtime.block_on(answer(signals)))?;
        *listens = true;
    }
    Ok(())
}

async fn answer(mut signals: Signals) {
    let mut deadline: Option<Instant> = None;
    loop {
        let next = signals.next();
        let signal = match deadline {
            Some(deadline) => timeout_at(deadline, next).await.ok(),
            None => Some(next.await),
        };
        let Some(signal) = signal else {
            deadline = None;
            let late = lock(&APPS).told();
            if let Some(app) = late {
                say(move || tracing::error!("{}", blocked(&app)));
                exit(1);
            }
            continue;
        };
        // The deed comes before the word: a log that nobody reads must not keep an app from its end.
        let meaning = lock(&APPS).signal();
        match meaning {
            Meaning::Stop(apps) => {
                for app in &apps {
                    app.shut_down();
                }
                let longest = apps.iter().map(longest_stop).max();
                deadline = longest.and_then(|time| Instant::now().checked_add(time));
                say(|| {
                    tracing::info!(
                        "stopping: records in hand are finished; a second signal ends the process at once"
                    );
                });
            }
            Meaning::Again => {
                say(|| tracing::error!("second signal: ending at once"));
                exit(1);
            }
            Meaning::Unheard => exit(128 + signal),
        }
    }
}

fn longest_stop(app: &App) -> Duration {
    let hooks = app.inner.hooks.least();
    app.inner.shutdown_timeout.saturating_add(hooks + MOMENT)
}

fn blocked(app: &App) -> String {
    let time = longest_stop(app);
    let who = match app.inner.hooks.at_work() {
        Some(hook) => format!("{hook} blocks its thread"),
        None => "its threads are blocked".to_owned(),
    };
    format!("the app did not stop within {time:?}, and the process ends: {who}")
}

/// Writes a line from a thread of its own: where the log takes nothing, the next signal has to be heard all the
/// same.
fn say(line: impl FnOnce() + Send + 'static) {
    let (said, heard) = mpsc::channel::<()>();
    let thread = thread::Builder::new().name("fk-signals-log".to_owned());
    let thread = thread.spawn(move || {
        line();
        drop(said);
    });
    if thread.is_ok() {
        // It never receives anything: it hears that the other end is dropped.
        let _ = heard.recv_timeout(Duration::from_millis(100));
    }
}

/// SIGINT, SIGTERM and SIGHUP.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Of a process under `nohup`, and of a program that reads its settings again, it is not ours.
        let hangup = fastkafka_kafka::hangup_ends_the_process()
            .then(|| signal(SignalKind::hangup()))
            .transpose()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        use tokio::signal::unix::SignalKind;
        let Self {
            interrupt,
            terminate,
            hangup,
        } = self;
        let hangup = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let kind = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
            _ = hangup => SignalKind::hangup(),
        };
        kind.as_raw_value()
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// The number that Ctrl-C has elsewhere.
    async fn next(&mut self) -> i32 {
        self.0.recv().await;
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps() -> Apps<&'static str> {
        Apps {
            next: 0,
            listed: Vec::new(),
        }
    }

    #[test]
    fn the_second_signal_ends_what_the_first_has_stopped() {
        let mut apps = apps();
        apps.add("shop");
        assert_eq!(apps.told(), None);
        assert_eq!(apps.signal(), Meaning::Stop(vec!["shop"]));
        assert_eq!(apps.told(), Some("shop"));
        assert_eq!(apps.signal(), Meaning::Again);
    }

    #[test]
    fn an_app_that_has_ended_hears_nothing() {
        let mut apps = apps();
        let shop = apps.add("shop");
        assert_eq!(apps.signal(), Meaning::Stop(vec!["shop"]));
        apps.remove(shop);
        assert_eq!(apps.signal(), Meaning::Unheard);
        assert_eq!(apps.told(), None);
    }

    #[test]
    fn an_app_that_comes_after_a_signal_is_stopped_by_the_next() {
        let mut apps = apps();
        let shop = apps.add("shop");
        apps.add("bank");
        assert_eq!(apps.signal(), Meaning::Stop(vec!["shop", "bank"]));
        apps.add("till");
        assert_eq!(apps.signal(), Meaning::Stop(vec!["till"]));
        apps.remove(shop);
        assert_eq!(apps.signal(), Meaning::Again);
    }
}
