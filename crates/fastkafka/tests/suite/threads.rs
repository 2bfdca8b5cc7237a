//! The threads of a process: none is left by a stop, and where the system has none the start says so.
//!
//! Threads belong to a process, so each test starts itself again as one of its own.

use fastkafka::{App, ProduceError, consumes, produces, run_in_background};
use std::future::pending;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// Set in that process.
const ALONE: &str = "FASTKAFKA_TEST_THREADS";

/// True in the process of its own. In the other it has succeeded when this returns.
fn is_alone(test: &str, variables: &[(&str, &str)]) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let name = format!("threads::{test}");
    let output = Command::new(std::env::current_exe().unwrap())
        // On the main thread.
        .args([&name, "--exact", "--nocapture", "--test-threads=1"])
        .env(ALONE, "")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    assert!(printed.contains("1 passed"), "{printed}");
    false
}

struct Shop;

#[consumes(app = Shop, topic = "orders", auto_offset_reset = "earliest", dead_letter = "orders.dead")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_bills(order).await.map(drop)
}

#[produces(app = Shop, topic = "bills")]
async fn to_bills(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

/// The names of the process's threads, those of tokio left out: it keeps some for later.
#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        let name = std::fs::read_to_string(task.unwrap().path().join("comm"));
        // One may end meanwhile.
        name.unwrap_or_default().trim().to_owned()
    };
    let mut names: Vec<_> = tasks.map(name).collect();
    names.retain(|name| !name.is_empty() && !name.starts_with("tokio-rt"));
    names.sort();
    names
}

#[cfg(target_os = "linux")]
#[test]
fn a_stop_leaves_no_client_and_no_thread_while_the_app_is_still_held() {
    if !is_alone(
        "a_stop_leaves_no_client_and_no_thread_while_the_app_is_still_held",
        &[],
    ) {
        return;
    }
    let before = threads();
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let app = App::scoped::<Shop>().title("Shop").build();
    tokio.block_on(async {
        app.start().await.unwrap();
        to_bills(1).await.unwrap();
        let now = threads();
        assert!(now.iter().any(|name| name == "delivery-report"), "{now:?}");
        assert!(now.iter().any(|name| name.starts_with("rdk:")), "{now:?}");
        app.stop().await.unwrap();
    });
    // The last ones have let go of their clients, and need a moment to end.
    let deadline = Instant::now() + PATIENCE;
    while threads() != before {
        assert!(Instant::now() < deadline, "left: {:?}", threads());
        std::thread::park_timeout(Duration::from_millis(5));
    }
    // The same for who has entered it.
    let _entered = app.enter();
    let refused = tokio.block_on(to_bills(2)).unwrap_err();
    assert!(matches!(refused, ProduceError::NoApp { .. }), "{refused}");
    drop(app);
}

/// No stack is so large: no thread of ours can be started. Tokio's have a stack of their own.
const NO_THREADS: (&str, &str) = ("RUST_MIN_STACK", "1000000000000000");

#[test]
fn an_app_does_not_start_where_the_system_has_no_thread_for_it_and_says_so() {
    let name = "an_app_does_not_start_where_the_system_has_no_thread_for_it_and_says_so";
    if !is_alone(name, &[NO_THREADS]) {
        return;
    }
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.enable_all().thread_stack_size(1 << 20).build();
    let app = App::scoped::<Shop>().title("Shop").build();
    let error = tokio
        .unwrap()
        .block_on(app.start())
        .unwrap_err()
        .to_string();
    // Of the first that is needed.
    let expected = "no thread can be started for ";
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("refuses"), "{error}");
}

struct Idle;

#[run_in_background(app = Idle)]
async fn idle() {
    pending::<()>().await;
}

#[test]
fn who_waits_is_told_where_the_system_has_no_thread_for_an_end_whose_tokio_runtime_is_gone() {
    let name =
        "who_waits_is_told_where_the_system_has_no_thread_for_an_end_whose_tokio_runtime_is_gone";
    if !is_alone(name, &[NO_THREADS]) {
        return;
    }
    let runtime = || {
        let mut tokio = tokio::runtime::Builder::new_multi_thread();
        let tokio = tokio.enable_all().thread_stack_size(1 << 20);
        tokio.build().unwrap()
    };
    // No client has a thread yet.
    let (in_hook, reached) = std::sync::mpsc::channel();
    let app = App::scoped::<Idle>().on_start(move |_| {
        in_hook.send(()).unwrap();
        pending::<()>()
    });
    let app = app.build();
    let first = runtime();
    let starting = app.clone();
    first.spawn(async move { starting.start().await });
    reached.recv().unwrap();
    drop(first);
    let ended = runtime().block_on(async { timeout(PATIENCE, app.ended()).await });
    let error = ended.unwrap().unwrap_err().to_string();
    assert!(error.contains("for there is no thread: "), "{error}");
}

/// Its outputs wait for half a second.
struct Slow;

#[consumes(app = Slow, topic = "slow", group_id = "slow", auto_offset_reset = "earliest")]
async fn on_slow(number: u64) -> Result<(), ProduceError> {
    to_slow_bills(number).await.map(drop)
}

#[produces(app = Slow, topic = "slow")]
async fn to_slow(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

#[produces(app = Slow, topic = "slow.bills", linger_ms = 500)]
async fn to_slow_bills(number: u64) -> Result<u64, ProduceError> {
    Ok(number)
}

/// The consumer has a thread that is joined, and an output is on its way.
#[test]
fn an_app_stops_while_others_have_all_threads_for_what_blocks() {
    let mut tokio = tokio::runtime::Builder::new_multi_thread();
    let tokio = tokio.enable_all().max_blocking_threads(1).build().unwrap();
    let app = App::scoped::<Slow>().build();
    tokio.block_on(app.start()).unwrap();
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let other = tokio.spawn_blocking(move || wait.recv());
    let stopped = tokio.block_on(async {
        to_slow(1).await.unwrap();
        let mut sending = pin!(to_slow_bills(1));
        let sent = sending
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(sent.is_pending());
        let stopped = timeout(PATIENCE, app.stop()).await;
        sending.await.unwrap();
        stopped
    });
    drop(end);
    stopped.unwrap().unwrap();
    tokio.block_on(other).unwrap().unwrap_err();
}
