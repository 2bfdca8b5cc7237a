//! Precedence among the places that set a key.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use fastkafka::*;
use fastkafka_macros::{consumes, produces};
use std::any::TypeId;

struct Shop;

#[consumes(app = Shop, topic = "orders", group_id = "orders", attempts = 3, on_failure = "skip")]
async fn on_orders(_order: u64) {}

/// Shares the consumer, and says how long a session is.
#[consumes(app = Shop, topic = "refunds", group_id = "orders", session_timeout_ms = 9_000)]
async fn on_refunds(_order: u64) {}

#[consumes(app = Shop, topic = "by_key", group_id = "by_key", order = "key")]
async fn on_by_key(_order: u64) {}

#[produces(app = Shop, topic = "invoices", acks = 1)]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

mod billing {
    use super::*;

    #[consumes(app = Shop, topic = "twice", group_id = "a")]
    async fn on_twice(_order: u64) {}
}

mod shipping {
    use super::*;

    #[consumes(app = Shop, topic = "twice", group_id = "b")]
    async fn on_twice(_order: u64) {}
}

fn given(place: &str, target: Target, function: &str, values: &[(&str, &str)]) -> Override {
    let values = values.iter();
    Override {
        place: place.to_owned(),
        target,
        function: function.split_terminator("::").map(str::to_owned).collect(),
        values: values
            .map(|(key, text)| ((*key).into(), (*text).into()))
            .collect(),
    }
}

fn shop(outside: Vec<Override>) -> AppSpec {
    let registry = Registry::linked(TypeId::of::<Shop>());
    let mut app = AppSpec::new(AppInfo::default(), registry, &States::default());
    app.overrides = outside;
    app
}

fn settings(app: &AppSpec, handler: &str) -> ConsumerSettings {
    let (plan, problems) = Plan::sketch(app);
    assert_eq!(problems, []);
    let mut handlers = plan.groups.into_iter().flat_map(|group| group.handlers);
    let found = handlers.find(|found| found.def.name == handler);
    found.unwrap().settings
}

fn row(app: &AppSpec, function: &str, key: &str) -> (String, String, Vec<(String, String)>) {
    let all = explain(app);
    let function = all.iter().find(|one| one.path.ends_with(function)).unwrap();
    let row = function.rows.iter().find(|row| row.key == key).unwrap();
    (row.value.clone(), row.from.clone(), row.losers.clone())
}

fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn a_handler_wins_over_all_and_the_environment_over_the_file_over_the_code() {
    let key = "attempts";
    // Environment first, then the file: that is how the list is made.
    let mut outside = vec![
        given("ENV", Target::Handler, "on_orders", &[(key, "1")]),
        given("ENV ALL", Target::Consumers, "", &[(key, "4")]),
        given("file", Target::Handler, "on_orders", &[(key, "2")]),
        given("file all", Target::Consumers, "", &[(key, "5")]),
    ];
    let expected = [
        ("1", "ENV"),
        ("2", "file"),
        ("3", "`#[consumes]`"),
        ("4", "ENV ALL"),
        ("5", "file all"),
        ("6", "the app's builder"),
    ];
    let with = |outside: &[Override]| {
        let mut app = shop(outside.to_vec());
        app.consumer_defaults = ConsumerSettings::default().attempts(6u32);
        app
    };
    let app = with(&outside);
    let losers = expected[1..]
        .iter()
        .map(|(value, place)| pair(place, value));
    assert_eq!(
        row(&app, "on_orders", key),
        ("1".into(), "ENV".into(), losers.collect())
    );
    for (value, _) in &expected[..3] {
        let app = with(&outside);
        let times = value.parse().unwrap();
        assert_eq!(
            settings(&app, "on_orders").attempts,
            Some(Attempts::Times(times))
        );
        // What all say reaches who says nothing.
        assert_eq!(
            settings(&app, "on_refunds").attempts,
            Some(Attempts::Times(4))
        );
        if let Some(first) = outside.iter().position(|s| s.target == Target::Handler) {
            outside.remove(first);
        }
    }
    assert_eq!(
        row(&shop(vec![]), "on_refunds", key),
        ("10".into(), "default".into(), vec![])
    );
}

#[test]
fn who_shares_a_consumer_follows_who_says_something_before_what_is_said_of_all() {
    let mut app = shop(vec![]);
    app.consumer_defaults = ConsumerSettings::default().session_timeout_ms(7_000u64);
    let (plan, problems) = Plan::sketch(&app);
    assert_eq!(problems, []);
    let session = |id: &str| {
        let group = plan.groups.iter().find(|group| group.id == id).unwrap();
        group.settings.session_timeout_ms
    };
    assert_eq!(session("orders"), Some(9_000));
    assert_eq!(session("by_key"), Some(7_000));
    assert_eq!(
        row(&app, "on_orders", "session_timeout_ms"),
        (
            "9000".into(),
            "`on_refunds`, which shares the consumer".into(),
            vec![pair("the app's builder", "7000")]
        )
    );
}

