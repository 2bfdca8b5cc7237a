//! When nothing is left to do: every record of every topic that is read is terminal.

use crate::memory::cluster::State;
use crate::memory::clusters::Clusters;
use crate::memory::stored::Stored;
use crate::observed::report::on;
use crate::topology::Name;
use crate::watching::calls::CallOutcome;
use crate::watching::watcher::Watcher;
use fastkafka::App;
use fastkafka_sim::{Entry, GroupId, PartitionId, TopicId};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// How long records may take, on a clock of the test's own and on the machine's.
pub(crate) const VIRTUAL: Duration = Duration::from_secs(3_600);
pub(crate) const REAL: Duration = Duration::from_secs(10);
/// The same with a broker that joins, commits and answers in its own time.
pub(crate) const NETWORK: Duration = Duration::from_secs(30);

/// Records that do not become terminal, each with what is known about it.
///
/// ```
/// # use fastkafka_tester::Unsettled;
/// fn names_the_record(error: &Unsettled) -> bool {
///     error.problems().iter().any(|problem| problem.contains("orders[0]"))
/// }
/// # let _ = names_the_record;
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unsettled(Vec<String>);

impl Unsettled {
    pub(crate) fn new(problems: Vec<String>) -> Self {
        Self(problems)
    }

    /// A line for each record, partition or app.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

/// As it reads: `unwrap` prints it.
impl fmt::Debug for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How far the groups are.
pub(crate) enum Progress {
    /// Everything is terminal.
    Settled,
    /// Not yet, and nothing says that it will not be.
    Open,
    /// Only somebody's action can change it.
    Stuck(Vec<String>),
}

/// A record that is not terminal.
pub(crate) struct OpenRecord {
    cluster: Name,
    group: String,
    topic: String,
    partition: i32,
    entry: Entry<Stored>,
    /// The member that reads it, if any.
    read: bool,
}

/// What stands still in the apps, or ends them.
pub(crate) fn stuck(apps: &[App]) -> Vec<String> {
    let mut stuck = Vec::new();
    for app in apps {
        stuck.extend(app.failure());
        for group in app.health().groups {
            stuck.extend(group.stopped.iter().map(ToString::to_string));
            if group.more_stopped > 0 {
                stuck.push(format!("{} more records stand still", group.more_stopped));
            }
        }
    }
    stuck
}

impl Clusters {
    pub(crate) fn progress(&self, apps: &[App]) -> Progress {
        let complaints = self.all().map(|broker| broker.state().complaints.clone());
        let mut stuck: Vec<String> = complaints.flatten().collect();
        stuck.extend(self::stuck(apps));
        if !stuck.is_empty() {
            return Progress::Stuck(stuck);
        }
        let mut open = false;
        for broker in self.all() {
            let state = broker.state();
            if state.open().is_empty() {
                continue;
            }
            open = true;
            if state.down {
                stuck.push(state.says_down());
            }
        }
        match (stuck.is_empty(), open) {
            (false, _) => Progress::Stuck(stuck),
            (true, true) => Progress::Open,
            (true, false) => Progress::Settled,
        }
    }

