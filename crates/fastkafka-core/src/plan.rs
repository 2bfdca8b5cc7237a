//! What an app will do, worked out and checked before anything is connected.

use crate::app::AppCore;
use crate::background::Task;
use crate::cluster::{Cluster, Clusters, Site};
use crate::definition::{ConsumerDef, ProducerDef};
use crate::explain::{consumer_levels, producer_levels};
use crate::meter::Meter;
use crate::order;
use crate::outside;
use crate::problem::{Problem, Problems};
use crate::registry::{Def, Location};
use crate::settings::{
    ConsumerSettings, GroupId, GroupProtocol, OffsetReset, ProducerSettings, Restart, Text,
};
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

/// A consumer with its effective settings.
#[derive(Clone, Debug)]
pub struct Handler {
    /// The function.
    pub def: &'static ConsumerDef,
    /// Its settings.
    pub settings: ConsumerSettings,
}

/// The handlers that share one consumer.
#[derive(Clone, Debug)]
pub struct Group {
    /// The cluster it reads from.
    pub cluster: Text,
    /// The group's id; without a group what stands for it in logs.
    pub id: String,
    /// It is none: the one handler reads all partitions in every process, and nothing is committed.
    pub alone: bool,
    /// What its pattern leaves out: all dead-letter topics of the app.
    pub left_out: Vec<String>,
    /// What reaches the consumer: the settings its handlers agree on.
    pub settings: ConsumerSettings,
    /// Its handlers, one per topic.
    pub handlers: Vec<Handler>,
}

/// A producer with its effective settings.
#[derive(Clone, Debug)]
pub struct Output {
    /// The function.
    pub def: &'static ProducerDef,
    /// The cluster it writes to.
    pub cluster: Text,
    /// Its settings.
    pub settings: ProducerSettings,
}

/// Everything an app will do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The clusters, the app's own first.
    pub clusters: Vec<Cluster>,
    /// The groups, by cluster and id.
    pub groups: Vec<Group>,
    /// The producers.
    pub outputs: Vec<Output>,
    /// The background tasks.
    pub tasks: Vec<Task>,
}

/// The app's own cluster, and nothing on it.
impl Default for Plan {
    fn default() -> Self {
        Self::empty("")
    }
}

impl Plan {
    /// A cluster, and nothing on it.
    pub fn empty(cluster: &str) -> Self {
        Self {
            clusters: vec![Cluster::new(cluster.to_owned())],
            groups: Vec::new(),
            outputs: Vec::new(),
            tasks: Vec::new(),
        }
    }

    /// Works the plan out.
    ///
    /// # Errors
    /// Every problem that shows without a broker, all at once.
    pub fn of(app: &AppCore) -> Result<Self, Problems> {
        let (plan, problems) = Self::sketch(app);
        if problems.is_empty() {
            Ok(plan)
        } else {
            Err(Problems(problems))
        }
    }