#[test]
fn what_is_said_of_all_gives_way_where_it_has_no_meaning() {
    let mut app = shop(vec![]);
    app.consumer_defaults = ConsumerSettings::default()
        .dead_letter("dead")
        .concurrency(8u32)
        .max_poll_records(100u32);
    app.producer_defaults = ProducerSettings::default().enable_idempotence(true);
    let orders = settings(&app, "on_orders");
    assert_eq!((orders.dead_letter, orders.concurrency), (None, None));
    assert_eq!(orders.max_poll_records, Some(100));
    let by_key = settings(&app, "on_by_key");
    assert_eq!(by_key.dead_letter.as_deref(), Some("dead"));
    assert_eq!(
        (by_key.concurrency, by_key.max_poll_records),
        (Some(8), None)
    );
    let outputs = Plan::sketch(&app).0.outputs;
    assert_eq!(outputs[0].settings.enable_idempotence, None);
    let dead = row(&app, "on_orders", "dead_letter");
    assert_eq!(dead.0, "none");
    assert_eq!(dead.2, [pair("the app's builder", "dead")]);
}

#[test]
fn dead_letters_have_what_is_said_of_all_producers_but_all_replicas() {
    let mut app = shop(vec![given(
        "ENV",
        Target::Producers,
        "",
        &[("linger_ms", "7")],
    )]);
    app.producer_defaults = ProducerSettings::default().acks(Acks::None).client_id("x");
    let settings = &Plan::sketch(&app).0.clusters[0].dead_letters;
    let expected = ProducerSettings::default().linger_ms(7u64).client_id("x");
    assert_eq!(*settings, expected);
}

#[test]
fn properties_of_all_places_add_up() {
    let app = shop(vec![
        given(
            "ENV",
            Target::Handler,
            "on_orders",
            &[("config.a.b", "1,2")],
        ),
        given(
            "file",
            Target::Consumers,
            "",
            &[("config.a.b", "3"), ("config.c", "4")],
        ),
    ]);
    let expected = Properties::new().set("a.b", "1,2").set("c", 4);
    assert_eq!(settings(&app, "on_orders").config, Some(expected));
}

struct Sources;

#[consumes(app = Sources, topics = ["x", "y"], group_id = "one")]
async fn on_list(_order: u64) {}

#[consumes(app = Sources, topics = ["z", "y"], group_id = "one")]
async fn on_overlap(_order: u64) {}

#[consumes(app = Sources, pattern = "^x", group_id = "two")]
async fn on_pattern(_order: u64) {}

#[consumes(app = Sources, topic = "q", group_id = "two", exclude_internal_topics = false)]
async fn on_q(_order: u64) {}

#[consumes(app = Sources, topic = "x", group_id = None, auto_offset_reset = "none", session_timeout_ms = 6_000)]
async fn on_alone(_order: u64) {}

#[consumes(app = Sources, topic = "x", group_id = None)]
async fn on_alone_again(_order: u64) {}

#[consumes(app = Sources, pattern = "^w", group_id = None)]
async fn on_any_alone(_order: u64) {}

#[test]
fn a_record_goes_to_one_handler_of_a_group_and_without_a_group_to_each() {
    let registry = Registry::linked(TypeId::of::<Sources>());
    let mut app = AppSpec::new(AppInfo::default(), registry, &States::default());
    // Of all consumers: no mistake of who has no group.
    app.consumer_defaults = ConsumerSettings::default().heartbeat_interval_ms(500u64);
    let (plan, problems) = Plan::sketch(&app);
    let standalone: Vec<_> = plan
        .groups
        .iter()
        .filter(|group| group.standalone)
        .collect();
    assert_eq!(standalone.len(), 3);
    let texts: Vec<_> = problems
        .iter()
        .map(|problem| {
            let text = problem.to_string();
            let mut parts = text.split(" (");
            let first = parts.next().unwrap().to_owned();
            parts.fold(first, |text, part| text + part.split_once(')').unwrap().1)
        })
        .collect();
    assert_eq!(
        texts,
        [
            "`on_alone` has `session_timeout_ms`, which has no meaning with `group_id = None`; remove one of them",
            "`on_alone` has `auto_offset_reset = \"none\"` and `group_id = None`: without a group there is never a committed offset to begin at",
            "`on_any_alone` has `pattern` and `group_id = None`: topics are found by pattern as a member of a group; name the `topics`",
            "`on_q` has `exclude_internal_topics`, which has no meaning without a `pattern`",
            "`on_list` and `on_overlap` both consume topic `y` in group `one`: give one of them its own `group_id`, or make them one handler that takes an enum",
            "`on_pattern` and `on_q` share group `two`, and pattern `^x` may match what the other reads: give the one with the pattern its own `group_id`",
        ]
    );
}

#[test]
fn every_mistake_outside_is_a_problem() {
    let app = shop(vec![
        given("A", Target::Handler, "on_twice", &[("attempts", "1")]),
        given("B", Target::Handler, "on_order", &[("attempts", "1")]),
        given("C", Target::Producer, "on_orders", &[("linger_ms", "1")]),
        given(
            "D",
            Target::Consumers,
            "",
            &[("attempt", "1"), ("attempts", "many")],
        ),
        given(
            "E",
            Target::Handler,
            "billing::on_twice",
            &[("attempts", "1")],
        ),
        given(
            "F",
            Target::Handler,
            "BILLING::ON_TWICE",
            &[("attempts", "1")],
        ),
    ]);
    let (_, problems) = Plan::sketch(&app);
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "A: `on_twice` is the name of `suite::precedence::billing::on_twice` and of `suite::precedence::shipping::on_twice`; \
             write the whole path, in a variable as `SUITE__PRECEDENCE__BILLING__ON_TWICE`",
            "B: the app has no consumer `on_order`, did you mean `on_orders`?",
            "C: the app has no producer `on_orders`",
            "D: there is no setting `attempt`, did you mean `attempts`?",
            "D: `attempts` takes a number or `forever`, not `many`",
        ]
    );
}
