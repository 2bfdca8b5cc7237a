//! The clusters of the apps under test, with the topics, groups and functions of each.

use crate::function::Function;
use crate::lock::lock;
use fastkafka::App;
use fastkafka::app::Plan;
use fastkafka_kafka::TopicSpec;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// The name of a cluster, interned: every record carries one.
pub(crate) type ClusterName = &'static str;

/// The clusters of all apps under test. Clusters of one name are one cluster.
#[derive(Debug)]
pub(crate) struct Topology {
    /// At least one. The first is the first app's own, if a function is on that.
    clusters: Vec<ClusterName>,
    /// By cluster and name, as they were declared.
    topics: BTreeMap<(ClusterName, String), TopicSpec>,
    groups: BTreeSet<(ClusterName, String)>,
    functions: BTreeMap<Function, ClusterName>,
}

impl Topology {
    /// `test_topics` are topics that the test declares, with their partitions.
    pub(crate) fn new(apps: &[App], test_topics: BTreeMap<String, usize>) -> Self {
        let mut topology = Self {
            clusters: Vec::new(),
            topics: BTreeMap::new(),
            groups: BTreeSet::new(),
            functions: BTreeMap::new(),
        };
        for app in apps {
            let parts = app.parts();
            let plan = Plan::sketch(parts.spec).0;
            topology.add(&plan);
            for (cluster, spec) in parts.topics(&plan) {
                topology.declare(intern(&cluster), spec);
            }
        }
        // Without an app the test still has a cluster to send to.
        if apps.is_empty() {
            topology.clusters.push("");
        }
        for (name, partitions) in test_topics {
            let mut clusters = topology.with_topic(&name);
            if clusters.is_empty() {
                clusters.push(topology.first());
            }
            for cluster in clusters {
                let mut spec = TopicSpec::new(&name);
                spec.partitions = i32::try_from(partitions).ok();
                topology.declare(cluster, spec);
            }
        }
        topology
    }

    /// Of several declarations of a topic the one with the most partitions counts.
    fn declare(&mut self, cluster: ClusterName, spec: TopicSpec) {
        let topic = (cluster, spec.name.clone());
        let known = self.topics.entry(topic).or_insert_with(|| spec.clone());
        if known.partitions < spec.partitions {
            *known = spec;
        }
    }

    fn add(&mut self, plan: &Plan) {
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

    pub(crate) fn clusters(&self) -> &[ClusterName] {
        &self.clusters
    }

    pub(crate) fn first(&self) -> ClusterName {
        self.clusters[0]
    }

    /// The topics of a cluster.
    pub(crate) fn topics(&self, cluster: ClusterName) -> impl Iterator<Item = &TopicSpec> {
        let topics = self.topics.iter();
        topics.filter_map(move |((of, _), spec)| (*of == cluster).then_some(spec))
    }

    /// The cluster on which a function reads or writes.
    pub(crate) fn cluster_of(&self, function: Function) -> ClusterName {
        self.functions.get(&function).copied().unwrap_or_default()
    }

    /// The clusters with a topic of this name.
    pub(crate) fn with_topic(&self, topic: &str) -> Vec<ClusterName> {
        let topics = self.topics.keys().filter(|(_, name)| name == topic);
        topics.map(|(cluster, _)| *cluster).collect()
    }

    /// The clusters with a group of this name.
    pub(crate) fn with_group(&self, group: &str) -> Vec<ClusterName> {
        let groups = self.groups.iter().filter(|(_, id)| id == group);
        groups.map(|(cluster, _)| *cluster).collect()
    }
}

/// Leaks each name once: there are few, and tests of one process share them.
pub(crate) fn intern(name: &str) -> ClusterName {
    static NAMES: Mutex<BTreeSet<ClusterName>> = Mutex::new(BTreeSet::new());
    if name.is_empty() {
        return "";
    }
    let mut names = lock(&NAMES);
    if let Some(known) = names.get(name) {
        return known;
    }
    let name: ClusterName = Box::leak(name.into());
    names.insert(name);
    name
}