    /// The plan as far as it can be worked out, and what is wrong with it.
    pub fn sketch(app: &AppCore) -> (Self, Vec<Problem>) {
        let mut problems = outside::check(app);
        if app.registry.defs().is_empty() {
            problems.push(Problem::Empty);
        }
        for pair in app.registry.defs().windows(2) {
            if (pair[0].module(), pair[0].name()) == (pair[1].module(), pair[1].name()) {
                problems.push(Problem::Duplicate {
                    name: pair[0].name(),
                    first: pair[0].location(),
                    second: pair[1].location(),
                });
            }
        }
        let mut plan = Self::empty("");
        let mut clusters = Clusters::of(app);
        let mut groups: BTreeMap<(Text, String), Vec<Member>> = BTreeMap::new();
        for def in app.registry.defs() {
            match def {
                Def::Consumer(def) => {
                    let levels = consumer_levels(app, &def.path(), (def.settings)());
                    let own = levels.own();
                    let all = levels.all(&own);
                    let settings = own.clone().over(&all);
                    let handler = Handler { def, settings };
                    check_handler(app, &handler, &own, &mut problems);
                    let function = (def.name, def.location);
                    let site = Site::from(&handler.settings);
                    let cluster = clusters.enter(site, function, &mut problems);
                    let id = group_of(app, &handler);
                    let member = Member { handler, own, all };
                    groups.entry((cluster, id)).or_default().push(member);
                }
                Def::Producer(def) => {
                    let levels = producer_levels(app, &def.path(), (def.settings)());
                    let own = levels.own();
                    let settings = own.clone().over(&levels.all(&own));
                    let function = (def.name, def.location);
                    let site = Site::from(&settings);
                    if site.is_twofold() {
                        problems.push(Problem::Setting {
                            handler: def.name,
                            what: TWOFOLD.to_owned(),
                            at: def.location,
                        });
                    }
                    let cluster = clusters.enter(site, function, &mut problems);
                    plan.outputs.push(Output {
                        def,
                        cluster,
                        settings,
                    });
                }
                Def::Background(def) => {
                    let task = Task::of(def);
                    check_task(app, &task, &mut problems);
                    plan.tasks.push(task);
                }
            }
        }
        for tally in app.tallies() {
            check_meter(tally.meter(), &mut problems);
        }
        for ((cluster, id), members) in groups {
            check_topics(&id, &members, &mut problems);
            let settings = agree(&id, &members, &mut problems);
            let alone = members[0].handler.settings.group_id == Some(GroupId::None);
            let handlers = members.into_iter().map(|member| member.handler).collect();
            plan.groups.push(Group {
                cluster,
                alone,
                left_out: Vec::new(),
                id,
                settings,
                handlers,
            });
        }
        plan.clusters = clusters.end();
        for cluster in &mut plan.clusters {
            let mut groups = plan.groups.iter();
            let first = groups.find(|group| group.cluster == cluster.name);
            cluster.dead_letters = dead_letters(app, cluster, first);
        }
        let by_pattern =
            |group: &&mut Group| group.handlers.iter().any(|h| h.def.pattern.is_some());
        let dead = plan.dead_letter_topics();
        for group in plan.groups.iter_mut().filter(by_pattern) {
            let dead = dead.iter().filter(|(cluster, _)| *cluster == group.cluster);
            group.left_out = dead.map(|(_, topic)| topic.clone()).collect();
        }
        (plan, problems)
    }

    /// Every topic that is read or written, dead letters included, with its cluster; each once, in
    /// order.
    pub fn topics(&self) -> BTreeSet<(Text, String)> {
        let read = self.groups.iter().flat_map(|group| {
            let topics = group.handlers.iter().flat_map(|handler| handler.def.topics);
            topics.map(|topic| (group.cluster.clone(), (*topic).to_owned()))
        });
        read.chain(self.written()).collect()
    }

    /// Every topic that is written, dead letters included, with its cluster; each once, in order.
    pub fn written(&self) -> BTreeSet<(Text, String)> {
        let outputs = self.outputs.iter();
        let outputs = outputs.map(|output| (output.cluster.clone(), output.def.topic.to_owned()));
        outputs.chain(self.dead_letter_topics()).collect()
    }

    /// A handler on this cluster has a dead-letter topic.
    pub fn has_dead_letters(&self, cluster: &Cluster) -> bool {
        let mut topics = self.dead_letter_topics().into_iter();
        topics.any(|(of, _)| of == cluster.name)
    }

    /// A dead letter stays on the cluster of its record.
    fn dead_letter_topics(&self) -> Vec<(Text, String)> {
        let topics = self.groups.iter().flat_map(|group| {
            let handlers = group.handlers.iter();
            let topics = handlers.filter_map(|handler| handler.settings.dead_letter.as_deref());
            topics.map(|topic| (group.cluster.clone(), topic.to_owned()))
        });
        topics.collect()
    }
}

const TWOFOLD: &str =
    "has both `brokers` and `bootstrap_servers`; keep one: each says which cluster it is on";

/// The id of a handler's group; each handler without one stands for itself.
fn group_of(app: &AppCore, handler: &Handler) -> String {
    match &handler.settings.group_id {
        Some(GroupId::Named(id)) => id.to_string(),
        Some(GroupId::None) => format!("{} (no group)", handler.def.path()),
        None => app.group_id.clone(),
    }
}

