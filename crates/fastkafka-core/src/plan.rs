//! What an app will do, worked out and checked before anything is connected.

use crate::app::AppCore;
use crate::definition::{ConsumerDef, ProducerDef};
use crate::order;
use crate::problem::{Problem, Problems};
use crate::registry::Def;
use crate::settings::{ConsumerSettings, GroupProtocol, ProducerSettings};
use std::collections::BTreeMap;

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
    /// The group's id.
    pub id: String,
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
    /// Its settings.
    pub settings: ProducerSettings,
}

/// Everything an app will do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The groups, by id.
    pub groups: Vec<Group>,
    /// The producers.
    pub outputs: Vec<Output>,
}

impl Plan {
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
        let mut problems = Vec::new();
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
        let mut plan = Self::default();
        let mut groups: BTreeMap<String, Vec<Handler>> = BTreeMap::new();
        for def in app.registry.defs() {
            match def {
                Def::Consumer(def) => {
                    let handler = Handler {
                        def,
                        settings: (def.settings)(),
                    };
                    check_handler(app, &handler, &mut problems);
                    let id = handler
                        .settings
                        .group_id
                        .as_deref()
                        .unwrap_or(&app.group_id)
                        .to_owned();
                    groups.entry(id).or_default().push(handler);
                }
                Def::Producer(def) => plan.outputs.push(Output {
                    def,
                    settings: (def.settings)(),
                }),
            }
        }
        for (id, handlers) in groups {
            check_topics(&id, &handlers, &mut problems);
            let settings = agree(&id, &handlers, &mut problems);
            plan.groups.push(Group {
                id,
                settings,
                handlers,
            });
        }
        (plan, problems)
    }

    /// Every topic that is read or written, dead letters included, each once, in order.
    pub fn topics(&self) -> Vec<String> {
        let handlers = || self.groups.iter().flat_map(|group| &group.handlers);
        let read = handlers().map(|handler| handler.def.topic.to_owned());
        let dead = handlers()
            .filter_map(|handler| handler.settings.dead_letter.as_deref().map(str::to_owned));
        let written = self
            .outputs
            .iter()
            .map(|output| output.def.topic.to_owned());
        let mut topics: Vec<_> = read.chain(dead).chain(written).collect();
        topics.sort();
        topics.dedup();
        topics
    }
}

fn check_handler(app: &AppCore, handler: &Handler, problems: &mut Vec<Problem>) {
    let Handler { def, settings } = handler;
    (def.requires)(&mut |id, state| {
        if !app.states.has(id) {
            problems.push(Problem::MissingState {
                handler: def.name,
                state,
                at: def.location,
            });
        }
    });
    let mut wrong = |what: String| {
        problems.push(Problem::Setting {
            handler: def.name,
            what,
            at: def.location,
        });
    };
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
    if settings.dead_letter.as_deref() == Some(def.topic) {
        wrong(format!(
            "names its own topic `{}` as `dead_letter`; its failures would come back to it for ever",
            def.topic
        ));
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

/// A record goes to exactly one handler of a group, so that its offset has one owner.
fn check_topics(group: &str, handlers: &[Handler], problems: &mut Vec<Problem>) {
    for (i, second) in handlers.iter().enumerate() {
        if let Some(first) = handlers[..i]
            .iter()
            .find(|first| first.def.topic == second.def.topic)
        {
            problems.push(Problem::SameTopic {
                topic: second.def.topic,
                group: group.to_owned(),
                first: (first.def.name, first.def.location),
                second: (second.def.name, second.def.location),
            });
        }
    }
}

/// The settings that reach the consumer. Handlers that say nothing follow those that do.
fn agree(group: &str, handlers: &[Handler], problems: &mut Vec<Problem>) -> ConsumerSettings {
    let mut agreed = ConsumerSettings::default();
    macro_rules! agree {
        ($($key:ident),*) => {$(
            let mut setters = handlers.iter().filter(|handler| handler.settings.$key.is_some());
            if let Some(first) = setters.next() {
                agreed.$key = first.settings.$key.clone();
                for second in setters.filter(|second| second.settings.$key != first.settings.$key) {
                    problems.push(Problem::Conflict {
                        group: group.to_owned(),
                        key: stringify!($key),
                        first: (first.def.name, first.def.location),
                        second: (second.def.name, second.def.location),
                    });
                }
            }
        )*};
    }
    agree!(
        auto_commit_interval_ms,
        session_timeout_ms,
        heartbeat_interval_ms,
        max_poll_interval_ms,
        rebalance_timeout_ms,
        partition_assignment_strategy,
        group_protocol
    );
    agreed
}
