//! Problems of the functions that share a group.

use crate::function::definition::{ConsumerDef, Location};
use crate::plan::parts::Member;
use crate::plan::problem::Problem;

/// A record goes to exactly one handler of a group, so that its offset has one owner.
pub(in crate::plan) fn topics(group: &str, members: &[Member], problems: &mut Vec<Problem>) {
    for (i, second) in members.iter().enumerate() {
        let second = second.handler.def;
        for first in members[..i].iter().map(|first| first.handler.def) {
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

/// A group has one consumer, so its handlers agree on the settings that reach the consumer. A handler
/// that sets nothing agrees with all.
pub(in crate::plan) fn conflicts(group: &str, members: &[Member], problems: &mut Vec<Problem>) {
    for (i, second) in members.iter().enumerate() {
        let mut reported = Vec::new();
        for first in &members[..i] {
            for key in first.own.conflicts(&second.own) {
                if reported.contains(&key) {
                    continue;
                }
                reported.push(key);
                problems.push(Problem::Conflict {
                    group: group.to_owned(),
                    key,
                    first: place(first.handler.def),
                    second: place(second.handler.def),
                });
            }
        }
    }
}

fn place(def: &ConsumerDef) -> (&'static str, Location) {
    (def.name, def.location)
}
