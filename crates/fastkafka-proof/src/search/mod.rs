//! Search over a [`Model`]: the half that knows nothing of Kafka.
//!
//! - [`model`]: what is searched.
//! - [`coverage`]: what has been reached.

pub mod coverage;
pub mod model;

pub use coverage::Coverage;
pub use model::{Model, Mutable, Seen, Violation, fingerprint};
