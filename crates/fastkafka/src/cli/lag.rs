//! `lag`: how far the groups of the app are behind.

use super::failed::Failed;
use super::output::print;
use super::table::table;
use crate::app::App;
use clap::Args;
use fastkafka_core::Broker;
use fastkafka_kafka::PartitionLag;

/// Options of `lag`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Lag {
    /// A broker of the app by name, in every cluster, or for an app with one cluster an address
    /// HOST:PORT[,HOST:PORT..].
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub kafka_broker: Option<String>,
}

pub(super) fn lag(app: &App, options: &Lag) -> Result<(), Failed> {
    if let Some(broker) = &options.kafka_broker {
        app.set_kafka_broker(broker).map_err(Failed::found)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::found(format_args!("cannot start the tokio runtime: {error}")))?;
    let found = runtime.block_on(app.lag()).map_err(Failed::found)?;
    print(shown(&found))
}

/// A line per partition.
fn shown(found: &[PartitionLag]) -> String {
    let heads = [
        "group",
        "cluster",
        "topic",
        "partition",
        "committed",
        "end",
        "lag",
    ];
    let one_cluster = found.iter().all(|one| one.cluster.is_empty());
    let mut heads = heads.map(str::to_owned);
    if one_cluster {
        heads[1].clear();
    }
    let number = |offset: Option<i64>| offset.map_or("-".to_owned(), |offset| offset.to_string());
    let rows = found.iter().map(|one| {
        let cluster = match &*one.cluster {
            "" => String::new(),
            name => Broker::new(name).shown(),
        };
        [
            one.group.clone(),
            cluster,
            one.topic.clone(),
            one.partition.to_string(),
            number(one.committed),
            one.end.to_string(),
            number(one.lag()),
        ]
    });
    let rows: Vec<_> = [heads].into_iter().chain(rows).collect();
    table(&rows)
}
