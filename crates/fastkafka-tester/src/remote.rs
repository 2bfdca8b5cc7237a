//! The same tests on a broker: topics and groups of the test's own, real time, and a consumer that
//! watches every topic.

use crate::broker::{NewRecord, Refusal};
use crate::function::Function;
use crate::journal::{Journal, TopicRecord};
use crate::subscription::Subscription;
use crate::watcher::Watcher;
use fastkafka::{App, Delivery, Problem, Problems, RunError};
use fastkafka_core::{DeliveryScope, OutRecord, Plan};
use fastkafka_runtime::medium::{Offsets, Outputs, Probe, Tailed, kafka_outputs};
use fastkafka_runtime::{Embedded, TopicSpec, create_topics};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Time for the broker to forget the topics; a test is not held up for longer.
const CLEAN_UP: Duration = Duration::from_secs(5);
/// How long an assertion waits for records that the broker has.
const CATCH_UP: Duration = Duration::from_secs(5);

/// Where a test runs that is not in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The name of a broker of the app, or an address.
    Broker(String),
    /// A broker in the process.
    Embedded,
}

/// See the module.
pub(crate) struct Remote {
    choice: Choice,
    outputs: Arc<dyn Outputs>,
    probe: Arc<Probe>,
    /// How far the watching consumer has come.
    seen: Arc<Mutex<Offsets>>,
    partitions: BTreeMap<String, i32>,
    /// What each group reads, and each handler without one.
    groups: Vec<Reads>,
    /// Its topics need no cleaning up.
    _embedded: Option<Embedded>,
}

/// A group, or a handler without one, with those of the test's topics that it reads.
#[derive(Clone)]
struct Reads {
    group: String,
    alone: bool,
    topics: Vec<String>,
}

/// What each app is told before it starts.
struct Choice {
    broker: String,
    suffix: String,
    embedded: bool,
}

impl Choice {
    fn make(&self, app: &App) -> Result<(), String> {
        app.set_kafka_broker(&self.broker).map_err(text)?;
        app.run_as_test(&self.suffix, self.embedded);
        Ok(())
    }
}

impl Remote {
    pub(crate) async fn start(
        target: Target,
        apps: &[App],
        topics: BTreeMap<String, usize>,
        journal: Journal,
        watcher: Watcher,
    ) -> Result<Self, String> {
        let suffix = format!("-{:016x}", rand::random::<u64>());
        let specs = specs(apps, topics);
        let app = apps.first().ok_or("there is no app to start")?;
        let embedded = match &target {
            Target::Broker(_) => None,
            Target::Embedded => Some(Embedded::start().map_err(text)?),
        };
        let broker = match (&target, &embedded) {
            (Target::Broker(name), _) => name.clone(),
            (_, Some(embedded)) => embedded.bootstrap().to_owned(),
            (Target::Embedded, None) => unreachable!("it was just started"),
        };
        let choice = Choice {
            broker,
            suffix,
            embedded: embedded.is_some(),
        };
        choice.make(app)?;
        let options = app.options();
        let options = options.ok_or("it has no address: write `.embedded()` for that one")?;
        let declared: Vec<_> = specs.values().cloned().collect();
        match &embedded {
            None => create_topics(&options, &Plan::default(), &declared)
                .await
                .map_err(text)?,
            Some(embedded) => {
                for mut spec in declared {
                    spec.name.push_str(&choice.suffix);
                    embedded.create_topic(&spec).map_err(text)?;
                }
            }
        }
        let partitions: BTreeMap<String, i32> = specs
            .iter()
            .map(|(name, spec)| (name.clone(), spec.partitions.unwrap_or(1)))
            .collect();
        let all = partitions.clone().into_iter().collect();
        let seen = Arc::<Mutex<Offsets>>::default();
        let (came, caught) = (seen.clone(), journal.clone());
        let probe = Probe::new(&options, "", all, move |record| {
            let (place, next) = ((record.topic.clone(), record.partition), record.offset + 1);
            let record = topic_record(record);
            let producer = watcher.claim(&record);
            journal.push(TopicRecord { producer, ..record });
            came.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(place, next);
        })
        .await?;
        let probe = Arc::new(probe);
        let (asks, came) = (probe.clone(), seen.clone());
        caught.catch_up_by(move || catch_up(&asks, &came));
        Ok(Self {
            outputs: kafka_outputs(&options, "").await?,
            choice,
            probe,
            seen,
            groups: groups(apps, &partitions)?,
            partitions,
            _embedded: embedded,
        })
    }

    /// Starts another app on the same broker.
    pub(crate) async fn launch(&self, app: &App) -> Result<(), RunError> {
        let chosen = self.choice.make(app);
        chosen.map_err(|what| RunError::Start(Problems(vec![Problem::Broker(what)])))?;
        app.start().await
    }

    pub(crate) fn broker(&self) -> &str {
        &self.choice.broker
    }

    pub(crate) async fn deliver(&self, record: NewRecord) -> Result<Delivery, String> {
        let partitions = self.partitions.get(&record.topic);
        if let (Some(partition), Some(&partitions)) = (record.partition, partitions)
            && !(0..partitions).contains(&partition)
        {
            let refusal = Refusal::UnknownPartition {
                topic: record.topic,
                partition,
                partitions: usize::try_from(partitions).unwrap_or_default(),
            };
            return Err(refusal.to_string());
        }
        let scope = DeliveryScope::collecting();
        let out = OutRecord {
            producer: None,
            cluster: None,
            topic: &record.topic,
            partition: record.partition,
            payload: record.payload.as_deref(),
            key: record.key.as_deref(),
            headers: &record.headers,
            timestamp: record.timestamp,
        };
        self.outputs
            .enqueue(out, scope.token(0))
            .map_err(|error| error.to_string())?;
        let reports = scope.reports().await;
        let delivered = reports.map_err(|failure| failure.message().to_owned())?;
        let first = delivered.into_iter().next();
        first.ok_or_else(|| "the broker reported no delivery".to_owned())
    }

