//! The hooks of an app's start and stop: a start makes values in order, the stop releases them in reverse.

use crate::app::App;
use crate::lock::lock;
use fastkafka_core::{CatchRun, TaskReturn};
use std::any::type_name;
use std::fmt::{self, Display};
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// The least that a release may take, whatever the handlers have left of `shutdown_timeout`.
pub(crate) const LEAST: Duration = Duration::from_secs(1);

type Running<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;
type Release = Box<dyn FnOnce(App) -> Running<()> + Send>;

/// Something to do at the start, which may leave something to do at the stop.
pub(crate) struct Hook {
    name: Name,
    start: Box<dyn Fn(App) -> Running<Option<Release>> + Send + Sync>,
}

/// The builder's method, what it makes, and where it was called.
#[derive(Clone)]
pub(crate) struct Name {
    method: &'static str,
    makes: Option<&'static str>,
    at: &'static Location<'static>,
}

impl Name {
    #[track_caller]
    pub(crate) fn new(method: &'static str) -> Self {
        Self {
            method,
            makes: None,
            at: Location::caller(),
        }
    }

    #[track_caller]
    pub(crate) fn making<T>(method: &'static str) -> Self {
        Self {
            makes: Some(type_name::<T>()),
            ..Self::new(method)
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.makes {
            Some(makes) => write!(f, "`{}::<{makes}>` ({})", self.method, self.at),
            None => write!(f, "`{}` ({})", self.method, self.at),
        }
    }
}

impl Hook {
    pub(crate) fn on_start<F>(name: Name, hook: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: TaskReturn> + Send + 'static,
    {
        let start = move |app| -> Running<_> {
            let done = done(hook(app));
            Box::pin(async move { done.await.map(|()| None) })
        };
        Self {
            name,
            start: Box::new(start),
        }
    }

    pub(crate) fn on_stop<F>(name: Name, hook: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output: TaskReturn> + Send + 'static,
    {
        let hook = Arc::new(hook);
        let start = move |_| -> Running<_> {
            let hook = hook.clone();
            let release: Release = Box::new(move |app| done(hook(app)));
            Box::pin(std::future::ready(Ok(Some(release))))
        };
        Self {
            name,
            start: Box::new(start),
        }
    }

    /// Makes a value of `State<T>`.
    pub(crate) fn making<T, E, F>(
        name: Name,
        make: impl Fn(App) -> F + Send + Sync + 'static,
        release: impl Fn(T) -> Option<Running<()>> + Send + Sync + 'static,
    ) -> Self
    where
        T: Clone + Send + Sync + 'static,
        E: Display,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let release = Arc::new(release);
        let start = move |app: App| -> Running<_> {
            let (made, release) = (make(app.clone()), release.clone());
            Box::pin(async move {
                let made = made.await.map_err(|error| error.to_string())?;
                app.inner.context.states().set(made.clone());
                let release: Release = Box::new(move |_| {
                    release(made).unwrap_or_else(|| Box::pin(std::future::ready(Ok(()))))
                });
                Ok(Some(release))
            })
        };
        Self {
            name,
            start: Box::new(start),
        }
    }
}

/// A hook's work, with its error as text.
pub(crate) fn done<F>(work: F) -> Running<()>
where
    F: Future<Output: TaskReturn> + Send + 'static,
{
    Box::pin(async move {
        let outcome = work.await.outcome();
        outcome.map_err(|failure| failure.message().to_owned())
    })
}

/// The hooks of an app in the order in which they were added, and what they have left to do.
#[derive(Default)]
pub(crate) struct Hooks {
    hooks: Vec<Hook>,
    made: Mutex<Vec<(Name, Release)>>,
    /// The one that runs.
    at_work: Mutex<Option<Name>>,
    /// What went wrong at the stop, which may be cut and begun again.
    problems: Mutex<Vec<String>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.hooks.iter().map(|hook| hook.name.to_string());
        f.debug_list().entries(names).finish()
    }
}

impl Hooks {
    pub(crate) fn push(&mut self, hook: Hook) {
        self.hooks.push(hook);
    }

    /// What all of them together may take at the stop, beyond the time of the handlers.
    #[cfg(any(feature = "cli", feature = "axum"))]
    pub(crate) fn least(&self) -> Duration {
        LEAST * u32::try_from(self.hooks.len()).unwrap_or(u32::MAX)
    }

    /// The one that runs, for who wants to know what keeps the app.
    #[cfg(any(feature = "cli", feature = "axum"))]
    pub(crate) fn at_work(&self) -> Option<String> {
        lock(&self.at_work).as_ref().map(Name::to_string)
    }

    /// In order, until one fails. All together they have `patience`.
    pub(crate) async fn start(&self, app: &App, patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        for hook in &self.hooks {
            let _at_work = AtWork::new(self, &hook.name);
            let made = caught(async { (hook.start)(app.clone()).await });
            let made = tokio::time::timeout_at(deadline, made).await;
            let made = made.unwrap_or_else(|_| {
                Err(format!(
                    "did not end: all hooks together have {patience:?} (`start_timeout`)"
                ))
            });
            if let Some(release) = made.map_err(|why| format!("{} {why}", hook.name))? {
                lock(&self.made).push((hook.name.clone(), release));
            }
        }
        Ok(())
    }

    /// In reverse order, everything that the start has come to, once; says what failed. If the future is dropped,
    /// the next call goes on with what is left.
    pub(crate) async fn stop(&self, app: &App, deadline: Instant) -> Result<(), String> {
        loop {
            let next = lock(&self.made).pop();
            let Some((name, release)) = next else { break };
            let mut at_work = AtWork::new(self, &name);
            at_work.releases = true;
            let deadline = deadline.max(Instant::now() + LEAST);
            let release = caught(async { release(app.clone()).await });
            let ended = tokio::time::timeout_at(deadline, release).await;
            at_work.releases = false;
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(why)) => self.note(&name, &why),
                Err(_) => self.note(&name, "did not end in time"),
            }
        }
        match &**lock(&self.problems) {
            [] => Ok(()),
            problems => Err(problems.join("; ")),
        }
    }

    /// What went wrong at the stop, as a phrase that follows the name.
    fn note(&self, name: &Name, why: &str) {
        tracing::error!("at the stop {name} {why}");
        lock(&self.problems).push(format!("{name} {why}"));
    }
}

/// While it lives, a hook runs; its future may be dropped.
struct AtWork<'a> {
    hooks: &'a Hooks,
    /// It is not done, and nobody does it again.
    releases: bool,
}

impl<'a> AtWork<'a> {
    fn new(hooks: &'a Hooks, name: &Name) -> Self {
        *lock(&hooks.at_work) = Some(name.clone());
        Self {
            hooks,
            releases: false,
        }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        let name = lock(&self.hooks.at_work).take();
        if self.releases
            && let Some(name) = name
        {
            self.hooks.note(&name, "was cut");
        }
    }
}

/// The result of a hook; the error is a phrase that follows its name.
async fn caught<T>(work: impl Future<Output = Result<T, String>> + Send) -> Result<T, String> {
    match CatchRun::new(Box::pin(work)).await {
        Ok(done) => done.map_err(|why| format!("failed: {why}")),
        Err(panic) => Err(format!("panicked: {panic}")),
    }
}
