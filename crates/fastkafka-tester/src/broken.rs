//! A client that panics, which ends its app and hangs nobody.

use crate::clusters::Clusters;
use crate::layout::Layout;
use crate::outputs::MemoryOutputs;
use fastkafka::{App, Seek, consumes};
use fastkafka_core::{Fetched, OffsetReset, Plan};
use fastkafka_runtime::medium::{
    ClientError, Medium, Notice, Outputs, Place, Seat, Serving, Transport,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

struct Broken;

#[consumes(app = Broken, topic = "any")]
fn on_any(_: u64) {}

#[derive(Debug)]
struct Panics;

impl Transport for Panics {
    fn poll(&mut self, _: &mut Vec<Notice>) {
        panic!("a bug of the client");
    }
    fn fetch(&mut self, _: usize, _: &mut Vec<(Place, Arc<dyn Fetched>)>) -> bool {
        false
    }
    fn resolve(&mut self, _: Vec<(Place, OffsetReset)>) {}
    fn assign(&mut self, _: &[(Place, i64)]) -> Result<(), ClientError> {
        Ok(())
    }
    fn unassign(&mut self, _: &[Place]) -> Result<(), ClientError> {
        Ok(())
    }
    fn lost(&self) -> bool {
        false
    }
    fn store(&mut self, _: &[(Place, i64)]) -> Vec<(Place, String)> {
        Vec::new()
    }
    fn find(&mut self, _: Place, _: Seek) {}
    fn commit(&mut self, _: Place, _: i64) {}
    fn seek(&mut self, _: Place, _: i64) -> Result<(), ClientError> {
        Ok(())
    }
    fn pause(&mut self, _: Place, _: bool) -> Result<(), ClientError> {
        Ok(())
    }
    fn unsubscribe(&mut self) {}
    fn close(&mut self) -> bool {
        true
    }
}

impl Medium for Panics {
    fn outputs(&self, plan: &Plan, most: usize) -> Result<Arc<dyn Outputs>, String> {
        Ok(MemoryOutputs::new(
            Clusters::of(&Layout::of(&[], BTreeMap::new())),
            &plan.outputs,
            most,
        ))
    }
    fn serve(&self, seat: Seat) -> Result<Serving, String> {
        Ok(seat.serve_in_task(Self, Arc::new(Notify::new()), || ()))
    }
}

/// As a consumer's thread does in production. [L7]
#[tokio::test(start_paused = true)]
async fn a_panic_of_the_task_that_serves_a_consumer_ends_the_app() {
    let app = App::scoped::<Broken>().title("broken").build();
    let error = app.start_on(Arc::new(Panics)).await.unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("the consumer of group `broken` panicked"),
        "{error}"
    );
}
