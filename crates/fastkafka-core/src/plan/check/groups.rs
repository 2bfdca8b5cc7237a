//! Problems of the functions that share a group.

use crate::function::definition::{ConsumerDef, Location};
use crate::pattern::Pattern;
use crate::plan::parts::{Group, Handler, Member};
use crate::plan::problem::Problem;
use crate::settings::GroupProtocol;
use crate::settings::limits::LONGEST_TEXT;

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

/// The most of an expression that a broker is sent: what text of a request may be, with room for the suffix
/// that the tester gives to names.
const LONGEST: usize = LONGEST_TEXT - 1_024;

/// A pattern is one in POSIX, and can be told to the broker where that does the matching.
pub(in crate::plan) fn patterns(group: &Group, problems: &mut Vec<Problem>) {
    for Handler { def, settings } in &group.handlers {
        let Some(pattern) = def.pattern else { continue };
        let names = Pattern::of_consumer(pattern, settings, &group.left_out);
        let by_broker = settings.group_protocol == Some(GroupProtocol::Consumer);
        let longest = |names: Pattern| by_broker.then(|| names.anchored().len());
        let why = match names.map(longest) {
            Ok(Some(length)) if length > LONGEST => format!(
                "with `group_protocol = \"consumer\"` a broker is sent {length} characters for it, which leave out internal topics and dead letters; it takes {LONGEST}; make it simpler"
            ),
            Ok(_) => continue,
            // Nothing is worked out of it there.
            Err(why) if !by_broker && Pattern::is_too_large(&why) => continue,
            Err(why) => why,
        };
        problems.push(Problem::Setting {
            handler: def.name,
            what: format!("has `pattern = {pattern:?}`: {why}"),
            at: def.location,
        });
    }
}

fn place(def: &ConsumerDef) -> (&'static str, Location) {
    (def.name, def.location)
}