fn check_handler(
    app: &AppCore,
    handler: &Handler,
    own: &ConsumerSettings,
    problems: &mut Vec<Problem>,
) {
    let Handler { def, settings } = handler;
    check_state(app, def.requires, (def.name, def.location), problems);
    let mut wrong = |what: String| {
        problems.push(Problem::Setting {
            handler: def.name,
            what,
            at: def.location,
        });
    };
    if Site::from(settings).is_twofold() {
        wrong(TWOFOLD.into());
    }
    let auto = settings.enable_auto_commit.unwrap_or(true);
    if def.settles && auto {
        wrong("takes an `Ack` but its return value settles the record; add `enable_auto_commit = false`".into());
    }
    if !def.settles && !auto {
        wrong("has `enable_auto_commit = false` but nothing settles its records; take an `Ack` as parameter".into());
    }
    if settings.dead_letter.is_some() && settings.on_failure.is_some() {
        wrong("has both `dead_letter` and `on_failure`; keep one: a dead letter is what follows a failure".into());
    }
    if let Some(dead) = settings.dead_letter.as_deref()
        && def.topics.contains(&dead)
    {
        wrong(format!(
            "names its own topic `{dead}` as `dead_letter`; its failures would come back to it for ever"
        ));
    }
    if own.exclude_internal_topics.is_some() && def.pattern.is_none() {
        wrong("has `exclude_internal_topics`, which has no meaning without a `pattern`".into());
    }
    if settings.group_id == Some(GroupId::None) {
        check_alone(def, settings, own, &mut wrong);
    }
    if settings.max_poll_records == Some(0) {
        wrong("has `max_poll_records = 0`; it must be at least 1".into());
    }
    for what in order::contradictions(settings, def.batch) {
        wrong(what.into());
    }
    if settings.attempts == Some(crate::settings::Attempts::Times(0)) {
        wrong("has `attempts = 0`; the first attempt counts, so it must be at least 1".into());
    }
    if settings.group_protocol == Some(GroupProtocol::Consumer) {
        let classic = [
            ("session_timeout_ms", settings.session_timeout_ms.is_some()),
            (
                "heartbeat_interval_ms",
                settings.heartbeat_interval_ms.is_some(),
            ),
            (
                "partition_assignment_strategy",
                settings.partition_assignment_strategy.is_some(),
            ),
        ];
        for (key, _) in classic.iter().filter(|(_, set)| *set) {
            wrong(format!(
                "sets `{key}`, which the broker decides with `group_protocol = \"consumer\"`; remove one of them"
            ));
        }
    }
}

