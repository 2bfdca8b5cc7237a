//! What cannot start is named by the check, which asks nobody: values, addresses, connections, patterns.

use super::start::{Order, Sound};
use fastkafka::cluster::{SaslMechanism, SecurityProtocol, Tls};
use fastkafka::settings::{ConsumerSettings, ProducerSettings};
use fastkafka::{App, Broker, Topic, consumes, produces};
use fastkafka_core::Connection;
use std::num::NonZeroUsize;

struct Secure;

#[consumes(app = Secure, topic = "orders", group_id = "a", dead_letter = "orders.dead")]
async fn on_secure_orders(order: Order) {
    let _ = order;
}

#[consumes(app = Secure, topic = "refunds", group_id = "b")]
async fn on_secure_refunds(order: Order) {
    let _ = order;
}

#[produces(app = Secure, topic = "invoices")]
async fn to_secure_invoices(order: Order) -> Result<Order, fastkafka::ProduceError> {
    Ok(order)
}

/// The problems of an app, without their heading.
fn problems(app: &App) -> Vec<String> {
    let Err(problems) = app.check() else {
        return Vec::new();
    };
    problems.0.iter().map(ToString::to_string).collect()
}

fn secure(connection: impl FnOnce(Connection) -> Connection) -> App {
    let broker = Broker::new("kafka:9093").connection(connection);
    App::scoped::<Secure>()
        .title("Secure")
        .broker("production", broker)
        .build()
}

/// Also in a build without TLS: what is wrong with a broker is told of the broker, and of nothing else.
#[test]
fn a_broker_that_cannot_be_reached_this_way_is_one_problem() {
    let scram = |connection: Connection| {
        connection
            .security_protocol(SecurityProtocol::SaslSsl)
            .sasl_mechanism(SaslMechanism::ScramSha512)
            .sasl_plain_username("me")
            .sasl_plain_password("hush")
            .ssl_context(Tls::default().ca("/nowhere/ca.pem"))
    };
    let told = problems(&secure(scram));
    assert!(!told.is_empty());
    for problem in &told {
        assert!(
            problem.starts_with("the broker at kafka:9093 has "),
            "{told:#?}"
        );
        assert!(!problem.contains("`config`"), "{told:#?}");
    }
    // Of a build with TLS it is the file, of one without it are protocol and mechanism.
    assert!(told.len() <= 2, "{told:#?}");
}

#[test]
fn a_broker_whose_address_is_none_is_a_problem_of_the_check_and_tells_no_secret() {
    for (address, why) in [
        ("", "has an empty `bootstrap_servers`"),
        ("x:y", "whose port is no number"),
        (":9092", "without a host"),
        ("h:99999", "whose port is no number"),
        ("127.0.0.1:1:1", "is not `host:port`"),
        ("kafka://user:hush@h", "with a login in it"),
        ("h\0:1", "with the character '\\0'"),
    ] {
        let app = App::scoped::<Secure>()
            .broker("production", Broker::new(address))
            .build();
        let told = problems(&app);
        assert!(
            told.len() == 1 && told[0].contains(why),
            "{address}: {told:#?}"
        );
        assert!(!format!("{told:?} {app:?}").contains("hush"));
        if address.contains(':') {
            let app = App::scoped::<Secure>().build();
            let told = match app.set_kafka_broker(address) {
                Ok(()) => problems(&app).join("\n"),
                Err(unknown) => unknown.to_string(),
            };
            assert!(told.contains(why) && !told.contains("hush"), "{told}");
        }
    }
}

struct Addressed;

#[consumes(app = Addressed, topic = "orders", bootstrap_servers = "user:hush@one:9092")]
async fn on_addressed_orders(order: Order) {
    let _ = order;
}

#[consumes(app = Addressed, topic = "orders", bootstrap_servers = "user:hush@two:9092")]
async fn on_orders_of_another(order: Order) {
    let _ = order;
}

