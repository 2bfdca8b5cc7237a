//! Apps on the cluster in memory, without anything typed.

mod panicking_client;

use crate::memory::cluster::MemoryCluster;
use crate::record::NewRecord;
use crate::{ProduceFault, Tester};
use fastkafka::control::Seek;
use fastkafka::{App, EventMetadata, Failure, ProduceError, State, Topic, consumes, produces};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The app under test.
struct Squares;

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(i32, i64, u64)>>>);

impl Seen {
    fn numbers(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(.., n)| *n).collect()
    }
}

#[produces(app = Squares, topic = "squares")]
async fn to_squares(n: u64) -> Result<u64, ProduceError> {
    Ok(n)
}

#[consumes(app = Squares, topic = "numbers", auto_offset_reset = "earliest", backoff = Duration::from_secs(600), backoff_max = Duration::from_secs(600), attempts = 3, dead_letter = "numbers.dead")]
async fn on_numbers(n: u64, meta: EventMetadata, seen: State<Seen>) -> Result<(), Failure> {
    seen.0
        .0
        .lock()
        .unwrap()
        .push((meta.partition(), meta.offset(), n));
    if n == 13 {
        return Err(Failure::retry("unlucky"));
    }
    to_squares(n * n).await?;
    Ok(())
}

fn app(seen: &Seen) -> App {
    App::scoped::<Squares>()
        .title("squares")
        .topic("numbers", Topic::new().partitions(3))
        .state(seen.clone())
        .build()
}

fn number(n: u64) -> NewRecord {
    NewRecord {
        topic: "numbers".to_owned(),
        key: Some(n.to_string().into()),
        payload: Some(n.to_string().into()),
        ..NewRecord::default()
    }
}

async fn send(tester: &Tester, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        tester.deliver(number(n)).await.unwrap();
    }
}

fn memory(tester: &Tester) -> &MemoryCluster {
    tester.memory().named("")
}

fn squares(tester: &Tester) -> Vec<String> {
    let records = memory(tester).journal.records("", "squares");
    let payload = |record: &Arc<crate::TopicRecord>| {
        String::from_utf8(record.payload.clone().unwrap().to_vec()).unwrap()
    };
    records.iter().map(payload).collect()
}

#[tokio::test(start_paused = true)]
async fn a_record_goes_through_the_app() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    let before = tokio::time::Instant::now();
    send(&tester, 1..=4).await;
    tester.settle().await.unwrap();
    let mut squares = squares(&tester);
    squares.sort();
    assert_eq!(squares, ["1", "16", "4", "9"]);
    assert_eq!(seen.numbers().len(), 4);
    assert_eq!(before.elapsed(), Duration::ZERO, "no time has passed");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_ten_minutes_is_waited_for_in_virtual_time() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    let before = tokio::time::Instant::now();
    send(&tester, [13]).await;
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers(), [13, 13, 13]);
    assert!(
        before.elapsed() >= Duration::from_secs(900),
        "{:?}",
        before.elapsed()
    );
    assert_eq!(memory(&tester).journal.records("", "numbers.dead").len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_output_makes_its_record_run_again() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    memory(&tester).fail_next("squares", ProduceFault::Lost);
    send(&tester, [2]).await;
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers(), [2, 2]);
    assert_eq!(squares(&tester), ["4"]);
    memory(&tester).fail_next("squares", ProduceFault::Unacknowledged);
    send(&tester, [3]).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester), ["4", "9", "9"]);
    tester.stop().await;
}

#[tokio::test]
async fn it_runs_in_real_time_too() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    send(&tester, 1..=4).await;
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers().len(), 4);
    tester.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn it_runs_on_several_threads_too() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    send(&tester, 20..120).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester).len(), 100);
    tester.stop().await;
}

