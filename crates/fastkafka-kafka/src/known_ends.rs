//! The ends of logs of partitions that nothing is fetched of: asked for, for those who watch.
//!
//! librdkafka knows the end of a log from its last fetch. Of a partition that is paused, or stands still, there is
//! none, so its end is asked for by a client that reads nothing.

use super::access::Access;
use super::client_context::Logged;
use super::error::call_error;
use super::lock::lock;
use super::offsets::broker::{Broker, Found, Position};
use super::offsets::client::Asking;
use super::offsets::look_up;
use fastkafka_runtime::platform::{ClientError, PartitionRef};
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The answer of all leaders together has this time.
const TOGETHER: Duration = Duration::from_secs(1);
/// Where that does not come, the answer of each leader has this time. The partition is asked about again.
const ALONE: Duration = Duration::from_secs(2);

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
        let client = self.client(&name).unwrap_or_else(|error| {
            tracing::debug!(group, "the ends of logs are not known: {error}");
            None
        });
        let Some(client) = client else {
            return Vec::new();
        };
        // A login by token is renewed by the events.
        client.poll(Duration::ZERO);
        ends(|within| Asking::new(&*client, within), places)
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

/// In one question, for which the client knows the leaders. It has no answer while one of them is away: then each is
/// asked alone, and whoever is there counts.
fn ends<B: Broker + Sync>(
    broker: impl Fn(Duration) -> B,
    places: &[PartitionRef],
) -> Vec<(PartitionRef, i64)> {
    let asked: Vec<_> = places.iter().map(|place| (*place, Position::End)).collect();
    match broker(TOGETHER).offsets_of(&asked) {
        Ok(found) => {
            let ends = found.into_iter().filter_map(|(place, found)| match found {
                Ok(Found::Offset(end)) => Some((place, end.offset)),
                Ok(Found::End) | Err(_) => None,
            });
            ends.collect()
        }
        Err(error) => {
            tracing::debug!("not all leaders say where logs end: {error}");
            let ends = look_up::ends(&broker(ALONE), places).into_iter();
            ends.filter_map(|(place, end)| Some((place, end.ok()?)))
                .collect()
        }
    }
}

impl fmt::Debug for KnownEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownEnds")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offsets::simulated::SimulatedBroker;
    use fastkafka_core::TopicPartition;

    /// Partitions 0 to 3 of `orders`, each with a leader of its own, and a topic that nobody describes.
    fn heard(wrong: fn(&SimulatedBroker)) -> Vec<i32> {
        let broker = |_| {
            let logs = [("orders", 3, 9); 4];
            let broker = SimulatedBroker::new(&logs);
            broker.add("payments", 3, 9);
            wrong(&broker);
            broker
        };
        let orders = (0..4).map(|partition| TopicPartition::intern("orders", partition));
        let places: Vec<_> = orders
            .chain([TopicPartition::intern("payments", 0)])
            .collect();
        let ends = ends(broker, &places).into_iter();
        let orders = ends.filter(|(place, end)| place.topic == "orders" && *end == 9);
        let mut heard: Vec<_> = orders.map(|(place, _)| place.partition).collect();
        heard.sort_unstable();
        heard
    }

    #[test]
    fn whoever_is_there_is_heard_while_another_leader_is_away() {
        assert_eq!(heard(|_| ()), [0, 1, 2, 3]);
        let refused = heard(|broker| broker.refuse_offsets_of("orders", 1));
        assert_eq!(refused, [0, 2, 3]);
        let away = heard(|broker| {
            broker.silence("orders", 0);
            broker.refuse_offsets_of("orders", 1);
            broker.take_leader("orders", 2);
            broker.hide("payments");
        });
        assert_eq!(away, [3]);
    }
}
