//! The settings of a background task.

use super::Restart;
use super::table::settings;
use std::time::Duration;

settings! {
    /// Everything `#[run_in_background(..)]` can set.
    BackgroundSettings {
        /// Whether a task that failed is started again; default [`Restart::Never`]: its failure ends the
        /// app.
        [handler] restart: Restart = "never",
        /// The pause before the first restart; doubles with each. Default 0.1 s.
        [handler] backoff: Duration = "100ms",
        /// The longest pause; default 30 s. After a run of this length a failure counts as the first again.
        [handler] backoff_max: Duration = "30s",
    }
}
