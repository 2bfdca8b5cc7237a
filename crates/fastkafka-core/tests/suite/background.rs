//! `#[run_in_background]`: from the attribute to the task.
#![allow(clippy::unwrap_used, reason = "a task of a test fails like the test")]

use crate::support::{Log, block_on, connected};
use fastkafka::*;
use fastkafka_macros::{consumes, produces, run_in_background};
use std::any::TypeId;
use std::sync::Arc;
use std::time::Duration;

/// An app.
#[derive(Debug)]
pub struct Clockwork;

#[run_in_background(app = Clockwork)]
async fn quiet() {}

#[run_in_background(app = Clockwork)]
pub(crate) async fn notes(State(log): State<Log>, State(line): State<&'static str>) {
    log.add(line);
}

#[run_in_background(app = Clockwork, restart = "on_failure", backoff = Duration::from_secs(1))]
async fn fails(State(_log): State<Log>) -> Result<(), std::num::ParseIntError> {
    "x".parse::<u8>().map(drop)
}

#[run_in_background(app = Clockwork, restart = Restart::OnFailure)]
async fn endless() -> ! {
    loop {
        std::future::pending::<()>().await;
    }
}

#[produces(app = Clockwork)]
async fn to_ticks() -> Result<&'static str, ProduceError> {
    Ok("tick")
}

#[run_in_background(app = Clockwork)]
async fn ticks() -> Result<(), ProduceError> {
    to_ticks().await.map(drop)
}

#[cfg(any())]
#[run_in_background(app = Clockwork)]
async fn missing(state: DoesNotExist) {}

macro_rules! task {
    ($name:ident, $line:expr) => {
        #[run_in_background(app = Clockwork)]
        async fn $name(State(log): State<Log>) {
            log.add($line);
        }
    };
}
task!(from_a_macro, "from a macro");

#[consumes(app = Clockwork)]
fn on_orders(_order: u64) {}

fn states(log: &Log) -> Arc<States> {
    let mut states = States::default();
    states.insert(log.clone());
    states.insert("a line");
    Arc::new(states)
}

fn app(states: &States) -> AppSpec {
    let registry = Registry::linked(TypeId::of::<Clockwork>());
    AppSpec::new(AppInfo::default(), registry, states)
}

fn task(app: &AppSpec, name: &str) -> Task {
    let plan = Plan::new(app).unwrap();
    let mut tasks = plan.tasks.into_iter();
    tasks.find(|task| task.def.name == name).unwrap()
}

#[test]
fn tasks_are_found_at_link_time_beside_handlers() {
    let app = app(&states(&Log::default()));
    let plan = Plan::new(&app).unwrap();
    let names: Vec<_> = plan.tasks.iter().map(|task| task.def.path()).collect();
    let expected = [
        "endless",
        "fails",
        "from_a_macro",
        "notes",
        "quiet",
        "ticks",
    ];
    assert_eq!(
        names,
        expected.map(|name| format!("suite::background::{name}"))
    );
    assert_eq!(plan.groups.len(), 1);
    assert!(plan.tasks[0].def.location.file.ends_with("background.rs"));
    assert!(
        plan.tasks
            .windows(2)
            .all(|pair| pair[0].def.location != pair[1].def.location)
    );
}

#[test]
fn a_task_is_given_the_apps_state() {
    let log = Log::default();
    let states = states(&log);
    let app = app(&states);
    for name in ["notes", "from_a_macro"] {
        block_on((task(&app, name).def.run)(states.clone())).unwrap();
    }
    assert_eq!(log.lines(), ["a line", "from a macro"]);
}

#[test]
fn the_error_of_a_task_is_its_outcome() {
    let states = states(&Log::default());
    let app = app(&states);
    let failure = block_on((task(&app, "fails").def.run)(states.clone())).unwrap_err();
    assert_eq!(failure.message(), "invalid digit found in string");
    assert!(block_on((task(&app, "quiet").def.run)(states.clone())).is_ok());
}

#[test]
fn a_state_that_a_task_needs_and_nobody_gave_keeps_the_app_from_starting() {
    let registry = Registry::new([<fails as Register>::ENTRY, <quiet as Register>::ENTRY]);
    let app = AppSpec::new(AppInfo::default(), registry, &States::default());
    let Problems(problems) = Plan::new(&app).unwrap_err();
    let [
        Problem::MissingState {
            handler: "fails",
            state,
            at,
        },
    ] = &*problems
    else {
        panic!("{problems:?}");
    };
    assert_eq!(*state, std::any::type_name::<Log>());
    assert_eq!(*at, <fails as Register>::ENTRY.location());
}

#[test]
fn a_task_says_whether_it_is_restarted_and_after_which_pause() {
    let app = app(&states(&Log::default()));
    let (fails, endless, quiet) = (
        task(&app, "fails"),
        task(&app, "endless"),
        task(&app, "quiet"),
    );
    assert_eq!(fails.restart, Restart::OnFailure);
    assert_eq!(fails.backoff, Duration::from_secs(1));
    assert_eq!(fails.backoff_max, Duration::from_secs(30));
    assert_eq!(endless.restart, Restart::OnFailure);
    assert_eq!(endless.backoff, Duration::from_millis(100));
    assert_eq!(quiet.restart, Restart::Never);
}

#[test]
fn explain_shows_what_a_task_says() {
    let app = app(&states(&Log::default()));
    let explained = explain(&app);
    let fails = explained
        .iter()
        .find(|one| one.path == "suite::background::fails");
    let rows = fails.unwrap().rows.iter();
    let rows: Vec<_> = rows
        .map(|row| format!("{} = {} {}", row.key, row.value, row.from))
        .collect();
    let expected = [
        "restart = on_failure `#[run_in_background]`",
        "backoff = 1s `#[run_in_background]`",
        "backoff_max = 30s default",
    ];
    assert_eq!(rows, expected);
}

#[run_in_background(app = Hasty, restart = "on_failure", backoff = Duration::ZERO)]
async fn hasty() {}

/// An app.
#[derive(Debug)]
pub struct Hasty;

#[test]
fn a_restart_without_a_pause_is_a_problem() {
    let registry = Registry::linked(TypeId::of::<Hasty>());
    let app = AppSpec::new(AppInfo::default(), registry, &States::default());
    let problems = Plan::new(&app).unwrap_err().to_string();
    assert!(problems.contains("`hasty`") && problems.contains("has no pause between its restarts"));
}

/// An app.
#[derive(Debug)]
pub struct Wound;

#[produces(app = Wound)]
async fn to_tocks() -> Result<&'static str, ProduceError> {
    Ok("tock")
}

#[run_in_background(app = Wound)]
async fn tocks() -> Result<(), ProduceError> {
    to_tocks().await.map(drop)
}

#[test]
fn a_task_produces_for_its_own_app_and_waits_for_the_report() {
    // Two apps of one type run: outside a task nobody could tell which is meant.
    let ((first, sent), (_second, others)) = (connected::<Wound>(), connected::<Wound>());
    assert!(block_on(to_tocks()).is_err());
    let run = <tocks as Background>::DEF.run;
    let ambient = Ambient::of_app(first.clone());
    block_on(Scoped::new(ambient, run(first.states().clone()))).unwrap();
    let topics: Vec<_> = sent.take().into_iter().map(|sent| sent.topic).collect();
    assert_eq!(topics, ["tocks"]);
    assert!(others.take().is_empty());
}
