//! Mistakes that an app can make, and the fault that shows each of them.
//!
//! Each file is one mistake: a handler that makes it, a handler that does not, and a scenario that the
//! first fails and the second passes. What the scenarios share out to processes that come and go, such
//! as a database, is state of the test that every process is given.

mod added_twice;
mod broker_away;
mod buffered;
mod decode_panics;
mod forgotten_output;
mod no_time_limit;
mod no_way_out;
mod numbers_without_gaps;
mod order_of_arrival;
mod so_many_partitions;
mod state_in_the_process;

use crate::Tester;
use fastkafka_core::{Consumer, Consumes, Json};

/// A handler of JSON, whichever: a scenario is told which one it sends to.
trait Handler<T>: Consumer<Payload = T, Codec = Json, Kind = Consumes> {}

impl<T, C: Consumer<Payload = T, Codec = Json, Kind = Consumes>> Handler<T> for C {}

/// A crash before the commit of what was handled last: it is handled again.
async fn crash_before_the_commit(tester: &Tester, what: impl AsyncFnOnce(&Tester)) {
    tester.lose_commits();
    what(tester).await;
    tester.restore_commits();
    tester.crash_and_restart().await.unwrap();
    tester.settle().await.unwrap();
}
