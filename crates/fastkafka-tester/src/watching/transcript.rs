//! The transcript: what has happened in a test, a line for each, in virtual time.

use crate::lines::{on, record_line};
use crate::lock::lock;
use crate::record::TopicRecord;
use crate::schedule::steps::Steps;
use crate::topology::ClusterName;
use crate::watching::calls::{EndedRecord, RecordedCall};
use fastkafka_core::{RecordEnd, TopicPartition};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// All events of a test. Clones share them.
#[derive(Clone)]
pub(crate) struct Transcript(Arc<Shared>);

struct Shared {
    begun: Instant,
    steps: Steps,
    events: Mutex<Vec<Noted>>,
}

struct Noted {
    /// Since the start of the tester.
    at: Duration,
    /// The steps of the run that were taken before.
    step: usize,
    event: Event,
}

/// Something that has happened. It is put into words when somebody asks.
pub(crate) enum Event {
    Starts {
        process: u32,
    },
    Stops {
        process: u32,
    },
    Crashes {
        process: u32,
    },
    Assigned {
        process: u32,
        group: String,
        places: Vec<&'static TopicPartition>,
    },
    Revoked {
        process: u32,
        group: String,
        places: Vec<&'static TopicPartition>,
        lost: bool,
    },
    Arrives(Arc<TopicRecord>),
    Called(Arc<RecordedCall>),
    Returned(Arc<RecordedCall>),
    Ended(EndedRecord),
    Committed {
        process: u32,
        group: String,
        place: &'static TopicPartition,
        offset: i64,
        lost: bool,
    },
    OutputFails {
        topic: String,
        cluster: ClusterName,
        how: &'static str,
    },
    BrokerDown(ClusterName),
    BrokerUp(ClusterName),
    /// What an exploration does, in words.
    Deviation(String),
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

impl Transcript {
    pub(crate) fn new(steps: Steps) -> Self {
        Self(Arc::new(Shared {
            begun: Instant::now(),
            steps,
            events: Mutex::default(),
        }))
    }

    /// The steps of the run.
    pub(crate) fn steps(&self) -> &Steps {
        &self.0.steps
    }

    pub(crate) fn note(&self, event: Event) {
        let at = self.0.begun.elapsed();
        let step = self.0.steps.number();
        let overtaken = self.0.steps.overtaken().into_iter();
        let events = overtaken.map(Event::Deviation).chain([event]);
        let noted = events.map(|event| Noted { at, step, event });
        lock(&self.0.events).extend(noted);
        self.0.steps.note();
    }

    /// A line for each event, each after its time.
    pub(crate) fn lines(&self) -> Vec<String> {
        let events = lock(&self.0.events);
        let line = |noted: &Noted| format!("{} {}", time(noted.at), noted.event.line());
        events.iter().map(line).collect()
    }

    /// The same, each after the number of the step that came next. What an exploration did is marked.
    pub(crate) fn steps_and_lines(&self) -> Vec<String> {
        let events = lock(&self.0.events);
        let line = |noted: &Noted| {
            let (mark, step) = match noted.event {
                Event::Deviation(_) => (">", noted.step.saturating_sub(1)),
                _ => (" ", noted.step),
            };
            format!("{mark}{step:>5} {} {}", time(noted.at), noted.event.line())
        };
        events.iter().map(line).collect()
    }
}

/// In seconds, to the millisecond.
fn time(at: Duration) -> String {
    format!("{:>9.3}s", at.as_secs_f64())
}

fn list(places: &[&TopicPartition]) -> String {
    let mut places: Vec<_> = places.iter().map(ToString::to_string).collect();
    places.sort_unstable();
    places.join(", ")
}

impl Event {
    fn line(&self) -> String {
        match self {
            Self::Starts { process } => format!("process {process} starts"),
            Self::Stops { process } => format!("process {process} stops"),
            Self::Crashes { process } => format!("process {process} crashes"),
            Self::Assigned {
                process,
                group,
                places,
            } => format!("process {process} in `{group}`: gets {}", list(places)),
            Self::Revoked {
                process,
                group,
                places,
                lost,
            } => {
                let what = if *lost { "has lost" } else { "gives back" };
                format!("process {process} in `{group}`: {what} {}", list(places))
            }
            Self::Arrives(record) => {
                let from = match &record.producer {
                    Some(producer) => format!("of {producer} "),
                    None => String::new(),
                };
                format!("record {from}=> {}", record_line(record))
            }
            Self::Called(call) => format!(
                "process {}: {} <= {}",
                call.process,
                call.function,
                call.beginning()
            ),
            Self::Returned(call) => format!(
                "process {}: {}: {}",
                call.process,
                call.function,
                call.line()
            ),
            Self::Ended(end) => {
                let how = match end.how {
                    RecordEnd::DeadLettered => "goes to the dead letters",
                    RecordEnd::Skipped => "is skipped",
                };
                format!(
                    "process {}: {}: {} offset {} {how}",
                    end.process, end.function, end.place, end.offset
                )
            }
            Self::Committed {
                process,
                group,
                place,
                offset,
                lost,
            } => {
                let lost = if *lost { ", which is lost" } else { "" };
                format!("process {process} in `{group}`: commits {offset} in {place}{lost}")
            }
            Self::OutputFails {
                topic,
                cluster,
                how,
            } => format!("the next record for `{topic}`{} {how}", on(cluster)),
            Self::BrokerDown(cluster) => format!("the broker{} is down", on(cluster)),
            Self::BrokerUp(cluster) => format!("the broker{} is back", on(cluster)),
            Self::Deviation(what) => what.clone(),
        }
    }
}
