//! When an app is stopped while it starts, before it does, and more than once.

use fastkafka::app::AppBuilder;
use fastkafka::error::RunError;
use fastkafka::{App, Broker, ProduceError, State, consumes, produces};
use fastkafka_tester::Tester;
use std::cell::Cell;
use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Pool(&'static str);

/// Records in hand: each is told of, and ends with a permit.
#[derive(Clone)]
struct HandlerState {
    in_hand: Arc<Notify>,
    may_end: Arc<Semaphore>,
}

impl HandlerState {
    fn new() -> Self {
        Self {
            in_hand: Arc::new(Notify::new()),
            may_end: Arc::new(Semaphore::new(0)),
        }
    }

    async fn keep(&self) {
        self.in_hand.notify_one();
        self.may_end.acquire().await.unwrap().forget();
    }
}

/// Joins two groups. That of the returns has to wait for [`Elsewhere`].
struct Shop;

#[consumes(app = Shop, topic = "orders", group_id = "orders", auto_offset_reset = "earliest")]
async fn on_orders(
    order: u64,
    State(pool): State<Pool>,
    State(state): State<HandlerState>,
    State(log): State<Log>,
) {
    state.keep().await;
    log.add(format!("{order} into {}", pool.0));
}

#[consumes(
    app = Shop,
    topic = "returns",
    group_id = "returns",
    auto_offset_reset = "earliest",
    partition_assignment_strategy = "range",
    session_timeout_ms = 30_000
)]
async fn on_returns(_id: u64) {}

/// Has the partition of the returns, and gives it back when its record is done.
struct Elsewhere;

#[consumes(
    app = Elsewhere,
    topic = "returns",
    group_id = "returns",
    auto_offset_reset = "earliest",
    partition_assignment_strategy = "range",
    session_timeout_ms = 30_000
)]
async fn on_returns_elsewhere(_id: u64, State(state): State<HandlerState>) {
    state.keep().await;
}

#[produces(app = Elsewhere, topic = "returns")]
async fn to_returns(id: u64) -> Result<u64, ProduceError> {
    Ok(id)
}

#[produces(app = Elsewhere, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn with_pool<S: 'static>(builder: AppBuilder<S>, log: &Log) -> AppBuilder<S> {
    let (made, released) = (log.clone(), log.clone());
    builder.lifespan(
        move |_| {
            made.add("pool made");
            ready(Ok::<_, String>(Pool("postgres")))
        },
        move |_: Pool| {
            released.add("pool released");
            ready(())
        },
    )
}

fn shop(state: &HandlerState, log: &Log) -> AppBuilder<Shop> {
    let shop = App::scoped::<Shop>().title("Shop");
    with_pool(shop.state(state.clone()).state(log.clone()), log)
}

/// A shop whose start waits for ever, with its first order in hand. It begins with `add_member`.
struct Halfway {
    tester: Tester,
    shop: App,
    state: HandlerState,
    log: Log,
}

impl Halfway {
    async fn new() -> Self {
        let (state, log, elsewhere) = (HandlerState::new(), Log::default(), HandlerState::new());
        let shop = shop(&state, &log).build();
        let first = Cell::new(Some(
            App::scoped::<Elsewhere>().state(elsewhere.clone()).build(),
        ));
        let second = shop.clone();
        let make = move || first.take().unwrap_or_else(|| second.clone());
        let tester = Tester::builder().topic("orders", 1).in_memory_broker();
        let tester = tester.start_with(make).await.unwrap();
        to_returns(1).await.unwrap();
        elsewhere.in_hand.notified().await;
        to_orders(7).await.unwrap();
        Self {
            tester,
            shop,
            state,
            log,
        }
    }

    /// The order is in hand; it ends after some time.
    async fn order_in_hand(&self) {
        self.state.in_hand.notified().await;
        let state = self.state.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(1)).await;
            state.may_end.add_permits(1);
        });
    }

    fn committed(&self) -> Option<i64> {
        self.tester.committed("orders", "orders").get(&0).copied()
    }
}

