//! Servers, topics, and what the app says of itself.

use super::place::{self, Place};
use super::{At, Change, list};
use crate::model::{ChannelBinding, Document, Ref, Server};
use std::collections::BTreeSet;

pub(super) fn info(old: &Document, new: &Document, changes: &mut Vec<Change>) {
    let (before, after) = (&old.info, &new.info);
    let mut at = At {
        at: "info".to_owned(),
        changes,
    };
    if before.title != after.title {
        at.keeps(format!(
            "title changed from `{}` to `{}`",
            before.title, after.title
        ));
    }
    if before.version != after.version {
        at.keeps(format!(
            "version changed from `{}` to `{}`",
            before.version, after.version
        ));
    }
    let rest = |document: &Document| {
        let mut info = document.info.clone();
        info.title.clear();
        info.version.clear();
        info
    };
    if rest(old) != rest(new) {
        at.keeps("description, contact, licence or terms changed");
    }
}

pub(super) fn servers(old: &Document, new: &Document, changes: &mut Vec<Change>) {
    for (name, before) in &old.servers {
        let mut at = At {
            at: format!("server {name}"),
            changes,
        };
        match new.servers.get(name) {
            None => at.breaks("is gone"),
            Some(after) => server((old, before), (new, after), &mut at),
        }
    }
    for name in new
        .servers
        .keys()
        .filter(|name| !old.servers.contains_key(*name))
    {
        let mut at = At {
            at: format!("server {name}"),
            changes,
        };
        at.keeps("is new");
    }
}

fn server(old: (&Document, &Server), new: (&Document, &Server), at: &mut At<'_>) {
    let (before, after) = (addresses(old.1), addresses(new.1));
    if before != after {
        // One address that still answers is enough to find the cluster.
        at.add(
            before.is_disjoint(&after),
            format!(
                "changed its addresses from {} to {}",
                list(before.iter().copied()),
                list(after.iter().copied())
            ),
        );
    }
    let (before, after) = (&old.1.protocol, &new.1.protocol);
    if before != after {
        at.breaks(format!("changed its protocol from `{before}` to `{after}`"));
    }
    let (before, after) = (schemes(old), schemes(new));
    if before != after {
        at.add(
            !before.is_subset(&after),
            format!(
                "changed the ways in from [{}] to [{}]",
                list(before.iter().map(String::as_str)),
                list(after.iter().map(String::as_str))
            ),
        );
    }
}

fn addresses(server: &Server) -> BTreeSet<&str> {
    let variable = server
        .host
        .strip_prefix('{')
        .and_then(|name| server.variables.get(name.strip_suffix('}')?));
    match variable {
        Some(variable) => variable.values.iter().map(String::as_str).collect(),
        None => BTreeSet::from([&*server.host]),
    }
}

/// The types of the security schemes of a server.
fn schemes((document, server): (&Document, &Server)) -> BTreeSet<String> {
    let kind = |scheme: &Ref| {
        let scheme = document.components.security_schemes.get(scheme.name())?;
        Some(scheme.get("type")?.as_str()?.to_owned())
    };
    server.security.iter().filter_map(kind).collect()
}

pub(super) fn topics(old: &Document, new: &Document, changes: &mut Vec<Change>) {
    for (name, before) in &old.channels {
        let was = Place::of_channel(name, before);
        let is_same = |name, after| was.is_same(&Place::of_channel(name, after));
        let named = new.channels.get_key_value(name);
        let same = named
            .filter(|(name, after)| is_same(name, after))
            .or_else(|| {
                // Its channel has another name as soon as a further cluster has the topic.
                new.channels
                    .iter()
                    .find(|(name, after)| is_same(name, after))
            });
        // A topic that nobody uses any more is reported by those who used it.
        let Some((name, after)) = same else {
            continue;
        };
        let mut at = At {
            at: format!("topic {}", place::title(new, name)),
            changes,
        };
        let kafka = |bindings: &Option<crate::model::Bindings<ChannelBinding>>| {
            bindings.as_ref().map(|bindings| bindings.kafka.clone())
        };
        if let (Some(before), Some(after)) = (kafka(&before.bindings), kafka(&after.bindings)) {
            settings(&before, &after, &mut at);
        }
        if before.servers != after.servers {
            let names = |servers: &[Ref]| list(servers.iter().map(Ref::name));
            // No list is all of them.
            let fewer = !after.servers.is_empty()
                && (before.servers.is_empty()
                    || before
                        .servers
                        .iter()
                        .any(|server| !after.servers.contains(server)));
            at.add(
                fewer,
                format!(
                    "changed its servers from [{}] to [{}]",
                    names(&before.servers),
                    names(&after.servers)
                ),
            );
        }
    }
}

fn settings(before: &ChannelBinding, after: &ChannelBinding, at: &mut At<'_>) {
    match (before.partitions, after.partitions) {
        (Some(from), Some(to)) if from != to => at.breaks(format!(
            "changed from {from} to {to} partitions: keys move to other partitions, out of order with their past"
        )),
        (None, Some(to)) => at.keeps(format!("is declared with {to} partitions")),
        (Some(_), None) => at.keeps("no longer declares its partitions"),
        _ => {}
    }
    if before.replicas != after.replicas {
        at.keeps("changed its replicas");
    }
    let (before, after) = (&before.topic_configuration, &after.topic_configuration);
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for key in keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
    {
        let value = |value: Option<&serde_json::Value>| {
            value.map_or_else(
                || "the broker's default".to_owned(),
                |value| format!("`{value}`"),
            )
        };
        at.add(
            // Whoever reads from the beginning finds other records.
            key == "cleanup.policy",
            format!(
                "changed `{key}` from {} to {}",
                value(before.get(key)),
                value(after.get(key))
            ),
        );
    }
}
