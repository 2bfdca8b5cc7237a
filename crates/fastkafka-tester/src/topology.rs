//! Which clusters there are, and what is on each.

use crate::function::Function;
use fastkafka::App;
use fastkafka::app::Plan;
use fastkafka_kafka::TopicSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The name of a cluster: the same for equal names. Every record has one.
pub(crate) type Name = &'static str;

/// Of the apps under test together. Clusters are one where they have one name.
#[derive(Debug)]
pub(crate) struct Topology {
    /// At least one. The first is the first app's own, if a function is on that.
    clusters: Vec<Name>,
    /// By cluster and name, as they are declared.
    topics: BTreeMap<(Name, String), TopicSpec>,
    groups: BTreeSet<(Name, String)>,
    functions: BTreeMap<Function, Name>,
}

impl Topology {
    /// `own` are topics of the test, with their partitions.
    pub(crate) fn new(apps: &[App], own: BTreeMap<String, usize>) -> Self {
        let mut topology = Self {
            clusters: Vec::new(),
            topics: BTreeMap::new(),
            groups: BTreeSet::new(),
            functions: BTreeMap::new(),
        };
        for app in apps {
            let plan = Plan::sketch(app.spec()).0;
            topology.enter(&plan);
            for (cluster, spec) in app.topics(&plan) {
                topology.declare(intern(&cluster), spec);
            }
        }
        // Nobody uses it, but the test may.
        if apps.is_empty() {
            topology.clusters.push("");
        }
        for (name, partitions) in own {
            let on = match topology.with_topic(&name) {
                on if on.is_empty() => vec![topology.first()],
                on => on,
            };
            for cluster in on {
                let mut spec = TopicSpec::new(&name);
                spec.partitions = i32::try_from(partitions).ok();
                topology.declare(cluster, spec);
            }
        }
        topology
    }

    /// Of several who declare a topic the one with the most partitions counts.
    fn declare(&mut self, cluster: Name, spec: TopicSpec) {
        let topic = (cluster, spec.name.clone());
        let known = self.topics.entry(topic).or_insert_with(|| spec.clone());
        if known.partitions < spec.partitions {
            *known = spec;
        }
    }

    fn enter(&mut self, plan: &Plan) {
        for cluster in &plan.clusters {
            let name = intern(&cluster.name);
            if !self.clusters.contains(&name) {
                self.clusters.push(name);
            }
        }
        for group in &plan.groups {
            let cluster = intern(&group.cluster);
            self.groups.insert((cluster, group.id.clone()));
            let functions = group.handlers.iter().map(|handler| handler.def.into());
            self.functions
                .extend(functions.map(|function| (function, cluster)));
        }
        let outputs = plan.outputs.iter();
        self.functions
            .extend(outputs.map(|output| (output.def.into(), intern(&output.cluster))));
    }

    pub(crate) fn clusters(&self) -> &[Name] {
        &self.clusters
    }

    pub(crate) fn first(&self) -> Name {
        self.clusters[0]
    }

    /// The topics of a cluster.
    pub(crate) fn topics(&self, cluster: Name) -> impl Iterator<Item = &TopicSpec> {
        let topics = self.topics.iter();
        topics.filter_map(move |((of, _), spec)| (*of == cluster).then_some(spec))
    }

    /// Where a function reads or writes.
    pub(crate) fn cluster_of(&self, function: Function) -> Name {
        self.functions.get(&function).copied().unwrap_or_default()
    }

    /// The clusters with a topic of this name.
    pub(crate) fn with_topic(&self, topic: &str) -> Vec<Name> {
        let topics = self.topics.keys().filter(|(_, name)| name == topic);
        topics.map(|(cluster, _)| *cluster).collect()
    }

    /// The clusters with a group of this name.
    pub(crate) fn with_group(&self, group: &str) -> Vec<Name> {
        let groups = self.groups.iter().filter(|(_, id)| id == group);
        groups.map(|(cluster, _)| *cluster).collect()
    }
}

/// Names are few, and live as long as the process.
pub(crate) fn intern(name: &str) -> Name {
    static NAMES: Mutex<BTreeSet<Name>> = Mutex::new(BTreeSet::new());
    if name.is_empty() {
        return "";
    }
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: Name = Box::leak(name.into());
    names.insert(name);
    name
}
