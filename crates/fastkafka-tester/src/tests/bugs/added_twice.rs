//! A handler whose effect is not safe to repeat: a payment is added once more each time its record
//! is handled.

use crate::tests::bugs::{Handler, crash_before_the_commit};
use crate::{ProduceFault, Tester};
use fastkafka::{App, EventMetadata, ProduceError, State, consumes, produces};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Partition and offset of a record, and a number for what has no record.
type PartitionRef = (i32, i64, usize);

/// Stands for a table of payments in a database.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<BTreeMap<PartitionRef, u64>>>);

impl Ledger {
    fn balance(&self) -> u64 {
        self.0.lock().unwrap().values().sum()
    }

    fn add(&self, cents: u64) {
        let mut payments = self.0.lock().unwrap();
        let number = payments.len();
        payments.insert((0, 0, number), cents);
    }

    /// The same record again changes nothing.
    fn put(&self, record: &EventMetadata, cents: u64) {
        let mut payments = self.0.lock().unwrap();
        payments.insert((record.partition(), record.offset(), 0), cents);
    }
}

struct Careless;

#[consumes(app = Careless, topic = "payments", auto_offset_reset = "earliest")]
async fn add(cents: u64, State(ledger): State<Ledger>) -> Result<(), ProduceError> {
    ledger.add(cents);
    to_receipts(cents).await?;
    Ok(())
}

#[produces(app = Careless, topic = "receipts")]
async fn to_receipts(cents: u64) -> Result<u64, ProduceError> {
    Ok(cents)
}

struct Careful;

#[consumes(app = Careful, topic = "payments", auto_offset_reset = "earliest")]
async fn put(
    cents: u64,
    record: EventMetadata,
    State(ledger): State<Ledger>,
) -> Result<(), ProduceError> {
    ledger.put(&record, cents);
    to_slips(cents).await?;
    Ok(())
}

#[produces(app = Careful, topic = "receipts")]
async fn to_slips(cents: u64) -> Result<u64, ProduceError> {
    Ok(cents)
}

/// A ledger, and an app that keeps it.
async fn start<A: 'static>() -> (Ledger, Tester) {
    let ledger = Ledger::default();
    let kept = ledger.clone();
    let app = move || App::scoped::<A>().title("Bank").state(kept.clone()).build();
    (ledger, Tester::start_with(app).await.unwrap())
}

async fn a_crash_before_the_commit<A: 'static, H: Handler<u64>>() {
    let (ledger, tester) = start::<A>().await;
    crash_before_the_commit(&tester, async |tester| {
        tester.mirror::<H>().send(10).await;
    })
    .await;
    assert_eq!(ledger.balance(), 10, "the balance");
    tester.stop().await;
}

async fn a_receipt_that_is_not_acknowledged<A: 'static, H: Handler<u64>>() {
    let (ledger, tester) = start::<A>().await;
    tester.fail_next_produce("receipts", ProduceFault::Unacknowledged);
    tester.mirror::<H>().send(10).await;
    assert_eq!(ledger.balance(), 10, "the balance");
    // It was written all the same, and is written again.
    assert_eq!(tester.records("receipts").len(), 2);
    tester.stop().await;
}

async fn a_rebalance_after_a_lost_commit<A: 'static, H: Handler<u64>>() {
    let (ledger, tester) = start::<A>().await;
    tester.lose_commits();
    tester.mirror::<H>().send(10).await;
    tester.rebalance().await.unwrap();
    tester.restore_commits();
    tester.settle().await.unwrap();
    assert_eq!(ledger.balance(), 10, "the balance");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the balance\n  left: 20\n right: 10")]
async fn a_crash_shows_it() {
    a_crash_before_the_commit::<Careless, add>().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the balance\n  left: 20\n right: 10")]
async fn an_output_without_acknowledgement_shows_it() {
    a_receipt_that_is_not_acknowledged::<Careless, add>().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the balance\n  left: 20\n right: 10")]
async fn a_lost_commit_shows_it() {
    a_rebalance_after_a_lost_commit::<Careless, add>().await;
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_is_safe_to_repeat_passes() {
    a_crash_before_the_commit::<Careful, put>().await;
    a_receipt_that_is_not_acknowledged::<Careful, put>().await;
    a_rebalance_after_a_lost_commit::<Careful, put>().await;
}
