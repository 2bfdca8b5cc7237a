//! The framework allocates per run, not per record: measured on a whole app, from the fetch to the
//! delivery report. librdkafka's own memory is C's and is not counted.
//!
//! Every allocation of a process is counted, so the test starts itself again as a process of its own.

use fastkafka::{App, ProduceError, Topic, consumes, delivery_scope, produces};
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use tokio::sync::Notify;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// Bytes that are allocated now.
static BYTES: AtomicI64 = AtomicI64::new(0);

/// The bytes that the process has allocated.
pub(crate) fn bytes() -> i64 {
    BYTES.load(Relaxed)
}

fn grown(by: usize, from: usize) {
    BYTES.fetch_add(by.cast_signed() as i64 - from.cast_signed() as i64, Relaxed);
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        grown(layout.size(), 0);
        // SAFETY: the caller's contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        grown(0, layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        grown(size, layout.size());
        // SAFETY: the caller's contract.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

// All tests of the executable allocate by it; only the process of this one reads the count.
#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RECORDS: u64 = 120_000;
/// What comes before is the start: buffers grow, lanes are made.
const STEADY: u64 = 20_000;
/// By the framework, per record: six for each run, and some for each turn of a driver. On a loaded machine runs
/// are shorter and turns more (0.015 to 0.021 were seen); one for each record would be 1.
const MOST: f64 = 0.05;

static HANDLED: AtomicU64 = AtomicU64::new(0);
static AT_STEADY: AtomicU64 = AtomicU64::new(0);
static AT_END: AtomicU64 = AtomicU64::new(0);
static DONE: Notify = Notify::const_new();

struct Service;
struct Source;

// A number decodes and encodes without an allocation, so all that is counted is ours.
#[consumes(app = Service, topic = "numbers", auto_offset_reset = "earliest")]
async fn on_numbers(number: u64) -> Result<(), ProduceError> {
    to_squares(number).await?;
    match HANDLED.fetch_add(1, Relaxed) + 1 {
        STEADY => AT_STEADY.store(ALLOCATIONS.load(Relaxed), Relaxed),
        RECORDS => {
            AT_END.store(ALLOCATIONS.load(Relaxed), Relaxed);
            DONE.notify_one();
        }
        _ => {}
    }
    Ok(())
}

#[produces(app = Service, topic = "squares")]
async fn to_squares(number: u64) -> Result<u64, ProduceError> {
    Ok(number.wrapping_mul(number))
}

#[produces(app = Source, topic = "numbers")]
async fn to_numbers(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// Set in the process that measures.
const ALONE: &str = "FASTKAFKA_TEST_ALLOCATIONS";

#[test]
fn the_framework_allocates_per_run_and_not_per_record() {
    let name = "allocations::the_framework_allocates_per_run_and_not_per_record";
    if let Some(printed) = alone(name, measure()) {
        assert!(printed.contains("allocations per record"), "{printed}");
        println!("{printed}");
    }
}

/// Measures in a process of its own, started for the test of this name. What it printed; in it, `None`.
pub(crate) fn alone(name: &str, measure: impl Future<Output = ()>) -> Option<String> {
    if std::env::var_os(ALONE).is_some() {
        tokio::runtime::Runtime::new().unwrap().block_on(measure);
        return None;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    Some(printed.into_owned())
}

async fn measure() {
    // The source makes the broker and fills it first, so that the service only catches up.
    let source = App::scoped::<Source>()
        .topic("numbers", Topic::new().partitions(4))
        .topic("squares", Topic::new())
        .build();
    source.start().await.unwrap();
    let service = App::scoped::<Service>().title("Squares").build();
    service
        .set_kafka_broker(&source.bootstrap().unwrap())
        .unwrap();
    delivery_scope(async {
        for number in 0..RECORDS {
            to_numbers(number).await?;
        }
        Ok::<_, ProduceError>(())
    })
    .await
    .unwrap();

    service.start().await.unwrap();
    DONE.notified().await;
    service.stop().await.unwrap();
    source.stop().await.unwrap();

    let allocations = AT_END.load(Relaxed) - AT_STEADY.load(Relaxed);
    #[expect(clippy::cast_precision_loss, reason = "both are small")]
    let per_record = allocations as f64 / (RECORDS - STEADY) as f64;
    assert!(per_record <= MOST, "{per_record} allocations per record");
    println!("{per_record} allocations per record");
}
