//! The ends of logs of partitions that nothing is fetched of: asked for, for those who watch.
//!
//! librdkafka knows the end of a log from its last fetch. Of a partition that is paused, or stands still, there is
//! none, so its end is asked for by a client that reads nothing.

use super::access::Access;
use super::client_context::Logged;
use super::error::call_error;
use super::lock::lock;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An answer has this time. The partition is asked about again.
const TIMEOUT: Duration = Duration::from_secs(2);

type Client = Arc<BaseConsumer<Logged>>;
/// Cluster and group.
type Name = (String, String);

/// The ways of the groups, and a client for each that was asked about.
#[derive(Default)]
pub(crate) struct KnownEnds(Mutex<Clients>);

#[derive(Default)]
struct Clients {
    ways: BTreeMap<Name, Access>,
    made: BTreeMap<Name, Client>,
}

impl KnownEnds {
    /// A group goes this way.
    pub(crate) fn add(&self, cluster: &str, group: &str, access: &Access) {
        let name = (cluster.to_owned(), group.to_owned());
        lock(&self.0).ways.insert(name, access.clone());
    }

    /// The offsets after the last records, as far as the leaders answer. It waits for them.
    pub(crate) fn ask(
        &self,
        cluster: &str,
        group: &str,
        places: &[PartitionRef],
    ) -> Vec<(PartitionRef, i64)> {
        let name = (cluster.to_owned(), group.to_owned());
        let asked = self.client(&name).and_then(|client| match client {
            Some(client) => ends(&client, places),
            None => Ok(Vec::new()),
        });
        asked.unwrap_or_else(|error| {
            tracing::debug!(group, "the ends of logs are not known: {error}");
            Vec::new()
        })
    }

    /// `None` once they are closed.
    fn client(&self, name: &Name) -> Result<Option<Client>, ClientError> {
        let mut clients = lock(&self.0);
        if let Some(client) = clients.made.get(name) {
            return Ok(Some(client.clone()));
        }
        let Some(access) = clients.ways.get(name) else {
            return Ok(None);
        };
        let mut config = access.config();
        // Behind transactions that are open, too: as Kafka's own tool shows it.
        config.set("isolation.level", "read_uncommitted");
        super::config::standalone(&mut config);
        let client = config.create_with_context(Logged);
        let client: BaseConsumer<Logged> = client.map_err(|e| call_error(&e))?;
        access.admit(client.client())?;
        let client = Arc::new(client);
        clients.made.insert(name.clone(), client.clone());
        Ok(Some(client))
    }

    /// Nobody asks any more. A client that is being asked ends with its answer.
    pub(crate) fn close(&self) {
        let clients = std::mem::take(&mut *lock(&self.0));
        drop(clients);
    }
}

fn ends(
    client: &BaseConsumer<Logged>,
    places: &[PartitionRef],
) -> Result<Vec<(PartitionRef, i64)>, ClientError> {
    let mut asked = TopicPartitionList::with_capacity(places.len());
    for place in places {
        // `ListOffsets` takes it in the place of a time: one request for each leader.
        let added = asked.add_partition_offset(&place.on_cluster, place.partition, Offset::End);
        added.map_err(|e| call_error(&e))?;
    }
    // A login by token is renewed by the events.
    client.poll(Duration::ZERO);
    let found = client.offsets_for_times(asked, TIMEOUT);
    let found = found.map_err(|e| call_error(&e))?;
    let elements = found.elements();
    let by_place: HashMap<_, _> = elements
        .iter()
        .map(|element| ((element.topic(), element.partition()), element.offset()))
        .collect();
    let ends = places.iter().filter_map(|place| {
        let offset = by_place.get(&(place.on_cluster.as_str(), place.partition))?;
        match offset {
            Offset::Offset(end) => Some((*place, *end)),
            _ => None,
        }
    });
    Ok(ends.collect())
}

impl fmt::Debug for KnownEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownEnds")
    }
}
