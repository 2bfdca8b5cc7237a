//! Apps that read otherwise than one topic in a group.

use crate::orders::{Done, Event, Order, attempt, event};
use fastkafka::{App, EventMetadata, Failure, Key, ProduceError, consumes, produces};

/// What its handler reads, and where its producer writes.
macro_rules! source {
    ($name:ident, $out:literal, $($key:ident = $value:expr),*) => {
        pub(crate) mod $name {
            use super::*;

            pub(super) struct Scope;

            #[consumes(app = Scope, auto_offset_reset = "earliest", metadata_max_age_ms = 1_000, $($key = $value),*)]
            async fn on_order(order: Order, meta: EventMetadata, key: Option<Key<String>>) -> Result<(), Failure> {
                attempt(&order).await?;
                let sent = to_done(Done::new(&order, meta), key).await;
                sent.map(drop).map_err(Failure::from_error)
            }

            #[produces(app = Scope, topic = $out)]
            async fn to_done(done: Done, key: Option<Key<String>>) -> Result<Event, ProduceError> {
                Ok(event(done, key))
            }

            pub(crate) fn app() -> App {
                App::scoped::<Scope>()
                    .title(stringify!($name))
                    .broker("lab", fastkafka::Broker::new("127.0.0.1:1"))
                    .build()
            }
        }
    };
}

source!(listed, "listed.out", topics = ["listed.a", "listed.b"]);
source!(
    vanishing,
    "vanishing.out",
    topics = ["vanishing.a", "vanishing.b"],
    auto_commit_interval_ms = 200
);
source!(
    matching,
    "matching.out",
    pattern = "^matching\\.in\\..*",
    dead_letter = "matching.in.dead"
);
source!(
    matching_848,
    "matching-848.out",
    pattern = "^matching_848\\.in\\.|^__consumer",
    dead_letter = "matching_848.in.dead",
    group_protocol = "consumer"
);
source!(awaited, "awaited.out", pattern = "^awaited\\.in\\..*");
source!(alone, "alone.out", topic = "alone", group_id = None);