/// A cluster of which nothing but an address is known is called by it.
#[test]
fn a_login_in_the_address_of_a_function_is_a_problem_and_told_nowhere() {
    let app = App::scoped::<Addressed>()
        .title("Addressed")
        .broker("production", Broker::new("kafka:9092"))
        .build();
    let told = problems(&app);
    assert_eq!(told.len(), 2, "{told:#?}");
    for problem in &told {
        assert!(problem.contains("with a login in it"), "{problem}");
    }
    assert!(!format!("{told:?} {app:?} {:?}", app.explain()).contains("hush"));
    #[cfg(feature = "docs")]
    {
        let contract = app.asyncapi().to_yaml();
        assert!(contract.contains("one:9092"), "{contract}");
        assert!(!contract.contains("hush"), "{contract}");
    }
}

#[test]
fn what_the_builder_is_given_is_checked_as_what_the_attributes_are() {
    let told = problems(
        &App::scoped::<Sound>()
            .title("!")
            .client_id("a\0b")
            .max_in_flight(0)
            .topic("no topic", Topic::new())
            .topic("none", Topic::new().partitions(0))
            .consumer_defaults(
                ConsumerSettings::default()
                    .auto_commit_interval_ms(0u64)
                    .group_instance_id("")
                    .dead_letter("no topic"),
            )
            .producer_defaults(ProducerSettings::default().linger_ms(1u64 << 33))
            .build(),
    );
    for expected in [
        "has an empty `group_id`",
        "has `client_id` with the character '\\0'",
        "has `max_in_flight = 0`",
        "declares topic `no topic`: it is no topic's name",
        "declares topic `none`: it has no partition",
        "has `auto_commit_interval_ms = 0`; it must be at least 1",
        "has an empty `group_instance_id`",
        "has `dead_letter = `no topic``: it is no topic's name",
        "has `linger_ms = 8589934592`; it must be at most 2147483647",
    ] {
        let told_by = |problem: &&String| problem.contains(expected);
        let found: Vec<_> = told.iter().filter(told_by).collect();
        let [one] = &*found else {
            panic!("{expected} in {told:#?}");
        };
        assert!(one.starts_with("the app's builder "), "{one}");
    }
}

#[test]
fn more_workers_than_make_sense_are_refused() {
    let app = App::scoped::<Sound>().build();
    app.set_workers(NonZeroUsize::new(1_000_000).unwrap());
    let told = problems(&app);
    assert!(
        told.len() == 1 && told[0].contains("`--num-workers`"),
        "{told:#?}"
    );
}

struct Together;

#[consumes(app = Together, topic = "a", session_timeout_ms = 60_000)]
async fn on_together_a(order: Order) {
    let _ = order;
}

#[consumes(app = Together, topic = "b", max_poll_interval_ms = 50_000)]
async fn on_together_b(order: Order) {
    let _ = order;
}

/// The client looks at values together only when it is made.
#[test]
fn handlers_that_only_together_make_no_client_are_a_problem() {
    let told = problems(&App::scoped::<Together>().title("Together").build());
    assert!(
        told.len() == 1 && told[0].contains("and the others of group `together`"),
        "{told:#?}"
    );
}

struct Patterned;

#[consumes(app = Patterned, pattern = "^orders\\d", group_id = "digits")]
async fn on_digits(order: Order) {
    let _ = order;
}

#[consumes(app = Patterned, pattern = "^dead$", group_id = "dead", dead_letter = "dead")]
async fn on_dead(order: Order) {
    let _ = order;
}

#[consumes(app = Patterned, pattern = "^(a|b)+", group_id = "good", group_protocol = "consumer")]
async fn on_good(order: Order) {
    let _ = order;
}

#[test]
fn a_pattern_that_a_client_cannot_read_is_a_problem_of_the_check() {
    let told = problems(&App::scoped::<Patterned>().title("Patterned").build());
    let [dead, digits] = &*told else {
        panic!("{told:#?}");
    };
    assert!(
        digits.contains("`on_digits`") && digits.contains("is not in POSIX's"),
        "{digits}"
    );
    assert!(
        dead.contains("`on_dead`") && dead.contains("topics that are left out"),
        "{dead}"
    );
}
