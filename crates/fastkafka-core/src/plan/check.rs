//! What is wrong with functions: alone, and with others of their group.

use super::{Handler, Member};
use crate::app::AppSpec;
use crate::function::background::Task;
use crate::function::definition::ConsumerDef;
use crate::function::definition::Location;
use crate::function::meter::Meter;
use crate::plan::cluster::Site;
use crate::plan::order;
use crate::plan::problem::Problem;
use crate::settings::{Attempts, ConsumerSettings, GroupId, GroupProtocol, OffsetReset, Restart};
use std::any::TypeId;

pub(super) const TWOFOLD: &str =
    "has both `brokers` and `bootstrap_servers`; keep one: each says which cluster it is on";

pub(super) fn handler(
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
        alone(def, settings, own, &mut wrong);
    }
    if settings.max_poll_records == Some(0) {
        wrong("has `max_poll_records = 0`; it must be at least 1".into());
    }
    for what in order::contradictions(settings, def.batch) {
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

pub(super) fn task(app: &AppSpec, task: &Task, problems: &mut Vec<Problem>) {
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

/// Literals were checked by the compiler.
pub(super) fn meter(meter: &Meter, problems: &mut Vec<Problem>) {
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
fn alone(
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
pub(super) fn topics(group: &str, members: &[Member], problems: &mut Vec<Problem>) {
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

/// The settings that reach the consumer. Handlers that say nothing follow those that do.
pub(super) fn agree(
    group: &str,
    members: &[Member],
    problems: &mut Vec<Problem>,
) -> ConsumerSettings {
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
