//! An app of each kind that differs for delivery: order, protocol, the end of a record that fails. All
//! of them meet records with every fate.

use crate::Tester;
use fastkafka::cluster::Brokers;
use fastkafka::error::BatchFailure;
use fastkafka::{Ack, App, EventMetadata, Failure, ProduceError, State, Topic, consumes, produces};
use fastkafka_core::{Consumer, Consumes};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const PARTITIONS: u16 = 3;
const RECORDS: u64 = 48;

/// A call: the partition, the offset, and the virtual time since the beginning.
pub(super) type Tried = (i32, i64, Duration);

/// How often a process has tried each record.
#[derive(Clone)]
pub(super) struct Tries {
    of_process: Arc<Mutex<BTreeMap<(i32, i64), u32>>>,
    of_all: Arc<Mutex<Vec<Tried>>>,
    begun: Instant,
}

impl Tries {
    fn another(&self, meta: &EventMetadata) -> u32 {
        let tried = (meta.partition(), meta.offset(), self.begun.elapsed());
        self.of_all.lock().unwrap().push(tried);
        let mut tries = self.of_process.lock().unwrap();
        let tried = tries.entry((meta.partition(), meta.offset())).or_default();
        *tried += 1;
        *tried
    }

    /// What becomes of a record: its number says.
    async fn fate(&self, n: u64, meta: &EventMetadata) -> Result<(), Failure> {
        let tried = self.another(meta);
        match n % 16 {
            3 if tried == 1 => Err(Failure::retry("once")),
            5 => Err(Failure::reject("never")),
            7 if tried <= 2 => Err(Failure::transient("not yet")),
            // Past every time limit.
            9 if tried == 1 => {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
                Ok(())
            }
            11 => Err(Failure::retry("always")),
            // A panic that tells the standard error nothing.
            13 if tried == 1 => std::panic::resume_unwind(Box::new("unlucky")),
            _ => {
                tokio::time::sleep(Duration::from_millis(n % 5)).await;
                Ok(())
            }
        }
    }
}

macro_rules! kind {
    ($name:ident { $($setting:tt)* }) => {
        pub(super) mod $name {
            use super::*;

            pub(in super::super) struct Shop;

            #[produces(app = Shop, topic = "ledger")]
            async fn to_ledger(n: u64) -> Result<u64, ProduceError> {
                Ok(n)
            }

            #[consumes(
                app = Shop,
                topic = "orders",
                auto_offset_reset = "earliest",
                backoff = Duration::from_millis(200),
                handler_timeout = Duration::from_secs(10),
                $($setting)*
            )]
            pub(in super::super) async fn on_orders(
                n: u64,
                meta: EventMetadata,
                State(tries): State<Tries>,
            ) -> Result<(), Failure> {
                tries.fate(n, &meta).await?;
                to_ledger(n).await?;
                Ok(())
            }
        }
    };
}

kind!(by_partition {
    attempts = 3,
    dead_letter = "orders.dead",
});
kind!(at_once {
    attempts = 1,
    dead_letter = "orders.dead",
});
kind!(by_key {
    order = "key",
    concurrency = 16,
    attempts = 3,
    dead_letter = "orders.dead",
});
kind!(unordered {
    order = "unordered",
    concurrency = 4,
    attempts = 3,
    dead_letter = "orders.dead",
});
kind!(skipped {
    attempts = 2,
    on_failure = "skip",
});
kind!(skipped_by_key {
    order = "key",
    concurrency = 16,
    attempts = 2,
    on_failure = "skip",
});
kind!(eager {
    partition_assignment_strategy = "range",
    attempts = 2,
    dead_letter = "orders.dead",
});
kind!(kip_848 {
    group_protocol = "consumer",
    attempts = 2,
    dead_letter = "orders.dead",
});
kind!(kip_848_by_key {
    group_protocol = "consumer",
    order = "key",
    concurrency = 16,
    attempts = 2,
    on_failure = "skip",
});

macro_rules! batches {
    ($name:ident { $($setting:tt)* }) => {
        pub(super) mod $name {
            use super::*;

            pub(in super::super) struct Shop;

            #[produces(app = Shop, topic = "ledger")]
            async fn to_ledger(n: u64) -> Result<u64, ProduceError> {
                Ok(n)
            }

            /// Names the record that it failed at.
            #[consumes(
                app = Shop,
                topic = "orders",
                auto_offset_reset = "earliest",
                backoff = Duration::from_millis(200),
                handler_timeout = Duration::from_secs(10),
                max_poll_records = 5,
                attempts = 2,
                dead_letter = "orders.dead",
                $($setting)*
            )]
            pub(in super::super) async fn on_orders(
                orders: Vec<u64>,
                metas: Vec<EventMetadata>,
                State(tries): State<Tries>,
            ) -> Result<(), BatchFailure> {
                for (at, (n, meta)) in orders.into_iter().zip(metas).enumerate() {
                    let fate = tries.fate(n, &meta).await;
                    fate.map_err(|failure| BatchFailure::at(at, failure.message()))?;
                    let sent = to_ledger(n).await;
                    sent.map_err(|error| BatchFailure::at(at, error))?;
                }
                Ok(())
            }
        }
    };
}

