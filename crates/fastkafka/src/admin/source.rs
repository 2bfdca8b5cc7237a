//! What the listener asks of an app.

use fastkafka_runtime::AppState;

/// An app, as those see it who watch it.
pub(crate) trait Source: Send + Sync {
    /// What it is doing, at once.
    fn state(&self) -> AppState;

    /// The same without its groups: it takes as long however many partitions there are.
    fn without_groups(&self) -> AppState;

    /// It has ended by itself, or was not stopped cleanly.
    fn has_ended(&self) -> bool;

    /// Its contract; `None` in a build without it.
    fn contract(&self, form: Contract) -> Option<String>;
}

/// The forms of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contract {
    Json,
    Yaml,
}
