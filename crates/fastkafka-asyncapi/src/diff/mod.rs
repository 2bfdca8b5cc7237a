//! What changed between two documents of an app, and whether it breaks those that rely on the first.
//!
//! What an app *receives* may become more: whoever sends today still can. What it *sends* may become
//! less: whoever reads today still can. The reverse breaks one of them. A new consumer group breaks
//! too, since it begins without offsets, and so does every other topic.

mod messages;
mod place;
mod schema;
mod topology;

use crate::model::{Action, Document, Operation};
use place::Place;
use std::collections::BTreeSet;
use std::fmt;

/// One difference between two documents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Someone who relied on the old document may fail with the new one.
    pub breaking: bool,
    /// Where: an operation, a topic or a server, and what of it.
    pub at: String,
    /// What.
    pub what: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.breaking {
            "breaking  "
        } else {
            "compatible"
        };
        write!(f, "{verdict}  {}: {}", self.at, self.what)
    }
}

/// Collects changes at one place.
struct At<'a> {
    at: String,
    changes: &'a mut Vec<Change>,
}

impl At<'_> {
    fn add(&mut self, breaking: bool, what: impl Into<String>) {
        self.changes.push(Change {
            breaking,
            at: self.at.clone(),
            what: what.into(),
        });
    }

    fn breaks(&mut self, what: impl Into<String>) {
        self.add(true, what);
    }

    fn keeps(&mut self, what: impl Into<String>) {
        self.add(false, what);
    }
}

/// Everything that changed, breaking changes first.
pub fn diff(old: &Document, new: &Document) -> Vec<Change> {
    let mut changes = Vec::new();
    topology::info(old, new, &mut changes);
    topology::servers(old, new, &mut changes);
    topology::topics(old, new, &mut changes);
    operations(old, new, &mut changes);
    changes.sort_by(|a, b| (!a.breaking, &a.at, &a.what).cmp(&(!b.breaking, &b.at, &b.what)));
    changes.dedup();
    changes
}

fn operations(old: &Document, new: &Document, changes: &mut Vec<Change>) {
    let mut pairs = Vec::new();
    let mut gone: Vec<_> = old.operations.iter().collect();
    let mut come: Vec<_> = new.operations.iter().collect();
    type Named<'a> = (&'a String, &'a Operation);
    let mut pair = |same: fn(&Document, Named<'_>, &Document, Named<'_>) -> bool| {
        gone.retain(|before| {
            let found = come
                .iter()
                .position(|after| same(old, *before, new, *after));
            if let Some(i) = found {
                pairs.push((*before, come.remove(i)));
            }
            found.is_none()
        });
    };
    pair(|_, before, _, after| before.0 == after.0 && before.1.action == after.1.action);
    // A function that was renamed still does the same with its topic.
    pair(|old, before, new, after| {
        before.1.action == after.1.action
            && Place::new(old, before.1).is_same(&Place::new(new, after.1))
    });
    for ((before_id, before), (id, after)) in pairs {
        let mut at = At {
            at: name(new, id, after),
            changes,
        };
        if before_id != id {
            at.keeps(format!("was called `{before_id}`"));
        }
        operation((old, before), (new, after), &mut at);
    }
    for (id, before) in gone {
        let mut at = At {
            at: name(old, id, before),
            changes,
        };
        at.breaks(match before.action {
            Action::Receive => "is gone: nothing handles what is sent to the topic",
            Action::Send => "is gone: it sends nothing any more",
        });
    }
    for (id, after) in come {
        let mut at = At {
            at: name(new, id, after),
            changes,
        };
        at.keeps("is new");
    }
}

fn operation(old: (&Document, &Operation), new: (&Document, &Operation), at: &mut At<'_>) {
    let (before, after) = (old.1, new.1);
    let (from, to) = (Place::new(old.0, before), Place::new(new.0, after));
    if from.topic != to.topic {
        at.breaks(format!(
            "moved from topic `{}` to `{}`",
            from.topic, to.topic
        ));
    } else if !from.is_same(&to) {
        at.breaks(format!(
            "moved to a topic of the same name on other servers, from [{}] to [{}]",
            list(from.servers),
            list(to.servers)
        ));
    }
    let (from, to) = (group(before), group(after));
    if from != to && after.action == Action::Receive {
        at.breaks(format!(
            "changed its consumer group from {from} to {to}, which begins without offsets"
        ));
    }
    let (from, to) = (client(before), client(after));
    if from != to {
        at.keeps(format!("changed its client id from {from} to {to}"));
    }
    if (&before.summary, &before.description) != (&after.summary, &after.description) {
        at.keeps("is described in other words");
    }
    messages::compare(old, new, at);
}

/// `on_orders (receives orders)`.
fn name(document: &Document, id: &str, operation: &Operation) -> String {
    let does = match operation.action {
        Action::Receive => "receives",
        Action::Send => "sends",
    };
    let channel = operation.channel.name();
    format!("{id} ({does} {})", place::title(document, channel))
}

/// A schema of one word, as that word.
fn word(schema: Option<&serde_json::Value>) -> String {
    let values = schema.and_then(|schema| schema.get("enum")?.as_array());
    match (schema, values.map(Vec::as_slice)) {
        (_, Some([serde_json::Value::String(word)])) => format!("`{word}`"),
        (Some(schema), _) => format!("`{schema}`"),
        (None, _) => "none".to_owned(),
    }
}

fn group(operation: &Operation) -> String {
    let bindings = operation.bindings.as_ref();
    word(bindings.and_then(|bindings| bindings.kafka.group_id.as_ref()))
}

fn client(operation: &Operation) -> String {
    let bindings = operation.bindings.as_ref();
    word(bindings.and_then(|bindings| bindings.kafka.client_id.as_ref()))
}

/// Names in a row, in order.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: BTreeSet<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}
