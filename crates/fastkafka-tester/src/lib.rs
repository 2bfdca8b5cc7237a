//! Runs a FastKafka app in a unit test: the production runtime on clusters in memory.
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
//!     tester.to_numbers(7).await;                            // returns when all is settled
//!     tester.on_squares().assert_called_once_with(&49);      // what the producer has sent
//!     tester.spy::<on_numbers>().assert_called_once();       // what was called
//!     tester.mock::<on_numbers>().expect_call().returning(|_| Ok(()));
//! }
//! # tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(a_number_is_squared());
//! ```
//!
//! [`Tester`] starts the apps and is the way to everything else: [`Mirror`] and [`Sending`] for what
//! goes in, [`Received`] for what comes out, [`Spy`] and [`ProducerSpy`] for what was called,
//! [`MockGuard`] for what stands in for a function. [`Observed`] has the assertions. The guide's
//! chapter on testing walks through all of it.
//!
//! A helper of several tests is generic over annotated functions: [`Consumer`] and [`Producer`] are
//! those of either kind, [`Owned`] a consumer whose calls have values, [`Writes`] and [`Reads`] what a
//! codec has to be able to do.
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
#![forbid(unsafe_code)]

mod apps;
mod chaos;
mod cluster;
mod function;
mod functions;
mod lines;
mod lock;
mod memory;
mod observed;
mod record;
mod remote;
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
pub use tester::Tester;
pub use tester::builder::{IntoApps, TesterBuilder};
pub use unsettled::Unsettled;
pub use watching::calls::CallOutcome;
