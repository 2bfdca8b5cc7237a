//! A client that panics, which ends its app and hangs nobody.

use crate::memory::clusters::MemoryClusters;
use crate::memory::producers::{Clients, MemoryProducers};
use crate::topology::Topology;
use crate::watching::journal::Journal;
use fastkafka::control::Seek;
use fastkafka::{App, consumes};
use fastkafka_core::{Fetched, OffsetReset, Plan};
use fastkafka_runtime::platform::{
    ClientError, ConsumerHandle, GroupConsumer, NewConsumer, Notice, PartitionRef, Platform,
    Producers,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::Notify;

struct Unlucky;

#[consumes(app = Unlucky, topic = "any")]
fn on_any(_: u64) {}

#[derive(Debug)]
struct Panics;

impl GroupConsumer for Panics {
    fn poll(&mut self, _: &mut Vec<Notice>) {
        panic!("a bug of the client");
    }
    fn fetch(&mut self, _: usize, _: &mut Vec<(PartitionRef, Arc<dyn Fetched>)>) -> bool {
        false
    }
    fn resolve(&mut self, _: Vec<(PartitionRef, OffsetReset)>, _: Duration) {}
    fn add(&mut self, _: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        Ok(())
    }
    fn assign(&mut self, _: &[(PartitionRef, i64)]) -> Result<(), ClientError> {
        Ok(())
    }
    fn unassign(&mut self, _: &[PartitionRef]) -> Result<(), ClientError> {
        Ok(())
    }
    fn lost(&self) -> bool {
        false
    }
    fn store(&mut self, _: &[(PartitionRef, i64)]) -> Vec<(PartitionRef, String)> {
        Vec::new()
    }
    fn find(&mut self, _: PartitionRef, _: Seek) {}
    fn commit(&mut self, _: PartitionRef, _: i64) {}
    fn seek(&mut self, _: PartitionRef, _: i64) -> Result<(), ClientError> {
        Ok(())
    }
    fn pause(&mut self, _: PartitionRef, _: bool) -> Result<(), ClientError> {
        Ok(())
    }
    fn unsubscribe(&mut self) {}
    fn close(&mut self, _: Duration) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }
}

impl Platform for Panics {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Producers>, String> {
        Ok(MemoryProducers::new(
            MemoryClusters::new(&Topology::new(&[], BTreeMap::new()), &Journal::default()),
            &plan.outputs,
            Clients::new(plan),
            most,
        ))
    }
    fn serve(&self, wanted: NewConsumer) -> Result<ConsumerHandle, String> {
        Ok(wanted.serve_in_task(Self, Arc::new(Notify::new()), || ()))
    }
}

/// As a consumer's thread does in production. [L7]
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_task_that_serves_a_consumer_ends_the_app() {
    let app = App::scoped::<Unlucky>().title("unlucky").build();
    let error = app.parts().start_on(Arc::new(Panics)).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the consumer of group `unlucky` panicked"),
        "{error}"
    );
}
