//! Settings that the client would refuse, found before there is one.

use super::table::Of;
use super::{client, consumer, producer, security};
use fastkafka_core::{
    Acks, Connection, Connections, Location, Plan, Problem, ProducerSettings, Properties,
};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;

/// The settings of the plan that librdkafka would refuse: properties in `config` that are ours to set,
/// values out of range, a login without a password. Needs no broker.
pub fn check(plan: &Plan, connections: &Connections) -> Vec<Problem> {
    let nothing = Connection::default();
    let login = |cluster: &str, own: &Connection| {
        if connections.embedded {
            // Nobody logs in there.
            return Vec::new();
        }
        security::problems(&connections.to(cluster, own))
    };
    let own_login = |cluster: &str, own: Connection| {
        if own == nothing {
            // The problem is the broker's, and told below.
            return Vec::new();
        }
        login(cluster, &own)
    };
    let base = |cluster: &str| client(&connections.to(cluster, &nothing), "check");
    let consumers = plan.groups.iter().flat_map(|group| {
        group.handlers.iter().flat_map(|handler| {
            let settings = &handler.settings;
            let config = consumer(base(&group.cluster), "check", settings);
            let login = own_login(&group.cluster, settings.connection());
            let wrong = refused(Of::Consumer, settings.config.as_ref(), &config, login);
            problems(wrong, handler.def.name, handler.def.location)
        })
    });
    let producers = plan.outputs.iter().flat_map(|output| {
        let settings = &output.settings;
        let config = producer(base(&output.cluster), settings, 1_000);
        let login = own_login(&output.cluster, settings.connection());
        let mut wrong = refused(Of::Producer, settings.config.as_ref(), &config, login);
        wrong.extend(not_idempotent(settings));
        problems(wrong, output.def.name, output.def.location)
    });
    let clusters = plan.clusters.iter().filter(|cluster| !cluster.is_address);
    let clusters = clusters.flat_map(|cluster| {
        let address = connections.to(&cluster.name, &nothing).bootstrap_servers;
        let address = address.unwrap_or_default();
        let wrong = login(&cluster.name, &nothing).into_iter();
        wrong.map(move |what| Problem::Broker(format!("the broker at {address} {what}")))
    });
    clusters.chain(consumers).chain(producers).collect()
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

/// Properties that are ours to set, what is wrong with the login, and what librdkafka does not take.
pub(super) fn refused(
    of: Of,
    properties: Option<&Properties>,
    config: &ClientConfig,
    login: Vec<String>,
) -> Vec<String> {
    let ours = properties.into_iter().flat_map(Properties::iter);
    let ours = ours.filter_map(|(name, _)| {
        let why = of.refusal(name)?;
        Some(format!(
            "has `{name}` in `config`, which can not stand there: {why}"
        ))
    });
    let mut wrong: Vec<_> = ours.chain(login).collect();
    // What is said already, librdkafka would say again in its own words.
    if wrong.is_empty()
        && let Err(error) = config.create_native_config()
    {
        wrong.push(not_taken(of, &error));
    }
    wrong
}

fn not_taken(of: Of, error: &KafkaError) -> String {
    let KafkaError::ClientConfig(_, reason, property, value) = error else {
        return format!("has settings that librdkafka does not take: {error}");
    };
    let reason = reason.trim_end();
    let key = of.rows().find(|(_, p)| p == property);
    match key {
        Some((key, _)) => {
            format!("has `{key} = {value}`, which librdkafka does not take: {reason}")
        }
        // It may be a secret.
        None => format!("has `{property}` in `config`, which librdkafka does not take: {reason}"),
    }
}

fn not_idempotent(settings: &ProducerSettings) -> Option<String> {
    let acks = settings.acks.unwrap_or_default();
    (acks != Acks::All && settings.enable_idempotence == Some(true)).then(|| {
        "has `enable_idempotence = true`, which needs `acks = \"all\"`; remove one of them"
            .to_owned()
    })
}
