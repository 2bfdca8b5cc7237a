//! What an app will do, worked out and checked before anything is connected.

pub(crate) mod broker_choice;
mod check;
pub(crate) mod cluster;
pub(crate) mod explain;
mod order;
pub(crate) mod overrides;
mod precedence;
pub(crate) mod problem;

use crate::app::AppSpec;
use crate::function::background::Task;
use crate::function::definition::{ConsumerDef, ProducerDef};
use crate::function::meter::meters;
use crate::function::registry::Def;
use crate::plan::cluster::{Cluster, Clusters, Site};
use crate::plan::explain::{consumer_levels, producer_levels};
use crate::plan::problem::{Problem, Problems};
use crate::settings::{ConsumerSettings, GroupId, ProducerSettings, Text};
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
    pub standalone: bool,
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
    pub fn new(app: &AppSpec) -> Result<Self, Problems> {
        let (plan, problems) = Self::sketch(app);
        if problems.is_empty() {
            Ok(plan)
        } else {
            Err(Problems(problems))
        }
    }

    /// The plan as far as it can be worked out, and what is wrong with it.
    pub fn sketch(app: &AppSpec) -> (Self, Vec<Problem>) {
        let mut problems = overrides::check(app);
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
        let mut clusters = Clusters::new(&app.brokers);
        let mut groups: BTreeMap<(Text, String), Vec<Member>> = BTreeMap::new();
        for def in app.registry.defs() {
            match def {
                Def::Consumer(def) => {
                    let levels = consumer_levels(app, &def.path(), (def.settings)());
                    let own = levels.own();
                    let all = levels.all(&own);
                    let settings = own.clone().over(&all);
                    let handler = Handler { def, settings };
                    check::handler(app, &handler, &own, &mut problems);
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
                            what: check::TWOFOLD.to_owned(),
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
                    let task = Task::new(def);
                    check::task(app, &task, &mut problems);
                    plan.tasks.push(task);
                }
            }
        }
        for meter in meters(app.registry.defs()) {
            check::meter(meter, &mut problems);
        }
        for ((cluster, id), members) in groups {
            check::topics(&id, &members, &mut problems);
            let settings = check::agree(&id, &members, &mut problems);
            let standalone = members[0].handler.settings.group_id == Some(GroupId::None);
            let handlers = members.into_iter().map(|member| member.handler).collect();
            plan.groups.push(Group {
                cluster,
                standalone,
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

/// The id of a handler's group; each handler without one stands for itself.
fn group_of(app: &AppSpec, handler: &Handler) -> String {
    match &handler.settings.group_id {
        Some(GroupId::Named(id)) => id.to_string(),
        Some(GroupId::None) => format!("{} (no group)", handler.def.path()),
        None => app.group_id.clone(),
    }
}

/// What is said of all producers. The offset of a record waits for its dead letter, so that is
/// acknowledged by all replicas, whatever is said of others.
///
/// They are written to the cluster of their records. How that is reached is said by the producers of
/// the app where they are on it too, and by the first group there where it has only an address.
fn dead_letters(app: &AppSpec, cluster: &Cluster, first: Option<&Group>) -> ProducerSettings {
    let none = ProducerSettings::default();
    let mut settings = producer_levels(app, "", none.clone()).all(&none);
    settings.acks = None;
    settings.enable_idempotence = None;
    if Site::from(&settings).cluster(&app.brokers) != cluster.name {
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
