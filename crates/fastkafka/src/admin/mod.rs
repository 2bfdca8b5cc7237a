//! The admin listener: what a platform and a person on call ask a running app, over HTTP.
//!
//! `service run --admin 127.0.0.1:9000`, the variable `FASTKAFKA_ADMIN` or
//! [`AppBuilder::admin`](crate::app::AppBuilder::admin) open it; without one of them no port is opened. It is read
//! only. The guide's chapter [Watching](crate::guide::watching) has its routes and the metrics.
//!
//! It has a thread and a tokio runtime of its own, so it answers while all threads of the app are blocked. It is
//! there before the app connects, and until it has stopped.

// `answer` says what each route answers and to whom; `listener` and `connections` keep a stranger from using more
// than a few descriptors. What is asked about comes through `source::Source`.

mod access;
mod answer;
mod connections;
mod events;
mod exposition;
mod gauges;
pub(crate) mod listener;
mod negotiation;
mod process;
pub(crate) mod recorder;
#[cfg(feature = "axum")]
mod router;
pub(crate) mod settings;
mod site;
pub(crate) mod source;
#[cfg(test)]
mod tests;

pub use self::settings::Admin;
pub(crate) use self::site::Site;
