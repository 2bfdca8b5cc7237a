//! Settings that the client would refuse, found before there is one: each connection is tried by itself, and
//! each function's settings without it, so that a mistake is told once and where it is.

use super::table::{Of, key_of_connection};
use super::{by_pattern, client, consumer, producer, security};
use crate::client_context::Logged;
use fastkafka_core::{
    Acks, Cluster, Connection, Connections, ConsumerSettings, Group, GroupProtocol, Location, Plan,
    Problem, ProducerSettings, Properties, SaslMechanism, Tls,
};
use rdkafka::ClientConfig;
use rdkafka::client::Client;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaType;
use std::path::Path;

/// The settings of the plan that librdkafka would refuse: properties in `config` that are ours to set,
/// values out of range, a login without a password, a file that is not there. Needs no broker.
pub fn check(plan: &Plan, connections: &Connections) -> Vec<Problem> {
    let clusters = plan.clusters.iter().flat_map(|cluster| {
        let wrong = of_cluster(plan, cluster, connections).into_iter();
        wrong.map(Problem::Broker)
    });
    let consumers = plan
        .groups
        .iter()
        .flat_map(|group| of_group(group, connections));
    let producers = plan.outputs.iter().flat_map(|output| {
        let settings = &output.settings;
        let properties = settings.config.as_ref();
        let own = settings.connection();
        let (base, mut wrong) = base(&output.cluster, &own, properties, connections);
        let config = producer(base, settings);
        wrong.extend(not_idempotent(settings));
        let wrong = refused(Of::Producer, properties, &config, wrong);
        problems(wrong, output.def.name, output.def.location)
    });
    clusters.chain(consumers).chain(producers).collect()
}

/// The connection to a cluster, as its broker says, and the producer of its dead letters.
fn of_cluster(plan: &Plan, cluster: &Cluster, connections: &Connections) -> Vec<String> {
    let mut wrong = Vec::new();
    if !cluster.is_address && !connections.embedded {
        let connection = connections.to(&cluster.name, &Connection::default());
        let told = of_connection(&connection).into_iter();
        wrong.extend(told.map(|what| format!("the broker at {} {what}", connection.address())));
    }
    if plan.has_dead_letters(cluster) {
        let settings = &cluster.dead_letters;
        let mut config = producer(nowhere(), settings);
        super::dead_letters(&mut config);
        let told = refused(Of::Producer, settings.config.as_ref(), &config, Vec::new());
        let told = told.into_iter();
        wrong.extend(told.map(|what| format!("the producer of dead letters {what}")));
    }
    wrong
}

/// The mistakes of a connection by itself.
pub(super) fn of_connection(connection: &Connection) -> Vec<String> {
    let mut wrong = connection.wrong();
    if connection.bootstrap_servers.is_none() {
        wrong.push("has no address; write `host:port`".to_owned());
    }
    wrong.extend(security::problems(connection));
    if wrong.is_empty() {
        wrong.extend(missing_key(connection));
    }
    let config = client(connection, "check");
    if wrong.is_empty()
        && !asks(connection)
        && let Err(error) = made(Of::Producer, &config)
    {
        wrong.push(not_taken(Of::Producer, &config, &error));
    }
    wrong
}

/// Kerberos is asked for a ticket as soon as there is a client.
fn asks(connection: &Connection) -> bool {
    connection.sasl_mechanism == Some(SaslMechanism::Gssapi)
}

/// A key that is no PEM text is a path. Where there is no such file, it may be a key in another form, and
/// OpenSSL would repeat it in its error and in its log.
fn missing_key(connection: &Connection) -> Option<String> {
    let key = connection.ssl_context.as_ref()?.key.as_ref()?.expose();
    let error = (!Tls::is_pem(key)).then(|| Path::new(key).metadata().err())??;
    Some(format!(
        "has an `ssl_context` whose `key` is no PEM text and no file: {error}"
    ))
}

/// The handlers of a group one by one, so that a mistake has its place; then what they agree on.
fn of_group(group: &Group, connections: &Connections) -> Vec<Problem> {
    let with_pattern = group.handlers.iter().any(|h| h.def.pattern.is_some());
    let check = |settings: &ConsumerSettings| {
        let properties = settings.config.as_ref();
        let own = settings.connection();
        let (base, wrong) = base(&group.cluster, &own, properties, connections);
        let mut settings = settings.clone();
        if settings.group_protocol == Some(GroupProtocol::Consumer) {
            // That the broker decides these is said already.
            settings.session_timeout_ms = None;
            settings.heartbeat_interval_ms = None;
            settings.partition_assignment_strategy = None;
        }
        let mut config = consumer(base, &group.id, &settings);
        if with_pattern {
            by_pattern(&mut config, &settings, &group.left_out);
        }
        refused(Of::Consumer, settings.config.as_ref(), &config, wrong)
    };
    let of_handlers = group.handlers.iter().flat_map(|handler| {
        let wrong = check(&handler.settings);
        problems(wrong, handler.def.name, handler.def.location)
    });
    let mut found: Vec<_> = of_handlers.collect();
    if found.is_empty()
        && let [first, _, ..] = &*group.handlers
    {
        let wrong = check(&group.settings).into_iter();
        let wrong =
            wrong.map(|what| format!("and the others of group `{}` together: {what}", group.id));
        found.extend(problems(
            wrong.collect(),
            first.def.name,
            first.def.location,
        ));
    }
    found
}

