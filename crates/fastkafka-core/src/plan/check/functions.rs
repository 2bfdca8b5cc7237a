//! Problems of one function.

use crate::app::AppSpec;
use crate::function::background::Task;
use crate::function::definition::{ConsumerDef, Location, ProducerDef};
use crate::function::meter::Meter;
use crate::plan::cluster::Site;
use crate::plan::order::contradictions;
use crate::plan::parts::Handler;
use crate::plan::problem::Problem;
use crate::settings::{
    Attempts, ConsumerSettings, GroupId, GroupProtocol, OffsetReset, ProducerSettings, Restart,
};
use std::any::TypeId;

/// The functions have names of their own, and there is one at least.
pub(in crate::plan) fn names(app: &AppSpec, problems: &mut Vec<Problem>) {
    let defs = app.registry.defs();
    if defs.is_empty() {
        problems.push(Problem::Empty);
    }
    for pair in defs.windows(2) {
        if (pair[0].module(), pair[0].name()) == (pair[1].module(), pair[1].name()) {
            problems.push(Problem::Duplicate {
                name: pair[0].name(),
                first: pair[0].location(),
                second: pair[1].location(),
            });
        }
    }
}

const TWOFOLD: &str =
    "has both `brokers` and `bootstrap_servers`; keep one: each says which cluster it is on";

pub(in crate::plan) fn handler(
    app: &AppSpec,
    handler: &Handler,
    own: &ConsumerSettings,
    problems: &mut Vec<Problem>,
) {
    let Handler { def, settings } = handler;
    state(app, def.requires, (def.name, def.location), problems);
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
        without_group(def, settings, own, &mut wrong);
    }
    if settings.max_poll_records == Some(0) {
        wrong("has `max_poll_records = 0`; it must be at least 1".into());
    }
    for what in contradictions(settings, def.batch) {
        wrong(what.into());
    }
    if settings.attempts == Some(Attempts::Times(0)) {
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

/// Settings that have no meaning without a group. Settings for all consumers may have them: others have
/// a group.
fn without_group(
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

/// A producer is on one cluster.
pub(in crate::plan) fn producer(
    def: &ProducerDef,
    settings: &ProducerSettings,
    problems: &mut Vec<Problem>,
) {
    if Site::from(settings).is_twofold() {
        problems.push(Problem::Setting {
            handler: def.name,
            what: TWOFOLD.to_owned(),
            at: def.location,
        });
    }
}

pub(in crate::plan) fn task(app: &AppSpec, task: &Task, problems: &mut Vec<Problem>) {
    let def = task.def;
    state(app, def.requires, (def.name, def.location), problems);
    if task.restart == Restart::OnFailure && task.backoff.min(task.backoff_max).is_zero() {
        problems.push(Problem::Setting {
            handler: def.name,
            what: "has no pause between its restarts; make `backoff` and `backoff_max` longer than nothing".to_owned(),
            at: def.location,
        });
    }
}

fn state(
    app: &AppSpec,
    requires: fn(&mut dyn FnMut(TypeId, &'static str)),
    (function, at): (&'static str, Location),
    problems: &mut Vec<Problem>,
) {
    requires(&mut |id, state| {
        if !app.states.contains(&id) {
            problems.push(Problem::MissingState {
                handler: function,
                state,
                at,
            });
        }
    });
}

/// Literals were checked by the compiler.
pub(in crate::plan) fn meter(meter: &Meter, problems: &mut Vec<Problem>) {
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
