//! Documents of apps, documents that are broken, and changes between two documents.
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod apps;
mod broken;
mod changes;