batches!(batched {});
batches!(batched_unordered {
    order = "unordered",
    concurrency = 4,
});

/// Settled later, by a task of the handler or by whoever has its `Ack`.
pub(super) mod settled_later {
    use super::*;

    pub(in super::super) struct Shop;

    #[produces(app = Shop, topic = "ledger")]
    async fn to_ledger(n: u64) -> Result<u64, ProduceError> {
        Ok(n)
    }

    #[consumes(
        app = Shop,
        topic = "orders",
        auto_offset_reset = "earliest",
        enable_auto_commit = false,
        backoff = Duration::from_millis(200),
        handler_timeout = Duration::from_secs(10),
        attempts = 2,
        dead_letter = "orders.dead"
    )]
    pub(in super::super) async fn on_orders(
        n: u64,
        ack: Ack,
        meta: EventMetadata,
        State(tries): State<Tries>,
    ) -> Result<(), Failure> {
        if n.is_multiple_of(4) {
            fastkafka::spawn(async move {
                tokio::time::sleep(Duration::from_millis(n)).await;
                to_ledger(n).await.map(drop)
            });
        } else {
            tries.fate(n, &meta).await?;
            to_ledger(n).await?;
        }
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(n * 7 % 40)).await;
            // Its partition may have been given away.
            let _ = ack.ack();
        });
        Ok(())
    }
}

/// Writes to another cluster than it reads from.
pub(super) mod across {
    use super::*;

    pub(in super::super) struct Shop;

    fn books() -> Brokers {
        Brokers::new("books")
    }

    #[produces(app = Shop, topic = "ledger", brokers = books)]
    async fn to_ledger(n: u64) -> Result<u64, ProduceError> {
        Ok(n)
    }

    #[consumes(
        app = Shop,
        topic = "orders",
        auto_offset_reset = "earliest",
        order = "key",
        concurrency = 16,
        backoff = Duration::from_millis(200),
        handler_timeout = Duration::from_secs(10),
        attempts = 3,
        dead_letter = "orders.dead"
    )]
    pub(in super::super) async fn on_orders(
        n: u64,
        meta: EventMetadata,
        State(tries): State<Tries>,
    ) -> Result<(), Failure> {
        tries.fate(n, &meta).await?;
        to_ledger(n).await?;
        Ok(())
    }
}

/// Every process reads everything.
pub(super) mod without_group {
    use super::*;

    pub(in super::super) struct Shop;

    #[consumes(
        app = Shop,
        topic = "orders",
        group_id = None,
        auto_offset_reset = "earliest",
        backoff = Duration::from_millis(200),
        handler_timeout = Duration::from_secs(10),
        attempts = 2,
        on_failure = "skip"
    )]
    pub(in super::super) async fn on_orders(
        n: u64,
        meta: EventMetadata,
        State(tries): State<Tries>,
    ) -> Result<(), Failure> {
        tries.fate(n, &meta).await
    }
}

/// One chaos with an app of `A`, whose handler is `H`. Returns all calls, in order.
pub(super) async fn run<A: 'static, H: Consumer<Kind = Consumes>>(seed: u64) -> Vec<Tried> {
    let (all, begun) = (Arc::<Mutex<Vec<_>>>::default(), Instant::now());
    let of_all = all.clone();
    let make = move || {
        App::scoped::<A>()
            .title("Shop")
            .topic("orders", Topic::new().partitions(PARTITIONS))
            .state(Tries {
                of_process: Arc::default(),
                of_all: of_all.clone(),
                begun,
            })
            .build()
    };
    let tester = Tester::builder().in_memory_broker();
    let tester = tester.start_with(make).await.unwrap();
    tester.allow_panics();
    let orders = tester.mirror::<H>();
    for n in 0..RECORDS {
        let order = orders.raw(n.to_string());
        order.key(format!("customer {}", n % 5)).unsettled().await;
    }
    tester.chaos(seed).await;
    tester.stop().await;
    let all = all.lock().unwrap();
    all.clone()
}
