//! Runs a FastKafka app in a unit test: the production runtime on clusters in memory.
//!
//! Under `#[tokio::test(start_paused = true)]` the test has virtual time: a retry after ten minutes takes
//! no time, and nothing depends on the speed of the machine.
//!
//! ```standalone_crate
//! use fastkafka::{App, ProduceError, consumes, produces};
//! use fastkafka_tester::Tester;
//!
//! #[consumes(topic = "numbers", auto_offset_reset = "earliest")]
//! async fn on_numbers(number: u64) -> Result<(), ProduceError> {
//!     to_squares(number * number).await?;
//!     Ok(())
//! }
//!
//! #[produces(topic = "squares")]
//! async fn to_squares(square: u64) -> Result<u64, ProduceError> {
//!     Ok(square)
//! }
//!
//! # /*
//! #[tokio::test(start_paused = true)]
//! # */
//! async fn a_number_is_squared() {
//!     let tester = Tester::start(App::builder().title("Squares").build()).await.unwrap();
//!     tester.to_numbers(7).await;                            // returns when everything is settled
//!     tester.on_squares().assert_called_once_with(&49);      // the record that the producer sent
//!     tester.spy::<on_numbers>().assert_called_once();       // the call of the handler
//!     tester.mock::<on_numbers>().expect_call().returning(|_| Ok(()));
//! }
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(a_number_is_squared());
//! ```
//!
//! [`Tester`] starts the apps. Everything else is reached through it:
//!
//! | | |
//! |---|---|
//! | `tester.to_numbers(7)`, [`Mirror`] | send a record to a handler, and wait until it is settled |
//! | `tester.on_squares()`, [`Received`] | the records that a producer has sent |
//! | `tester.spy::<on_numbers>()`, [`Spy`], [`ProducerSpy`] | the calls of a handler; the records that a producer handed over |
//! | `tester.mock::<on_numbers>()`, [`MockGuard`] | a mock in the place of a function |
//! | [`Observed`] | the assertions, which all of these share |
//! | `tester.cluster(..)`, [`Cluster`] | commits, lag, topics; faults |
//! | [`Tester::chaos`] | random faults, in an order that a seed decides |
//! | [`Tester::every_crash`], [`Tester::explore`] | a fault at every step, one after another |
//! | [`Tester::transcript`] | what has happened, line by line |
//! | [`Tester::add_member`], [`Tester::crash_and_restart`] | processes that come, go and crash |
//! | [`Tester::builder`] | topics, time limits, real brokers |
//!
//! The guide's chapter on testing walks through all of it.
//!
//! # Helpers of several tests
//!
//! A helper is generic over annotated functions. [`Consumer`] and [`Producer`] are the functions of either
//! kind. [`Owned`] is a consumer whose argument can be kept. A codec that [`Writes`] can send, one that
//! [`Reads`] can decode.
//!
//! ```standalone_crate
//! use fastkafka_tester::{Consumer, Consumes, Owned, Register, Tester, Writes};
//! use std::fmt::Debug;
//!
//! /// A record of this handler is handled once, also if the broker goes away meanwhile.
//! async fn outlasts_an_outage<C>(tester: &Tester, payload: C::Payload)
//! where
//!     C: Consumer + Register<Kind = Consumes>,
//!     C::Codec: Writes<C::Payload>,
//! {
//!     tester.mirror::<C>().send(payload).unsettled().await;
//!     tester.broker_down();
//!     tester.broker_up();
//!     tester.settle().await.unwrap();
//!     tester.spy::<C>().assert_called_once();
//! }
//!
//! fn last_argument<C>(tester: &Tester) -> Option<C::Args>
//! where
//!     C: Owned + Register<Kind = Consumes>,
//!     C::Args: Debug + PartialEq,
//! {
//!     tester.spy::<C>().calls().last().map(|call| call.args())
//! }
//! # use fastkafka::{App, consumes};
//! # #[consumes(topic = "numbers", auto_offset_reset = "earliest")]
//! # async fn on_numbers(_: u64) {}
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! # let tester = Tester::start(App::builder().title("Helped").build()).await.unwrap();
//! # outlasts_an_outage::<on_numbers>(&tester, 7).await;
//! # assert_eq!(last_argument::<on_numbers>(&tester), Some(7));
//! # }
//! ```
//!
//! # Inside
//!
//! Each layer uses those below it, and no file needs another one back.
//!
//! ```text
//! exploring/               a fault at every step
//! functions/               a function of an app: mirror, spy, mock       chaos/   random faults
//! observed/                assertions on calls and records               cluster/ one cluster, its faults
//! tester/                  start, settle, processes, end
//! memory/                  clusters of fastkafka-sim                     remote/  real and embedded brokers
//! watching/                calls, outputs, mocks, failures; the journal of all topics
//! schedule/                the steps of an exploration: which task goes on, what goes wrong
//! apps, topology           functions, groups and clusters of the apps under test
//! function, record, subscription, time/, lines
//! ```
//!
//! The app under test is the production code. Three things are put in its place: a
//! `Platform` makes consumers and producers on the clusters in memory, an `Interceptor` records each call
//! and runs mocks, and `blocking` handlers get threads of their own so that virtual time can stand still.
#![forbid(unsafe_code)]

mod apps;
mod chaos;
mod cluster;
mod exploring;
mod function;
mod functions;
mod lines;
mod lock;
mod memory;
mod observed;
mod record;
mod remote;
mod schedule;
mod subscription;
mod tester;
#[cfg(test)]
mod tests;
mod time;
mod topology;
mod unsettled;
mod watching;

pub use chaos::Chaos;
pub use cluster::Cluster;
pub use exploring::{Exploration, Explored};
/// The traits over which helpers of tests are generic.
pub use fastkafka_core::{Consumer, Consumes, Owned, Producer, Produces, Reads, Register, Writes};
pub use function::Function;
pub use functions::kind::{Kind, Mocked};
pub use functions::mirror::Mirror;
pub use functions::mock::{MockGuard, MockHandler};
pub use functions::producer_spy::{Output, ProducerCalls, ProducerSpy};
pub use functions::received::{Arrivals, Received};
pub use functions::sending::{Delivered, Sending};
pub use functions::spy::{Call, HandlerCalls, Spy};
pub use memory::faults::ProduceFault;
pub use observed::{Awaited, Comparable, Observed, Source, Typed};
pub use record::TopicRecord;
pub use schedule::choice::Deviation;
pub use tester::Tester;
pub use tester::builder::{IntoApps, TesterBuilder};
pub use unsettled::Unsettled;
pub use watching::calls::CallOutcome;
