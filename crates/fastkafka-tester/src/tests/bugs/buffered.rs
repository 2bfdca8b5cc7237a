//! A handler that returns before its work is done: it collects three lines and writes them at once.

use crate::Tester;
use crate::tests::bugs::Handler;
use fastkafka::{Ack, App, State, consumes};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Stands for a file. A line that is there already is not written again.
#[derive(Clone, Default)]
struct File(Arc<Mutex<BTreeSet<u64>>>);

/// The lines that are not written yet, each with what it takes along.
struct Buffer<T>(Mutex<Vec<(u64, T)>>);

impl<T> Buffer<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// Writes as soon as there are three, and gives back what the lines took along.
    fn push(&self, line: u64, along: T, file: &File) -> Vec<T> {
        let mut buffer = self.0.lock().unwrap();
        buffer.push((line, along));
        if buffer.len() < 3 {
            return Vec::new();
        }
        let lines = buffer.drain(..);
        let (lines, along): (Vec<_>, Vec<_>) = lines.unzip();
        file.0.lock().unwrap().extend(lines);
        along
    }
}

struct Careless;

#[consumes(app = Careless, topic = "lines", auto_offset_reset = "earliest")]
async fn collects(line: u64, State(file): State<File>, State(buffer): State<Arc<Buffer<()>>>) {
    buffer.push(line, (), &file);
}

struct Careful;

/// Each line takes along the right to settle its record.
#[consumes(
    app = Careful,
    topic = "lines",
    auto_offset_reset = "earliest",
    enable_auto_commit = false
)]
async fn settles_later(
    line: u64,
    ack: Ack,
    State(file): State<File>,
    State(buffer): State<Arc<Buffer<Ack>>>,
) {
    for ack in buffer.push(line, ack, &file) {
        // If a partition is gone, the member that has it now writes the line again.
        let _ = ack.ack();
    }
}

async fn a_crash_with_two_lines_in_hand<H: Handler<u64>>(app: impl Fn(File) -> App + 'static) {
    let file = File::default();
    let written = file.clone();
    let tester = Tester::start_with(move || app(written.clone()))
        .await
        .unwrap();
    for line in 1..=5 {
        tester.mirror::<H>().send(line).unsettled().await;
    }
    tester.advance(Duration::from_secs(1)).await;
    tester.crash_and_restart().await.unwrap();
    tester.mirror::<H>().send(6).await;
    let written = Vec::from_iter(file.0.lock().unwrap().clone());
    assert_eq!(written, [1, 2, 3, 4, 5, 6], "the file");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the file\n  left: [1, 2, 3]\n right: [1, 2, 3, 4, 5, 6]")]
async fn a_crash_shows_it() {
    a_crash_with_two_lines_in_hand::<collects>(|file| {
        let app = App::scoped::<Careless>().title("Log").state(file);
        app.state(Buffer::<()>::new()).build()
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn records_that_are_settled_when_their_work_is_done_pass() {
    a_crash_with_two_lines_in_hand::<settles_later>(|file| {
        let app = App::scoped::<Careful>().title("Log").state(file);
        app.state(Buffer::<Ack>::new()).build()
    })
    .await;
}
