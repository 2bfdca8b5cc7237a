//! The messages of an operation.

use super::At;
use super::place::Place;
use super::schema::{self, Effect, Step};
use crate::model::{Action, Document, Message, Operation, Ref};

type Side<'a> = (&'a Document, &'a Operation);

pub(super) fn compare(old: Side<'_>, new: Side<'_>, at: &mut At<'_>) {
    let (mut gone, mut come) = (messages(old), messages(new));
    let mut pairs = Vec::new();
    let mut pair = |same: &dyn Fn(&Message, &Message) -> bool| {
        gone.retain(|before| {
            let found = come.iter().position(|after| same(before, after));
            if let Some(i) = found {
                pairs.push((*before, come.remove(i)));
            }
            found.is_none()
        });
    };
    pair(&|before, after| before.name.is_some() && before.name == after.name);
    // Names follow types; what counts is what they say.
    pair(&|before, after| steps(old.0, before, new.0, after).is_empty());
    if let (&[before], &[after]) = (&*gone, &*come) {
        pairs.push((before, after));
        (gone, come) = (Vec::new(), Vec::new());
    }
    let action = new.1.action;
    for (before, after) in pairs {
        let name = |message: &Message| message.name.clone().unwrap_or_default();
        if before.name != after.name {
            at.keeps(format!(
                "`{}` is called `{}` now",
                name(before),
                name(after)
            ));
        }
        if before.content_type != after.content_type {
            let text = |kind: &Option<String>| kind.as_deref().unwrap_or("the default").to_owned();
            at.breaks(format!(
                "`{}` changed its content type from {} to {}",
                name(after),
                text(&before.content_type),
                text(&after.content_type)
            ));
        }
        for step in steps(old.0, before, new.0, after) {
            let what = format!("`{}{}` {}", name(after), step.path, step.what);
            at.add(breaks(action, step.effect), what);
        }
    }
    for before in gone {
        let name = before.name.as_deref().unwrap_or_default();
        at.add(
            action == Action::Receive,
            format!(
                "`{name}` is gone from topic `{}`",
                Place::new(new.0, new.1).topic
            ),
        );
    }
    for after in come {
        let name = after.name.as_deref().unwrap_or_default();
        at.add(action == Action::Send, format!("`{name}` is new"));
    }
}

/// What is received may accept more, what is sent may be less.
fn breaks(action: Action, effect: Effect) -> bool {
    match (action, effect) {
        (_, Effect::Same) => false,
        (_, Effect::Other) => true,
        (Action::Receive, effect) => effect == Effect::Narrower,
        (Action::Send, effect) => effect == Effect::Wider,
    }
}

fn messages<'a>((document, operation): Side<'a>) -> Vec<&'a Message> {
    let channel = document.channels.get(operation.channel.name());
    let of_channel = |name: &Ref| {
        let message = channel?.messages.get(name.name())?;
        document.components.messages.get(message.name())
    };
    if operation.messages.is_empty() {
        let all = channel
            .into_iter()
            .flat_map(|channel| channel.messages.values());
        return all
            .filter_map(|message| document.components.messages.get(message.name()))
            .collect();
    }
    operation.messages.iter().filter_map(of_channel).collect()
}

/// What changed in payload, headers and key.
fn steps(old: &Document, before: &Message, new: &Document, after: &Message) -> Vec<Step> {
    let key = |message: &Message| {
        let bindings = message.bindings.as_ref();
        bindings.and_then(|bindings| bindings.kafka.key.clone())
    };
    let parts = [
        ("", before.payload.clone(), after.payload.clone()),
        (" headers", before.headers.clone(), after.headers.clone()),
        (" key", key(before), key(after)),
    ];
    let mut steps = Vec::new();
    for (part, before, after) in parts {
        let found = match (before, after) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![Step::new("", Effect::Narrower, "is declared now")],
            (Some(_), None) => vec![Step::new("", Effect::Wider, "is no longer declared")],
            (Some(before), Some(after)) => schema::compare(
                (&old.components.schemas, &before),
                (&new.components.schemas, &after),
            ),
        };
        steps.extend(found.into_iter().map(|step| Step {
            path: format!("{part}{}", step.path),
            ..step
        }));
    }
    steps
}