/// What the client of a function begins with, and what is wrong with a connection of the function's own, or
/// with its properties beside the connection. The mistakes of the broker's are told by [`of_cluster`].
pub(super) fn base(
    cluster: &str,
    own: &Connection,
    properties: Option<&Properties>,
    connections: &Connections,
) -> (ClientConfig, Vec<String>) {
    let is_own = *own != Connection::default();
    // Values of its own are told where they stand; of those the client would not take any.
    if connections.embedded || !(is_own || properties.is_some()) || !own.wrong().is_empty() {
        return (nowhere(), Vec::new());
    }
    let connection = connections.to(cluster, own);
    let wrong = of_connection(&connection);
    match (&*wrong, properties) {
        // Properties may need what the connection has, or contradict it.
        ([], Some(properties)) if !asks(&connection) => (
            client(&connection, "check"),
            security::contradictions(&connection, properties),
        ),
        _ if is_own => (nowhere(), wrong),
        _ => (nowhere(), Vec::new()),
    }
}

fn nowhere() -> ClientConfig {
    client(&Connection::default(), "check")
}

fn problems(
    wrong: Vec<String>,
    handler: &'static str,
    at: Location,
) -> impl Iterator<Item = Problem> {
    wrong
        .into_iter()
        .map(move |what| Problem::Setting { handler, what, at })
}

/// Properties that are ours to set, what is wrong already, and what librdkafka does not take.
pub(super) fn refused(
    of: Of,
    properties: Option<&Properties>,
    config: &ClientConfig,
    wrong: Vec<String>,
) -> Vec<String> {
    let ours = properties.into_iter().flat_map(Properties::iter);
    let ours = ours.filter_map(|(name, _)| {
        let why = of.refusal(name)?;
        Some(format!(
            "has `{name}` in `config`, which can not stand there: {why}"
        ))
    });
    let mut wrong: Vec<_> = ours.chain(wrong).collect();
    // What is said already, librdkafka would say again in its own words.
    if wrong.is_empty()
        && let Err(error) = made(of, config)
    {
        wrong.push(not_taken(of, config, &error));
    }
    wrong
}

/// Some settings are looked at only when there is a client: the values together, files, certificates. It has
/// no address, so that it asks nobody.
fn made(of: Of, config: &ClientConfig) -> Result<(), KafkaError> {
    let mut config = config.clone();
    config.remove("bootstrap.servers");
    // NULs are told where the value stands.
    let has_nul = |(_, value): (_, &str)| value.contains('\0');
    if config.config_map().into_iter().any(has_nul) {
        return Ok(());
    }
    let kind = match of {
        Of::Consumer => RDKafkaType::RD_KAFKA_CONSUMER,
        Of::Producer => RDKafkaType::RD_KAFKA_PRODUCER,
    };
    Client::new(&config, config.create_native_config()?, kind, Logged).map(drop)
}

pub(super) fn not_taken(of: Of, config: &ClientConfig, error: &KafkaError) -> String {
    let KafkaError::ClientConfig(_, reason, property, value) = error else {
        let error = masked(in_our_words(&error.to_string()), config);
        return format!("has settings that librdkafka does not take: {error}");
    };
    let reason = masked(reason.trim_end().to_owned(), config);
    let key = of.rows().find(|(_, p)| p == property);
    match (key, key_of_connection(property)) {
        (Some((key, _)), _) => {
            format!("has `{key} = {value}`, which librdkafka does not take: {reason}")
        }
        // It may be a secret.
        (None, Some(key)) => format!("has a `{key}` that librdkafka does not take: {reason}"),
        (None, None) => {
            format!("has `{property}` in `config`, which librdkafka does not take: {reason}")
        }
    }
}

fn in_our_words(error: &str) -> String {
    let parts = ["ca", "certificate", "key"];
    parts.iter().fold(error.to_owned(), |error, part| {
        let ours = format!("`{part}` of `ssl_context`");
        let error = error.replace(&format!("ssl.{part}.location"), &ours);
        error.replace(&format!("ssl.{part}.pem"), &ours)
    })
}

/// What is a secret, or may be one that was taken for a path.
const SECRETS: [&str; 6] = [
    "sasl.password",
    "sasl.oauthbearer.client.secret",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.key.location",
    "ssl.keystore.password",
];

/// Reasons may repeat values.
fn masked(text: String, config: &ClientConfig) -> String {
    // The map of all properties has no secrets.
    let secrets = SECRETS.into_iter().filter_map(|name| config.get(name));
    let secrets = secrets.filter(|secret| !secret.is_empty());
    secrets.fold(text, |text, secret| text.replace(secret, "***"))
}

fn not_idempotent(settings: &ProducerSettings) -> Option<String> {
    let acks = settings.acks.unwrap_or_default();
    (acks != Acks::All && settings.enable_idempotence == Some(true)).then(|| {
        "has `enable_idempotence = true`, which needs `acks = \"all\"`; remove one of them"
            .to_owned()
    })
}
