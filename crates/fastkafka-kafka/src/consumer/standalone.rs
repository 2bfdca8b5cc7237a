//! A consumer without a group: it has all partitions, and looks for new ones itself.

use crate::consumer::blocking::Request;
use crate::names::ClusterNames;
use fastkafka_core::{ConsumerSettings, OffsetReset};
use fastkafka_runtime::platform::PartitionRef;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Between two looks while nothing is known.
const SOON: Duration = Duration::from_secs(1);
/// Between two looks for new partitions that nobody said otherwise of.
const REFRESH: Duration = Duration::from_secs(300);

pub(crate) struct Standalone {
    topics: Vec<String>,
    names: ClusterNames,
    refresh: Duration,
    /// `None`: it ends.
    look_at: Option<Instant>,
    /// Partitions of a topic that was known before are new: nothing of them was ever read.
    known: HashSet<PartitionRef>,
    new: HashSet<PartitionRef>,
}

impl Standalone {
    /// `topics` as the cluster calls them.
    pub(crate) fn new(
        topics: Vec<String>,
        names: ClusterNames,
        settings: &ConsumerSettings,
    ) -> Self {
        let refresh = settings.metadata_max_age_ms;
        Self {
            topics,
            names,
            refresh: refresh.map_or(REFRESH, Duration::from_millis),
            look_at: Some(Instant::now()),
            known: HashSet::new(),
            new: HashSet::new(),
        }
    }

    /// The look to take, when it is time.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Request> {
        let due = self.look_at.is_some_and(|at| at <= now);
        due.then(|| {
            let wait = if self.known.is_empty() {
                SOON
            } else {
                self.refresh
            };
            self.look_at = Some(now + wait);
            Request::List(self.topics.clone(), self.names.clone())
        })
    }

    /// Leaves those that were not there before; false when there are none.
    pub(crate) fn takes(&mut self, places: &mut Vec<PartitionRef>) -> bool {
        if self.look_at.is_none() {
            return false;
        }
        let first = self.known.is_empty();
        places.retain(|place| self.known.insert(*place));
        if first {
            self.look_at = Some(Instant::now() + self.refresh);
        } else {
            self.new.extend(places.iter().copied());
        }
        !places.is_empty()
    }

    /// What was added since begins at its beginning.
    pub(crate) fn policies(
        &self,
        places: Vec<(PartitionRef, OffsetReset)>,
    ) -> Vec<(PartitionRef, OffsetReset)> {
        let policy = |(place, policy)| match self.new.contains(&place) {
            true => (place, OffsetReset::Earliest),
            false => (place, policy),
        };
        places.into_iter().map(policy).collect()
    }

    pub(crate) fn end(&mut self) {
        self.look_at = None;
    }
}