const ORDERLY: [&str; 4] = ["pool made", "7 into postgres", "pool released", "stopped"];

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_start_finishes_what_is_in_hand_before_it_releases_state() {
    let halfway = Halfway::new().await;
    let (started, stopped) = tokio::join!(halfway.tester.add_member(), async {
        halfway.order_in_hand().await;
        let stopped = halfway.shop.stop().await;
        halfway.log.add("stopped");
        stopped
    });
    stopped.unwrap();
    assert!(matches!(started, Err(RunError::Stopped)), "{started:?}");
    assert_eq!(halfway.log.lines(), ORDERLY);
    assert_eq!(halfway.committed(), Some(1));
    assert!(!halfway.shop.is_started());
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_asked_to_stop_has_stopped_when_it_returns() {
    let halfway = Halfway::new().await;
    let shop = &halfway.shop;
    let (started, ()) = tokio::join!(
        async {
            let started = halfway.tester.add_member().await;
            halfway.log.add("stopped");
            started
        },
        async {
            halfway.order_in_hand().await;
            shop.shut_down();
            shop.started().await;
        }
    );
    assert!(matches!(started, Err(RunError::Stopped)), "{started:?}");
    assert_eq!(halfway.log.lines(), ORDERLY);
    assert_eq!(halfway.committed(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_dropped_is_given_up_and_left_to_the_stop() {
    let halfway = Halfway::new().await;
    tokio::select! {
        started = halfway.tester.add_member() => panic!("{started:?}"),
        () = halfway.order_in_hand() => {}
    }
    halfway.shop.started().await;
    halfway.shop.stopping().await;
    halfway.shop.stop().await.unwrap();
    halfway.log.add("stopped");
    assert_eq!(halfway.log.lines(), ORDERLY);
    assert_eq!(halfway.committed(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_dropped_is_gone_on_with_by_the_next() {
    let (state, log) = (HandlerState::new(), Log::default());
    let app = shop(&state, &log).build();
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start(app.clone()).await.unwrap();
    tester.mirror::<on_orders>().send(7).unsettled().await;
    state.in_hand.notified().await;
    let dropped = timeout(Duration::from_secs(1), app.stop()).await;
    dropped.unwrap_err();
    state.may_end.add_permits(1);
    app.stop().await.unwrap();
    log.add("stopped");
    assert_eq!(log.lines(), ORDERLY);
}

/// Waits in a hook, after the pool was made.
struct Waiting;

#[produces(app = Waiting, topic = "orders")]
async fn to_waiting(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

#[tokio::test]
async fn a_stop_gives_up_a_hook_of_the_start_that_takes_its_time() {
    let (log, in_hook) = (Log::default(), Arc::new(Notify::new()));
    let hook = in_hook.clone();
    let app = with_pool(App::scoped::<Waiting>(), &log)
        .on_start(move |_| {
            hook.notify_one();
            pending::<()>()
        })
        .build();
    let (ran, ()) = tokio::join!(app.run(), async {
        in_hook.notified().await;
        app.shut_down();
    });
    ran.unwrap();
    assert_eq!(log.lines(), ["pool made", "pool released"]);
}

#[tokio::test]
async fn an_app_that_is_stopped_before_its_start_never_starts() {
    let log = Log::default();
    let app = with_pool(App::scoped::<Waiting>(), &log).build();
    app.stop().await.unwrap();
    app.started().await;
    app.stopping().await;
    let error = app.start().await.unwrap_err();
    assert!(matches!(error, RunError::Stopped), "{error}");
    assert_eq!(
        error.to_string(),
        "the app was stopped before it was started"
    );
    app.run().await.unwrap();
    app.stop().await.unwrap();
    assert!(log.lines().is_empty());
}

#[tokio::test]
async fn a_signal_before_the_start_is_a_stop_that_went_well() {
    let app = App::scoped::<Waiting>().build();
    app.shut_down();
    app.run().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_who_stop_an_app_wait_for_its_one_stop_and_are_told_the_same() {
    let log = Log::default();
    let released = log.clone();
    let app = App::scoped::<Waiting>()
        .on_stop(move |_| {
            let log = released.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                log.add("released");
                Err("a page is dirty")
            }
        })
        .build();
    let tester = Tester::start(app.clone()).await.unwrap();
    let stop = async || {
        let error = app.stop().await.unwrap_err().to_string();
        log.add("told");
        error
    };
    let (first, second) = tokio::join!(stop(), stop());
    let third = stop().await;
    assert!(first.ends_with("failed: a page is dirty"), "{first}");
    assert_eq!([&second, &third], [&first, &first]);
    assert_eq!(log.lines(), ["released", "told", "told", "told"]);
    drop(tester);
}

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_while_one_group_waits_finishes_what_the_other_has_in_hand() {
    let elsewhere = HandlerState::new();
    let host = App::scoped::<Elsewhere>().state(elsewhere.clone()).build();
    host.start().await.unwrap();
    // Other tests have one of this scope meanwhile.
    let _entered = host.enter();
    to_returns(1).await.unwrap();
    timeout(PATIENCE, elsewhere.in_hand.notified())
        .await
        .unwrap();
    to_orders(7).await.unwrap();

    let (state, log) = (HandlerState::new(), Log::default());
    let shop = shop(&state, &log)
        .broker("host", Broker::new(host.bootstrap().unwrap()))
        .build();
    let running = tokio::spawn({
        let shop = shop.clone();
        async move { shop.run().await }
    });
    timeout(PATIENCE, state.in_hand.notified()).await.unwrap();
    assert!(!shop.is_started());
    shop.shut_down();
    state.may_end.add_permits(1);
    timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    assert_eq!(log.lines(), ORDERLY[..3]);

    elsewhere.may_end.add_permits(1);
    // The embedded broker takes no commit of a group that rebalances.
    let _ = host.stop().await;
}

struct Press;

#[consumes(app = Press, topic = "pages", auto_offset_reset = "earliest", session_timeout_ms = 1_000)]
async fn on_pages(_page: u64, State(state): State<HandlerState>) {
    state.in_hand.notify_one();
    // Three sessions.
    sleep(Duration::from_secs(3)).await;
}

#[produces(app = Press, topic = "pages")]
async fn to_pages(page: u64) -> Result<u64, ProduceError> {
    Ok(page)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_takes_longer_than_the_session_is_finished_and_committed_at_a_stop() {
    let state = HandlerState::new();
    let app = App::scoped::<Press>().state(state.clone()).build();
    app.start().await.unwrap();
    to_pages(1).await.unwrap();
    timeout(PATIENCE, state.in_hand.notified()).await.unwrap();
    app.stop().await.unwrap();
}