    pub(crate) fn committed(&self, group: &str, topic: &str) -> Result<Offsets, String> {
        self.probe.committed(group, &[topic.to_owned()])
    }

    pub(crate) fn ends(&self) -> Result<Offsets, String> {
        self.probe.ends()
    }

    /// Asks the broker, and the apps, what is not settled, or was not seen yet.
    pub(crate) async fn look(&self, apps: &[App]) -> Result<Vec<String>, String> {
        // First what is settled: what comes to the log meanwhile shows as open.
        let alone = apps.iter().flat_map(App::settled);
        let alone = alone.filter_map(|(name, offsets)| {
            let reads = self.groups.iter().find(|reads| reads.group == name)?;
            Some((reads.clone(), offsets))
        });
        let mut settled: Vec<_> = alone.collect();
        let groups = self.groups.iter().filter(|reads| !reads.alone);
        let (probe, groups) = (self.probe.clone(), groups.cloned().collect::<Vec<_>>());
        let asked = tokio::task::spawn_blocking(move || {
            let mut committed = Vec::new();
            for reads in groups {
                let offsets = probe.committed(&reads.group, &reads.topics)?;
                committed.push((reads, offsets));
            }
            Ok::<_, String>((committed, probe.ends()?))
        });
        let (committed, ends) = asked.await.map_err(|error| error.to_string())??;
        settled.extend(committed);
        let mut open = Vec::new();
        for (reads, offsets) in settled {
            for ((topic, partition), end) in &ends {
                let place = (topic.clone(), *partition);
                let next = offsets.get(&place).copied();
                if reads.topics.contains(topic) && *end > 0 && next.is_none_or(|next| next < *end) {
                    let offset = next.unwrap_or(0);
                    open.push(format!(
                        "{topic}[{partition}] offset {offset} of {reads} is not settled"
                    ));
                }
            }
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, end) in &ends {
            if *end > 0 && seen.get(place).is_none_or(|next| next < end) {
                let (topic, partition) = place;
                open.push(format!(
                    "{topic}[{partition}] was not read up to offset {end}"
                ));
            }
        }
        Ok(open)
    }
}

/// Waits until what the topics have now was seen. Gives up in the end: an assertion then says what is
/// missing.
fn catch_up(probe: &Probe, seen: &Mutex<Offsets>) {
    let Ok(ends) = probe.ends() else { return };
    let begun = std::time::Instant::now();
    let behind = || {
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ends = ends.iter();
        ends.any(|(place, end)| *end > 0 && seen.get(place).is_none_or(|next| next < end))
    };
    while behind() && begun.elapsed() < CATCH_UP {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The cluster forgets what the test made there.
impl Drop for Remote {
    fn drop(&mut self) {
        if self._embedded.is_some() {
            return;
        }
        let probe = self.probe.clone();
        // On a thread of its own: a runtime may be at work in this one.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let cleaned = runtime
                    .block_on(async { tokio::time::timeout(CLEAN_UP, probe.clean_up()).await });
                if !matches!(cleaned, Ok(Ok(()))) {
                    tracing::warn!("the test's topics could not be deleted: {cleaned:?}");
                }
            }
        });
        // It has no more to say, also if it panicked.
        let _ = cleaning.join();
    }
}

/// What the apps and the test declare.
fn specs(apps: &[App], own: BTreeMap<String, usize>) -> BTreeMap<String, TopicSpec> {
    let declared = apps.iter().flat_map(App::topics);
    let mut specs: BTreeMap<_, _> = declared
        .map(|mut spec| {
            spec.partitions.get_or_insert(1);
            // A test's cluster is small.
            spec.replicas = None;
            (spec.name.clone(), spec)
        })
        .collect();
    for (name, partitions) in own {
        let spec = specs
            .entry(name.clone())
            .or_insert_with(|| TopicSpec::new(name));
        spec.partitions = i32::try_from(partitions).ok();
    }
    specs
}

fn groups(apps: &[App], topics: &BTreeMap<String, i32>) -> Result<Vec<Reads>, String> {
    let plans = apps.iter().filter_map(|app| app.check().ok());
    let mut all: Vec<Reads> = Vec::new();
    for group in plans.flat_map(|plan| plan.groups) {
        let handlers = group.handlers.iter();
        let names: Vec<_> = handlers
            .flat_map(|handler| handler.def.subscription())
            .collect();
        let subscription = Subscription::new(&names, &group.settings, &group.left_out)?;
        let read = topics
            .keys()
            .filter(|topic| subscription.takes(topic))
            .cloned();
        match all.iter_mut().find(|reads| reads.group == group.id) {
            Some(reads) => reads.topics.extend(read),
            None => all.push(Reads {
                topics: read.collect(),
                group: group.id,
                alone: group.alone,
            }),
        }
    }
    Ok(all)
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.alone {
            true => write!(f, "`{}`", self.group),
            false => write!(f, "group `{}`", self.group),
        }
    }
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

fn topic_record(record: Tailed) -> TopicRecord {
    TopicRecord {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp.unwrap_or_default(),
        key: record.key,
        payload: record.payload,
        headers: record.headers,
        producer: None::<Function>,
    }
}
