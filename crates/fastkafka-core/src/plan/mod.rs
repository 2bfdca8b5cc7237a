//! The plan of an app: what it will do, worked out and checked before anything is connected.
//!
//! Each function's settings come from several places ([`precedence`], [`overrides`]); together they say
//! on which cluster the function is ([`cluster`]), and in which group. The [`Draft`] collects this
//! function by function, and [`check`] every [`problem`] that shows offline, so that a user sees all at
//! once. [`explain`] shows the places of each setting. Which broker of a cluster the app connects to is
//! chosen last ([`broker_choice`]), and results in its [`connections`].

pub(crate) mod broker_choice;
mod check;
pub(crate) mod cluster;
pub(crate) mod connections;
mod dead_letters;
mod draft;
pub(crate) mod explain;
mod order;
pub(crate) mod overrides;
mod parts;
mod precedence;
pub(crate) mod problem;
mod table;

use crate::app::AppSpec;
use crate::function::background::Task;
use crate::function::meter::meters;
use crate::function::registry::Def;
use crate::settings::Text;
use cluster::Cluster;
use draft::Draft;
use problem::{Problem, Problems};
use std::collections::BTreeSet;

pub use parts::{Group, Handler, Output};

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

    /// The plan as far as it can be worked out, and its problems.
    pub fn sketch(app: &AppSpec) -> (Self, Vec<Problem>) {
        let mut draft = Draft::new(app);
        check::overrides(app, &mut draft.problems);
        check::builder(app, &mut draft.problems);
        check::names(app, &mut draft.problems);
        for def in app.registry.defs() {
            match def {
                Def::Consumer(def) => draft.consumer(def),
                Def::Producer(def) => draft.producer(def),
                Def::Background(def) => draft.task(def),
            }
        }
        for meter in meters(app.registry.defs()) {
            check::meter(meter, &mut draft.problems);
        }
        draft.finish()
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
        self.outputs
            .iter()
            .map(|output| (output.cluster.clone(), output.def.topic.to_owned()))
            .chain(dead_letters::topics(&self.groups))
            .collect()
    }

    /// True where a handler on this cluster has a dead-letter topic.
    pub fn has_dead_letters(&self, cluster: &Cluster) -> bool {
        dead_letters::topics(&self.groups)
            .iter()
            .any(|(of, _)| *of == cluster.name)
    }
}