    /// The first open record of each partition, in words, and whatever keeps all of them.
    pub(crate) fn open_records(&self, apps: &[App], watcher: &Watcher) -> Vec<String> {
        let waiting: Vec<_> = apps
            .iter()
            .flat_map(|app| app.health().groups)
            .flat_map(|group| group.waiting)
            .collect();
        let open: Vec<_> = self
            .all()
            .flat_map(|broker| broker.state().open())
            .collect();
        let down = self.all().map(|broker| broker.state());
        let down: Vec<_> = down
            .filter(|state| state.down)
            .map(|state| state.says_down())
            .collect();
        open.iter()
            .map(|open| {
                let at = open.entry.offset;
                let place = (open.topic.as_str(), open.partition, at);
                let waits = waiting.iter().find(|waiting| {
                    waiting.cluster == open.cluster
                        && (waiting.topic.as_str(), waiting.partition, waiting.offset) == place
                });
                match waits {
                    Some(waiting) => format!(
                        "{open}: `{}` fails again and again: {}",
                        waiting.handler, waiting.error
                    ),
                    None if !open.read => format!("{open}: no member of the group reads it"),
                    None => format!("{open}: {}", holds(open, apps, watcher)),
                }
            })
            .chain(down)
            .collect()
    }
}

/// What a record waits for that its group reads and that has not failed.
fn holds(open: &OpenRecord, apps: &[App], watcher: &Watcher) -> String {
    let plans = apps.iter().filter_map(|app| app.check().ok());
    let mut groups = plans.flat_map(|plan| plan.groups);
    let group = groups.find(|group| group.cluster == open.cluster && group.id == open.group);
    let mut handlers = group.iter().flat_map(|group| &group.handlers);
    let Some(handler) = handlers.find(|handler| handler.def.takes(&open.topic)) else {
        return "no app has a handler of it".to_owned();
    };
    let calls = watcher.calls(handler.def.into());
    let of_record = calls.iter().rev().find(|call| {
        let mut records = call.records.iter();
        records.any(|record| {
            (record.topic.as_str(), record.partition, record.offset)
                == (open.topic.as_str(), open.partition, open.entry.offset)
        })
    });
    let name = handler.def.name;
    match of_record.map(|call| call.outcome()) {
        None => format!("`{name}` has not been called with it"),
        Some(CallOutcome::Running) if handler.def.blocking => {
            format!("`{name}` was called on a thread of its own and has not returned")
        }
        Some(CallOutcome::Running) => format!("`{name}` was called and has not returned"),
        Some(CallOutcome::Done) => format!(
            "`{name}` has returned, and an `Ack`, a task of `fastkafka::spawn` or an output of it is still open"
        ),
        Some(_) => format!("`{name}` has failed, and is to be tried again"),
    }
}

impl State {
    fn says_down(&self) -> String {
        match self.name {
            "" => "the broker is down: call `broker_up()`".to_owned(),
            name => format!(
                "the broker of cluster `{name}` is down: call `tester.cluster(\"{name}\").broker_up()`"
            ),
        }
    }

    /// The first record of each partition that its group has not settled. Groups without a member
    /// do not run.
    fn open(&self) -> Vec<OpenRecord> {
        let mut reads: BTreeSet<(GroupId, TopicId)> = BTreeSet::new();
        for member in &self.members {
            let group = member.client.group();
            reads.extend(member.topics.iter().map(|topic| (group, *topic)));
        }
        let mut open = Vec::new();
        for (group, topic) in reads {
            for &partition in self.cluster.partitions(topic) {
                let Some(entry) = self.first_open(group, partition) else {
                    continue;
                };
                let mut members = self.members.iter();
                open.push(OpenRecord {
                    cluster: self.name,
                    group: self.cluster.group_name(group).to_owned(),
                    topic: self.cluster.topic_name(topic).to_owned(),
                    partition: self.cluster.place(partition).1,
                    entry: entry.clone(),
                    read: members.any(|member| {
                        let client = &member.client;
                        client.group() == group && client.position(partition).is_some()
                    }),
                });
            }
        }
        open
    }

    fn first_open(&self, group: GroupId, partition: PartitionId) -> Option<&Entry<Stored>> {
        let committed = self.cluster.committed(group, partition);
        let committed = committed.map(|committed| committed.offset);
        // What is handled counts, too, while commits cannot arrive.
        let stored = self.members.iter().filter(|_| self.commits_lost);
        let stored = stored.filter(|member| member.client.group() == group);
        let stored = stored.filter_map(|member| member.client.stored(partition));
        let next = stored.map(|stored| stored.offset).chain(committed).max();
        let entries = self.cluster.log(partition)?.entries();
        let at = entries.partition_point(|entry| Some(entry.offset) < next);
        entries.get(at)
    }
}

impl fmt::Display for OpenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}]{} offset {} of group `{}` is not settled",
            self.topic,
            self.partition,
            on(self.cluster),
            self.entry.offset,
            self.group
        )
    }
}
