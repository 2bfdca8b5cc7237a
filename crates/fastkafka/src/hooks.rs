//! What runs around the life of an app.

use crate::app::App;
use std::fmt::{self, Display};
use std::pin::Pin;

type Running = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

pub(crate) struct Hook(Box<dyn Fn(App) -> Running + Send + Sync>);

impl Hook {
    pub(crate) fn new<E, F>(hook: impl Fn(App) -> F + Send + Sync + 'static) -> Self
    where
        E: Display,
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        Self(Box::new(move |app| {
            let running = hook(app);
            Box::pin(async move { running.await.map_err(|error| error.to_string()) })
        }))
    }
}

#[derive(Default)]
pub(crate) struct Hooks {
    pub(crate) start: Vec<Hook>,
    pub(crate) stop: Vec<Hook>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Hooks({} at start, {} at stop)",
            self.start.len(),
            self.stop.len()
        )
    }
}

impl Hooks {
    pub(crate) async fn start(&self, app: &App) -> Result<(), String> {
        for hook in &self.start {
            (hook.0)(app.clone()).await?;
        }
        Ok(())
    }

    /// In reverse order, all of them; the first failure is returned.
    pub(crate) async fn stop(&self, app: &App) -> Result<(), String> {
        let mut result = Ok(());
        for hook in self.stop.iter().rev() {
            let ended = (hook.0)(app.clone()).await;
            result = result.and(ended);
        }
        result
    }
}
