//! What SIGINT, SIGTERM and SIGHUP do.
//!
//! | | the first one | each further one |
//! |---|---|---|
//! | while an app runs | asks it to stop | ends the process with status 1 |
//! | when none runs any more | ends the process, with the status that the signal has in a shell | |
//!
//! An app that has not stopped when its time is over is one whose threads are blocked. When no app has time
//! left, the process ends with status 1 as well.

use crate::app::App;
use crate::lock::lock;
use std::io;
use std::process::exit;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// For the end of an app beyond what its stop may take.
const MOMENT: Duration = Duration::from_secs(2);

static APPS: Mutex<Apps<App>> = Mutex::new(Apps {
    next: 0,
    listed: Vec::new(),
});
/// An app has left the list.
static LEFT: Notify = Notify::const_new();

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
        LEFT.notify_one();
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
    stop: Stop,
}

/// How far an app is with its stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    NotAsked,
    /// It was asked to, and has time until then; `None` without end.
    Asked(Option<Instant>),
    /// Its time is over.
    Late,
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
            stop: Stop::NotAsked,
        });
        number
    }

    fn remove(&mut self, number: u64) {
        self.listed.retain(|listed| listed.number != number);
    }

    /// Each has a time of its own, by `deadline`.
    fn signal(&mut self, deadline: impl Fn(&T) -> Option<Instant>) -> Meaning<T> {
        if self.listed.is_empty() {
            return Meaning::Unheard;
        }
        let listed = self.listed.iter_mut();
        let others = listed.filter(|app| app.stop == Stop::NotAsked);
        let others = others.map(|listed| {
            listed.stop = Stop::Asked(deadline(&listed.app));
            listed.app.clone()
        });
        match others.collect::<Vec<_>>() {
            none if none.is_empty() => Meaning::Again,
            apps => Meaning::Stop(apps),
        }
    }

    /// When an app has to have stopped next.
    fn due(&self) -> Option<Instant> {
        let due = self.listed.iter().filter_map(|listed| match listed.stop {
            Stop::Asked(deadline) => deadline,
            Stop::NotAsked | Stop::Late => None,
        });
        due.min()
    }

    /// Those that have not stopped in time; each is told once.
    fn late(&mut self, now: Instant) -> Vec<T> {
        let due = |stop| matches!(stop, Stop::Asked(Some(deadline)) if deadline <= now);
        let late = self.listed.iter_mut().filter(|listed| due(listed.stop));
        let late = late.map(|listed| {
            listed.stop = Stop::Late;
            listed.app.clone()
        });
        late.collect()
    }

    /// There are some, and none has time left: nothing is waited for.
    fn are_all_late(&self) -> bool {
        let mut listed = self.listed.iter();
        !self.listed.is_empty() && listed.all(|listed| listed.stop == Stop::Late)
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
    loop {
        let due = lock(&APPS).due();
        let due = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let signal = tokio::select! {
            signal = signals.next() => Some(signal),
            () = due => None,
            () = LEFT.notified() => None,
        };
        let Some(signal) = signal else {
            end_the_late();
            continue;
        };
        // The deed comes before the word: a log that nobody reads must not keep an app from its end.
        let deadline = |app: &App| Instant::now().checked_add(longest_stop(app));
        let meaning = lock(&APPS).signal(deadline);
        match meaning {
            Meaning::Stop(apps) => {
                for app in &apps {
                    app.shut_down();
                }
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

/// Names each app that has not stopped in time, and ends the process when the others have ended or are late,
/// too.
fn end_the_late() {
    let (late, over) = {
        let mut apps = lock(&APPS);
        (apps.late(Instant::now()), apps.are_all_late())
    };
    for app in late {
        say(move || tracing::error!("{}", blocked(&app)));
    }
    if over {
        exit(1);
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
    let title = &app.inner.spec.info.title;
    format!("{title} did not stop within {time:?}, and the process ends without it: {who}")
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

    /// A signal; each app has as many seconds as its name has letters.
    fn signal(apps: &mut Apps<&'static str>, now: Instant) -> Meaning<&'static str> {
        apps.signal(|name| now.checked_add(letters(name)))
    }

    fn letters(name: &str) -> Duration {
        Duration::from_secs(name.len() as u64)
    }

    #[test]
    fn the_second_signal_ends_what_the_first_has_stopped() {
        let (mut apps, now) = (apps(), Instant::now());
        apps.add("shop");
        assert_eq!(apps.due(), None);
        assert_eq!(signal(&mut apps, now), Meaning::Stop(vec!["shop"]));
        assert_eq!(apps.due(), Some(now + letters("shop")));
        assert_eq!(signal(&mut apps, now), Meaning::Again);
    }

    #[test]
    fn an_app_that_has_ended_hears_nothing() {
        let (mut apps, now) = (apps(), Instant::now());
        let shop = apps.add("shop");
        assert_eq!(signal(&mut apps, now), Meaning::Stop(vec!["shop"]));
        apps.remove(shop);
        assert_eq!(signal(&mut apps, now), Meaning::Unheard);
        assert_eq!(apps.due(), None);
    }

    #[test]
    fn an_app_that_comes_after_a_signal_is_stopped_by_the_next() {
        let (mut apps, now) = (apps(), Instant::now());
        let shop = apps.add("shop");
        apps.add("bank");
        assert_eq!(signal(&mut apps, now), Meaning::Stop(vec!["shop", "bank"]));
        apps.add("till");
        assert_eq!(signal(&mut apps, now), Meaning::Stop(vec!["till"]));
        apps.remove(shop);
        assert_eq!(signal(&mut apps, now), Meaning::Again);
    }

    #[test]
    fn an_app_whose_time_is_over_cuts_none_that_has_time_left() {
        let (mut apps, now) = (apps(), Instant::now());
        apps.add("shop");
        let bakery = apps.add("bakery");
        signal(&mut apps, now);
        let of = |name| now + letters(name);
        assert_eq!(apps.due(), Some(of("shop")));
        assert_eq!(apps.late(of("shop")), ["shop"]);
        assert!(!apps.are_all_late());
        assert_eq!(apps.due(), Some(of("bakery")));
        assert_eq!(apps.late(of("bakery")), ["bakery"], "each is named once");
        assert!(apps.are_all_late());
        // Nor one that has ended in time, or has not been asked.
        apps.remove(bakery);
        assert!(apps.are_all_late());
        let till = apps.add("till");
        assert!(!apps.are_all_late());
        apps.remove(till);
        assert!(apps.are_all_late());
    }

    #[test]
    fn a_second_signal_takes_no_time_from_the_apps_of_the_first() {
        let (mut apps, now) = (apps(), Instant::now());
        apps.add("bakery");
        signal(&mut apps, now);
        apps.add("bar");
        signal(&mut apps, now);
        assert_eq!(apps.late(now + letters("bar")), ["bar"]);
        assert_eq!(apps.due(), Some(now + letters("bakery")));
    }
}
