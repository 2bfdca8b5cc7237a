//! The AsyncAPI document of an app: what it reads and writes, for people and programs that do not
//! read Rust.
//!
//! [`Document::new`] makes it of the same registry that runs the app, without a broker.

#![forbid(unsafe_code)]

// The attributes in tests expand to paths of the facade; what they need is all in core.
#[cfg(test)]
extern crate fastkafka_core as fastkafka;

mod build;
mod check;
mod diff;
mod format;
mod html;
mod markdown;
pub mod model;
mod names;
mod read;
mod source;
#[cfg(test)]
mod tests;
mod text;

pub use check::{Finding, check};
pub use diff::{Change, diff};
pub use format::Format;
pub use html::content_security_policy;
pub use model::Document;
pub use source::{Broker, Security, Source, TopicDeclaration};
pub use text::{Unreadable, parse};
