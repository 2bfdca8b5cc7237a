//! Annotate plain functions and get a Kafka service that loses nothing.
//!
//! ```no_run
//! use fastkafka::{App, Broker, KafkaEvent, ProduceError, consumes, produces};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Order { id: u64, customer: String, cents: u64 }
//!
//! /// Confirms each order; one that fails for good is kept in a topic of its own.
//! #[consumes(topic = "orders", dead_letter = "orders.dead")]
//! async fn on_orders(order: Order) -> Result<(), ProduceError> {
//!     to_receipts(&order).await?;
//!     Ok(())
//! }
//!
//! /// The customer is the key: the receipts of one customer stay in order.
//! #[produces(topic = "receipts")]
//! async fn to_receipts(order: &Order) -> Result<KafkaEvent<String>, ProduceError> {
//!     let text = format!("order {}: {} cents", order.id, order.cents);
//!     Ok(KafkaEvent::new(text).key(order.customer.as_str()))
//! }
//!
//! fn app() -> App {
//!     let kafka = Broker::new("localhost:9092");
//!     App::builder().title("Billing").broker("localhost", kafka).build()
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     fastkafka::cli::main(app)
//! }
//! ```
//!
//! `billing run` runs it. `billing check` names every mistake at once, before anything is connected. The
//! offset of an order is committed when its handler has returned success *and* the broker has acknowledged the
//! receipt: a crash at any moment repeats records and loses none. Both functions stay what they were, and a
//! test calls them.
//!
//! # Where to look
//!
//! The names that a service writes every day are here. The rest is in modules, and [`guide`] is a book with
//! a chapter for each subject.
//!
//! | You want to .. | Names | Chapter of the guide |
//! |---|---|---|
//! | write and run a first service | [`App`], [`Broker`] | [First steps](guide::first_steps) |
//! | handle records | [`#[consumes]`](consumes), [`EventMetadata`], [`Key`], [`Headers`], [`State`] | [Consuming](guide::consuming), [in batches](guide::batch_consuming), [many at once](guide::executors) |
//! | send records | [`#[produces]`](produces), [`KafkaEvent`], [`delivery_scope`] | [Producing](guide::producing), [in batches](guide::batch_producing), [partition keys](guide::partition_keys) |
//! | choose what a failure leads to | [`Failure`], [`error`] | [Delivery](guide::delivery) |
//! | settle a record later, or in a task | [`Ack`], [`spawn`] | [Delivery](guide::delivery) |
//! | read something else than JSON | [`codec`], [`record`] | [Encoding and decoding](guide::codecs) |
//! | give handlers a parameter of your own | [`extract`] | [Consuming](guide::consuming) |
//! | set defaults for a whole app | [`settings`] | [Settings](guide::settings) |
//! | log in, or use several clusters | [`cluster`] | [Authentication](guide::authentication), [Several clusters](guide::clusters) |
//! | declare topics | [`Topic`] | [Running](guide::running) |
//! | open a pool at the start, close it at the stop | [`AppBuilder::lifespan`](app::AppBuilder::lifespan) | [Lifespan](guide::lifespan) |
//! | do something around every call | [`hook`] | |
//! | work beside the handlers | [`#[run_in_background]`](run_in_background) | [Background tasks](guide::background) |
#![cfg_attr(
    feature = "axum",
    doc = "| run beside a web server | [`App::axum_lifespan`] | [Beside a web server](guide::web) |"
)]
#![cfg_attr(
    feature = "cli",
    doc = "| run it from a command line | [`cli`] | [Running](guide::running) |"
)]
//! | watch over it | [`health`] | [Health](guide::health) |
#![cfg_attr(
    feature = "admin",
    doc = "| ask it over HTTP, scrape its metrics | [`admin`] | [Watching](guide::watching) |"
)]
//! | pause, resume, seek | [`control`] | [Steering a running app](guide::control) |
//! | measure throughput | [`#[benchmark]`](benchmark) | [Benchmarking](guide::benchmarking) |
#![cfg_attr(
    feature = "docs",
    doc = "| publish the contract, and hold it in CI | [`asyncapi`] | [The contract](guide::asyncapi) |"
)]
//! | test the whole app | the crate `fastkafka-tester` | [Testing](guide::testing), [in CI](guide::ci) |
//! | come from FastKafka for Python | | [Coming from FastKafka](guide::fastkafka) |
//!
//! # Features
//!
//! | Feature | Adds | Default |
//! |---|---|---|
//! | `admin` | the admin listener: health, metrics and state over HTTP | yes |
//! | `cli` | the command line: `run`, `check`, `topics`, `lag` | yes |
//! | `docs` | the AsyncAPI document, and with `cli` the command `docs` | yes |
//! | `axum` | an axum server beside the app in one process | |
//! | `tls` | TLS, SCRAM and OAUTHBEARER: OpenSSL, built from source | |
//! | `gssapi` | Kerberos: the system's Cyrus SASL | |
//! | `msgpack` | the codec `"msgpack"` | |
//! | `avro` | the codec `"avro"` | |
#![forbid(unsafe_code)]

#[cfg(feature = "admin")]
pub mod admin;
pub mod app;
#[cfg(feature = "docs")]
pub mod asyncapi;
mod builder;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cluster;
pub mod codec;
pub mod control;
pub mod error;
pub mod extract;
pub mod guide;
pub mod health;
pub mod hook;
#[cfg(any(feature = "admin", all(feature = "cli", feature = "docs")))]
mod host;
mod lock;
mod overrides;
pub mod record;
pub mod settings;
#[cfg(any(feature = "cli", feature = "axum"))]
mod signals;
mod topic;
#[cfg(feature = "axum")]
mod web;

pub use app::service::App;
#[doc(inline)]
pub use fastkafka_core::{
    Ack, Broker, EventMetadata, Failure, Headers, KafkaEvent, Key, ProduceError, State,
    delivery_scope,
};
#[doc(inline)]
pub use fastkafka_macros::{benchmark, consumes, produces, run_in_background};
#[doc(inline)]
pub use fastkafka_runtime::spawn;
pub use topic::Topic;

/// The whole contract between the attributes' expansion and the library. Not for use by hand.
#[doc(hidden)]
pub use fastkafka_core::__private;
