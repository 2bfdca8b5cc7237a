//! Resources that an app makes at its start and releases at its stop, under a tester.

use crate::Tester;
use fastkafka::app::AppBuilder;
use fastkafka::{App, ProduceError, State, consumes, produces};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

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
struct Database(&'static str);

#[derive(Clone)]
struct Cache(&'static str);

struct Shop;

#[consumes(app = Shop, auto_offset_reset = "earliest")]
async fn on_orders(
    order: u64,
    State(database): State<Database>,
    State(log): State<Log>,
) -> Result<(), ProduceError> {
    sleep(Duration::from_secs(5)).await;
    log.add(format!("{order} into {}", database.0));
    to_invoices(order).await.map(drop)
}

#[produces(app = Shop)]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn shop(log: &Log) -> AppBuilder<Shop> {
    let (made, released) = (log.clone(), log.clone());
    App::scoped::<Shop>().state(log.clone()).lifespan(
        move |_| {
            made.add("database made");
            async { Ok::<_, String>(Database("postgres")) }
        },
        move |database: Database| {
            released.add(format!("{} released", database.0));
            async {}
        },
    )
}

/// Says `name` when the app is stopped.
fn says(
    log: &Log,
    name: &'static str,
) -> impl Fn(App) -> std::future::Ready<()> + Send + Sync + 'static {
    let log = log.clone();
    move |_| {
        log.add(name);
        std::future::ready(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_at_the_start_is_state_and_released_after_the_last_handler() {
    let log = Log::default();
    let tester = Tester::start(shop(&log).build()).await.unwrap();
    let invoices = tester.on_invoices();
    tester.to_orders(7).unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    tester.stop().await;
    assert_eq!(
        log.lines(),
        ["database made", "7 into postgres", "postgres released"]
    );
    assert_eq!(invoices.messages(), [7]);
}

async fn never_made(cache: Cache) {
    panic!("{} was never made", cache.0);
}

async fn panics() {
    panic!("not here");
}

#[tokio::test(start_paused = true)]
async fn an_error_at_the_start_names_the_hook_and_releases_what_was_made_in_reverse() {
    let log = Log::default();
    let app = shop(&log)
        .on_stop(says(&log, "second released"))
        .on_start(|_| async { Err("no licence") })
        .lifespan(|_| async { Ok::<_, String>(Cache("redis")) }, never_made)
        .on_stop(says(&log, "never come to"))
        .build();
    let error = Tester::start(app).await.unwrap_err().to_string();
    let (head, tail) = error.split_once("lifespans.rs:").unwrap();
    assert_eq!(
        head,
        "the app cannot start: 1 problem\n  `on_start` (crates/fastkafka-tester/src/tests/"
    );
    assert!(tail.ends_with(") failed: no licence"), "{error}");
    let expected = ["database made", "second released", "postgres released"];
    assert_eq!(log.lines(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_cannot_be_made_keeps_the_app_from_starting() {
    let log = Log::default();
    let cannot = |_| async { Err::<Cache, _>("connection refused") };
    let app = shop(&log).lifespan(cannot, |_: Cache| async {}).build();
    let error = Tester::start(app).await.unwrap_err().to_string();
    assert!(
        error.contains("`lifespan::<fastkafka_tester::tests::lifespans::Cache>` ("),
        "{error}"
    );
    assert!(error.ends_with("failed: connection refused"), "{error}");
    assert_eq!(log.lines(), ["database made", "postgres released"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_is_an_error_like_others() {
    let log = Log::default();
    let app = shop(&log).on_start(|_| panics()).build();
    let error = Tester::start(app).await.unwrap_err().to_string();
    assert!(error.ends_with("panicked: not here"), "{error}");
    assert_eq!(log.lines(), ["database made", "postgres released"]);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_fails_makes_the_stop_fail_and_keeps_no_other_from_running() {
    let log = Log::default();
    let app = shop(&log)
        .on_stop(|_| async { Err("a page is dirty") })
        .on_stop(|_| std::future::pending::<()>())
        .build();
    let tester = Tester::start(app.clone()).await.unwrap();
    let error = app.stop().await.unwrap_err().to_string();
    let told: Vec<_> = error.split("; ").collect();
    assert_eq!(told.len(), 2, "{error}");
    assert!(told[0].ends_with("did not end in time"), "{error}");
    assert!(told[1].ends_with("failed: a page is dirty"), "{error}");
    assert_eq!(log.lines(), ["database made", "postgres released"]);
    // What is released is not released again, and it has not ended better for that.
    assert_eq!(app.stop().await.unwrap_err().to_string(), error);
    assert_eq!(log.lines().len(), 2);
    drop(tester);
}

#[tokio::test(start_paused = true)]
async fn a_state_is_there_for_the_hooks_after_it() {
    let log = Log::default();
    let added = log.clone();
    let app = shop(&log)
        .on_start(move |app| {
            let database = app.state::<Database>().unwrap().0;
            added.add(format!("migrates {database}"));
            async {}
        })
        .build();
    let tester = Tester::start(app).await.unwrap();
    assert_eq!(log.lines(), ["database made", "migrates postgres"]);
    tester.stop().await;
}