fn check_state(
    app: &AppCore,
    requires: fn(&mut dyn FnMut(TypeId, &'static str)),
    (function, at): (&'static str, Location),
    problems: &mut Vec<Problem>,
) {
    requires(&mut |id, state| {
        if !app.states.has(id) {
            problems.push(Problem::MissingState {
                handler: function,
                state,
                at,
            });
        }
    });
}

fn check_task(app: &AppCore, task: &Task, problems: &mut Vec<Problem>) {
    let def = task.def;
    check_state(app, def.requires, (def.name, def.location), problems);
    if task.restart == Restart::OnFailure && task.backoff.min(task.backoff_max).is_zero() {
        problems.push(Problem::Setting {
            handler: def.name,
            what: "has no pause between its restarts; make `backoff` and `backoff_max` longer than nothing".to_owned(),
            at: def.location,
        });
    }
}

/// Literals were checked by the compiler.
fn check_meter(meter: &Meter, problems: &mut Vec<Problem>) {
    let mut wrong = |what: &str| {
        problems.push(Problem::Setting {
            handler: meter.function.name(),
            what: format!("has a `#[benchmark]` {what}"),
            at: meter.function.location(),
        });
    };
    if (meter.interval)().is_zero() {
        wrong("whose `interval` is nothing; make it longer");
    }
    if (meter.window)() == Some(0) {
        wrong("whose `sliding_window_size` is 0; make it at least 1, or leave it out");
    }
}

/// What has no meaning without a group. Of what is said of all it is not asked.
fn check_alone(
    def: &ConsumerDef,
    settings: &ConsumerSettings,
    own: &ConsumerSettings,
    wrong: &mut impl FnMut(String),
) {
    let of_groups = [
        ("group_protocol", own.group_protocol.is_some()),
        ("group_instance_id", own.group_instance_id.is_some()),
        (
            "partition_assignment_strategy",
            own.partition_assignment_strategy.is_some(),
        ),
        ("session_timeout_ms", own.session_timeout_ms.is_some()),
        ("heartbeat_interval_ms", own.heartbeat_interval_ms.is_some()),
        (
            "auto_commit_interval_ms",
            own.auto_commit_interval_ms.is_some(),
        ),
    ];
    for (key, _) in of_groups.iter().filter(|(_, set)| *set) {
        wrong(format!(
            "has `{key}`, which has no meaning with `group_id = None`; remove one of them"
        ));
    }
    if def.pattern.is_some() {
        wrong("has `pattern` and `group_id = None`: topics are found by pattern as a member of a group; name the `topics`".into());
    }
    if settings.auto_offset_reset == Some(OffsetReset::None) {
        wrong("has `auto_offset_reset = \"none\"` and `group_id = None`: without a group there is never a committed offset to begin at".into());
    }
}

/// A record goes to exactly one handler of a group, so that its offset has one owner.
fn check_topics(group: &str, members: &[Member], problems: &mut Vec<Problem>) {
    for (i, second) in members.iter().enumerate() {
        let second = second.handler.def;
        for first in members[..i].iter().map(|first| first.handler.def) {
            let place = |def: &ConsumerDef| (def.name, def.location);
            if let Some(pattern) = first.pattern.or(second.pattern) {
                problems.push(Problem::SharedPattern {
                    pattern,
                    group: group.to_owned(),
                    first: place(first),
                    second: place(second),
                });
            } else if let Some(topic) = second.topics.iter().find(|topic| first.takes(topic)) {
                problems.push(Problem::SameTopic {
                    topic,
                    group: group.to_owned(),
                    first: place(first),
                    second: place(second),
                });
                // One of those before is enough.
                break;
            }
        }
    }
}

/// What is said of all producers. The offset of a record waits for its dead letter, so that is
/// acknowledged by all replicas, whatever is said of others.
///
/// They are written to the cluster of their records. How that is reached is said by the producers of
/// the app where they are on it too, and by the first group there where it has only an address.
fn dead_letters(app: &AppCore, cluster: &Cluster, first: Option<&Group>) -> ProducerSettings {
    let none = ProducerSettings::default();
    let mut settings = producer_levels(app, "", none.clone()).all(&none);
    settings.acks = None;
    settings.enable_idempotence = None;
    if Site::from(&settings).cluster(app) != cluster.name {
        let group = first.filter(|_| cluster.is_address);
        let connection = group.map(|group| group.settings.connection());
        settings = settings.reached_by(connection.unwrap_or_default());
    }
    settings.brokers = None;
    settings
}

/// A handler of a group, with what is said of it alone and of all.
struct Member {
    handler: Handler,
    own: ConsumerSettings,
    all: ConsumerSettings,
}

/// The settings that reach the consumer. Handlers that say nothing follow those that do.
fn agree(group: &str, members: &[Member], problems: &mut Vec<Problem>) -> ConsumerSettings {
    let mut agreed = ConsumerSettings::default();
    for (i, second) in members.iter().enumerate() {
        let mut reported = Vec::new();
        for first in &members[..i] {
            for key in first.own.conflicts(&second.own) {
                if reported.contains(&key) {
                    continue;
                }
                reported.push(key);
                let place =
                    |member: &Member| (member.handler.def.name, member.handler.def.location);
                problems.push(Problem::Conflict {
                    group: group.to_owned(),
                    key,
                    first: place(first),
                    second: place(second),
                });
            }
        }
        agreed = agreed.over(&second.own.of_client());
    }
    let all = members.iter().map(|member| member.all.of_client());
    all.fold(agreed, |agreed, all| agreed.over(&all))
}
