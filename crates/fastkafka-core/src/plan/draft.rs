//! A plan in the making, and the problems that were found on the way.

use super::Plan;
use super::check;
use super::cluster::{Clusters, Site};
use super::dead_letters;
use super::parts::{Group, Handler, Member, Output};
use super::precedence::{consumer_levels, producer_levels};
use super::problem::Problem;
use crate::app::AppSpec;
use crate::function::background::Task;
use crate::function::definition::{BackgroundDef, ConsumerDef, ProducerDef};
use crate::settings::{GroupId, Text};
use std::collections::BTreeMap;

pub(super) struct Draft<'a> {
    app: &'a AppSpec,
    clusters: Clusters<'a>,
    /// The handlers of each group, by cluster and id.
    groups: BTreeMap<(Text, String), Vec<Member>>,
    outputs: Vec<Output>,
    tasks: Vec<Task>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(app: &'a AppSpec) -> Self {
        Self {
            app,
            clusters: Clusters::new(&app.brokers),
            groups: BTreeMap::new(),
            outputs: Vec::new(),
            tasks: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(super) fn consumer(&mut self, def: &'static ConsumerDef) {
        let code = (def.settings)();
        check::values(code.wrong(), (def.name, def.location), &mut self.problems);
        let levels = consumer_levels(self.app, &def.path(), code);
        let own = levels.own();
        let all = levels.all(&own);
        let settings = own.clone().over(&all);
        let handler = Handler { def, settings };
        check::handler(self.app, &handler, &own, &mut self.problems);
        let function = (def.name, def.location);
        let site = Site::from(&handler.settings);
        let cluster = self.clusters.add(site, function, &mut self.problems);
        let group = self.groups.entry((cluster, group_of(self.app, &handler)));
        group.or_default().push(Member { handler, own, all });
    }

    pub(super) fn producer(&mut self, def: &'static ProducerDef) {
        let code = (def.settings)();
        check::values(code.wrong(), (def.name, def.location), &mut self.problems);
        let levels = producer_levels(self.app, &def.path(), code);
        let own = levels.own();
        let settings = own.clone().over(&levels.all(&own));
        check::producer(def, &settings, &mut self.problems);
        let function = (def.name, def.location);
        let site = Site::from(&settings);
        let cluster = self.clusters.add(site, function, &mut self.problems);
        self.outputs.push(Output {
            def,
            cluster,
            settings,
        });
    }

    pub(super) fn task(&mut self, def: &'static BackgroundDef) {
        let task = Task::new(def);
        check::values(
            (def.settings)().wrong(),
            (def.name, def.location),
            &mut self.problems,
        );
        check::task(self.app, &task, &mut self.problems);
        self.tasks.push(task);
    }

    /// The plan, now that all functions are in the draft.
    pub(super) fn finish(mut self) -> (Plan, Vec<Problem>) {
        let groups = std::mem::take(&mut self.groups);
        let mut groups: Vec<_> = groups
            .into_iter()
            .map(|((cluster, id), members)| self.group(cluster, id, members))
            .collect();
        // A pattern must not read the dead letters that the app writes.
        let dead = dead_letters::topics(&groups);
        for group in &mut groups {
            if group.handlers.iter().any(|h| h.def.pattern.is_some()) {
                let dead = dead.iter().filter(|(cluster, _)| *cluster == group.cluster);
                group.left_out = dead.map(|(_, topic)| topic.clone()).collect();
                check::patterns(group, &mut self.problems);
            }
        }
        let mut clusters = self.clusters.end();
        for cluster in &mut clusters {
            let first = groups.iter().find(|group| group.cluster == cluster.name);
            cluster.dead_letters = dead_letters::settings(self.app, cluster, first);
        }
        let plan = Plan {
            clusters,
            groups,
            outputs: self.outputs,
            tasks: self.tasks,
        };
        (plan, self.problems)
    }

    fn group(&mut self, cluster: Text, id: String, members: Vec<Member>) -> Group {
        check::topics(&id, &members, &mut self.problems);
        check::conflicts(&id, &members, &mut self.problems);
        Group {
            cluster,
            id,
            standalone: members[0].handler.settings.group_id == Some(GroupId::None),
            left_out: Vec::new(),
            settings: Member::agreed(&members),
            handlers: members.into_iter().map(|member| member.handler).collect(),
        }
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
