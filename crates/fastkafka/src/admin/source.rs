//! What the listener asks of an app.

use fastkafka_runtime::AppState;

/// An app, as those see it who watch it.
pub(crate) trait Source: Send + Sync {
    /// What it is doing, at once.
    fn state(&self) -> AppState;

    /// Its contract; `None` in a build without it.
    fn contract(&self, form: Contract) -> Option<String>;
}

/// The forms of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contract {
    Json,
    Yaml,
}
