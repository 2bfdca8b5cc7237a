//! Documents of apps, documents that are broken, and changes between two documents.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

// The attributes expand to paths of the facade; what they need is all in core.
extern crate fastkafka_core as fastkafka;

mod apps;
mod broken;
mod changes;