async fn start_with(seen: &Seen) -> Tester {
    let seen = seen.clone();
    Tester::start_with(move || app(&seen)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_rebalance_takes_everything_away_and_gives_it_back() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    send(&tester, 1..=12).await;
    tester.rebalance().await.unwrap();
    send(&tester, 20..32).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester).len(), 24, "nothing is lost or repeated");
    assert_eq!(tester.lag("squares", "numbers"), 0);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_member_takes_its_share_and_gives_it_back() {
    let seen = Seen::default();
    let tester = start_with(&seen).await;
    send(&tester, 1..=12).await;
    tester.add_member().await.unwrap();
    assert_eq!(tester.members("squares"), 2);
    send(&tester, 20..32).await;
    tester.settle().await.unwrap();
    tester.remove_member().await.unwrap();
    assert_eq!(tester.members("squares"), 1);
    send(&tester, 40..52).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester).len(), 36, "nothing is lost or repeated");
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_crash_what_was_not_committed_is_handled_again() {
    let seen = Seen::default();
    let tester = start_with(&seen).await;
    send(&tester, [1]).await;
    tester.settle().await.unwrap();
    tester.lose_commits();
    send(&tester, [2]).await;
    tester.settle().await.unwrap();
    tester.restore_commits();
    tester.crash_and_restart().await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers(), [1, 2, 2]);
    assert_eq!(tester.members("squares"), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_while_the_broker_is_down_arrives_when_it_is_back() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    tester.broker_down();
    let sent = tokio::spawn(async { to_squares(7).await });
    tester.advance(Duration::from_secs(30)).await;
    assert_eq!(squares(&tester).len(), 0);
    assert!(tester.deliver(number(5)).await.is_err());
    tester.broker_up();
    sent.await.unwrap().unwrap();
    assert_eq!(squares(&tester), ["7"]);
    send(&tester, [5]).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester), ["7", "25"]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_too_long_for_the_broker_fails() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    tester.broker_down();
    let sent = tokio::spawn(async { to_squares(7).await });
    tester.advance(Duration::from_secs(61)).await;
    let error = sent.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
    tester.broker_up();
    tester.settle().await.unwrap();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_damaged_record_ends_in_the_dead_letters() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    tester.corrupt_next("numbers");
    send(&tester, [5, 6]).await;
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers(), [6]);
    assert_eq!(tester.records("numbers.dead").len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn new_partitions_are_read() {
    let seen = Seen::default();
    let tester = Tester::start(app(&seen)).await.unwrap();
    tester.grow_topic("numbers", 5);
    send(&tester, 20..60).await;
    tester.settle().await.unwrap();
    assert_eq!(squares(&tester).len(), 40);
    assert_eq!(tester.committed("squares", "numbers").len(), 5);
    tester.stop().await;
}

struct Late;

#[consumes(app = Late, topic = "numbers")]
async fn on_late(_: u64) {}

#[tokio::test(start_paused = true)]
async fn records_from_before_the_start_are_skipped_but_not_those_of_a_new_partition() {
    let app = App::scoped::<Late>().title("late").build();
    let tester = Tester::start(app).await.unwrap();
    {
        // The group has not heard of the partition when its first record comes.
        let mut state = memory(&tester).state();
        state.sim.create_topic("numbers", 2);
    }
    let record = NewRecord {
        partition: Some(1),
        ..number(1)
    };
    tester.deliver(record).await.unwrap();
    tester.grow_topic("numbers", 3);
    tester.settle().await.unwrap();
    assert_eq!(tester.committed("late", "numbers")[&1], 1);
    assert_eq!(tester.lag("late", "numbers"), 0);
    tester.spy::<on_late>().assert_called_once();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn chaos_finds_nothing_in_an_app_that_may_repeat() {
    for seed in 0..20 {
        let seen = Seen::default();
        let tester = start_with(&seen).await;
        send(&tester, 20..220).await;
        tester.chaos(seed).await;
        let mut squares: Vec<u64> = squares(&tester)
            .iter()
            .map(|s| s.parse().unwrap())
            .collect();
        let all = squares.len();
        squares.sort_unstable();
        squares.dedup();
        assert_eq!(squares.len(), 200, "seed {seed}");
        eprintln!("seed {seed}: {} repeats", all - 200);
        tester.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_seek_back_handles_records_again_and_stays_after_a_crash() {
    let seen = Seen::default();
    let tester = start_with(&seen).await;
    let of = |n| NewRecord {
        partition: Some(0),
        ..number(n)
    };
    for n in 1..=3 {
        tester.deliver(of(n)).await.unwrap();
    }
    tester.settle().await.unwrap();
    let handle = tester.apps()[0].handle();
    handle.pause(("numbers", 0)).await.unwrap();
    handle.seek(("numbers", 0), Seek::Offset(1)).await.unwrap();
    assert_eq!(tester.committed("squares", "numbers")[&0], 1);
    tester.crash_and_restart().await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(seen.numbers(), [1, 2, 3, 2, 3]);
    tester.stop().await;
}

struct Cache;

#[consumes(app = Cache, topic = "numbers", group_id = None, auto_offset_reset = "earliest")]
async fn on_cached(n: u64, seen: State<Seen>) {
    seen.0.0.lock().unwrap().push((0, 0, n));
}

#[tokio::test(start_paused = true)]
async fn without_a_group_every_process_reads_everything_and_after_a_crash_anew() {
    let seen = Seen::default();
    let of_all = seen.clone();
    let cache = move || {
        App::scoped::<Cache>()
            .title("cache")
            .state(of_all.clone())
            .build()
    };
    let tester = Tester::start_with(cache).await.unwrap();
    tester.add_member().await.unwrap();
    send(&tester, [1, 2]).await;
    tester.settle().await.unwrap();
    let sorted = || {
        let mut numbers = seen.numbers();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(sorted(), [1, 1, 2, 2]);
    tester.crash_and_restart().await.unwrap();
    tester.settle().await.unwrap();
    assert_eq!(sorted(), [1, 1, 1, 2, 2, 2]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_group_it_does_not_matter_whether_commits_arrive() {
    let cache = || {
        App::scoped::<Cache>()
            .title("cache")
            .state(Seen::default())
            .build()
    };
    let tester = Tester::start_with(cache).await.unwrap();
    tester.lose_commits();
    tester.add_member().await.unwrap();
    tester.crash_and_restart().await.unwrap();
    send(&tester, [1, 2]).await;
    tester.settle().await.unwrap();
    tester.stop().await;
}
