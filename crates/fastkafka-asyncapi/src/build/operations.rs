//! What each function does with its topic: one operation per function, one per dead letter.

use super::schemas::{Payloads, Way};
use super::{sorted, text};
use crate::model::{Action, BINDING, Bindings, Operation, OperationBinding, Ref, Tag};
use crate::names;
use fastkafka_core::{AppSpec, Plan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// All operations of an app, and what their messages carry.
pub(super) struct Operations {
    pub(super) drafts: Vec<Draft>,
    /// The clusters, the app's own first.
    pub(super) clusters: Vec<String>,
    pub(super) payloads: Payloads,
}

/// An operation before its messages have names.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) cluster: String,
    pub(super) topic: String,
    /// The payload's place among all.
    pub(super) payload: usize,
    pub(super) content_type: &'static str,
    pub(super) key: Option<Value>,
    title: Option<String>,
    docs: String,
    group: Option<String>,
    /// Where it is not the app's.
    client_id: Option<String>,
}

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Consumes { tombstones: bool },
    Produces,
    DeadLetter,
}

impl Operations {
    pub(super) fn new(app: &AppSpec) -> Self {
        // What keeps an app from starting does not change what it reads and writes.
        let (plan, _) = Plan::sketch(app);
        let mut ids = Ids::new(app);
        let mut payloads = Payloads::default();
        let mut drafts = Vec::new();
        let key = |key: Option<fn() -> schemars::Schema>| key.map(|key| sorted(key().to_value()));
        for group in &plan.groups {
            for handler in &group.handlers {
                let def = handler.def;
                let (id, title) = ids.of_function(def.module, def.name);
                let consumes = Draft {
                    kind: Kind::Consumes {
                        tombstones: def.tombstones,
                    },
                    cluster: group.cluster.to_string(),
                    topic: def.topic.to_owned(),
                    payload: payloads.add(def.schema, Way::Consumed),
                    content_type: def.content_type,
                    key: key(def.key),
                    title,
                    docs: def.description.to_owned(),
                    group: (!group.standalone).then(|| group.id.clone()),
                    client_id: group.settings.client_id.as_deref().map(str::to_owned),
                    id,
                };
                if let Some(topic) = &handler.settings.dead_letter {
                    let mut letter = consumes.dead_letter(topic, &mut ids);
                    let mut clusters = plan.clusters.iter();
                    let cluster = clusters.find(|cluster| cluster.name == group.cluster);
                    let client_id = cluster.and_then(|c| c.dead_letters.client_id.as_deref());
                    letter.client_id = client_id.map(str::to_owned);
                    drafts.push(letter);
                }
                for topic in def.topics.iter().skip(1) {
                    let mut more = consumes.clone();
                    more.id = ids.unused(format!("{}.{topic}", consumes.id));
                    more.topic = (*topic).to_owned();
                    drafts.push(more);
                }
                drafts.push(consumes);
            }
        }
        for output in &plan.outputs {
            let def = output.def;
            let (id, title) = ids.of_function(def.module, def.name);
            drafts.push(Draft {
                kind: Kind::Produces,
                cluster: output.cluster.to_string(),
                topic: def.topic.to_owned(),
                payload: payloads.add(def.schema, Way::Produced),
                content_type: def.content_type,
                key: key(def.key),
                title,
                docs: def.description.to_owned(),
                group: None,
                client_id: output.settings.client_id.as_deref().map(str::to_owned),
                id,
            });
        }
        let clusters = plan.clusters.iter();
        Self {
            clusters: clusters.map(|cluster| cluster.name.to_string()).collect(),
            drafts,
            payloads,
        }
    }
}

impl Draft {
    fn dead_letter(&self, topic: &str, ids: &mut Ids) -> Self {
        Self {
            id: ids.unused(format!("{}.dead_letter", self.id)),
            kind: Kind::DeadLetter,
            cluster: self.cluster.clone(),
            topic: topic.to_owned(),
            payload: self.payload,
            content_type: self.content_type,
            key: self.key.clone(),
            title: None,
            docs: format!(
                "Records of `{}` that were rejected, or failed in every attempt of `{}`.",
                self.topic, self.id
            ),
            group: None,
            client_id: None,
        }
    }

    /// The operation, now that its messages have names.
    pub(super) fn describe(&self, channel: &str, messages: Vec<Ref>, client_id: &str) -> Operation {
        let (action, tag) = match self.kind {
            Kind::Consumes { .. } => (Action::Receive, "consumes"),
            Kind::Produces => (Action::Send, "produces"),
            Kind::DeadLetter => (Action::Send, "dead-letter"),
        };
        let docs = self.docs.trim();
        let (summary, description) = docs.split_once("\n\n").unwrap_or((docs, ""));
        Operation {
            action,
            channel: Ref::to("channels", channel),
            title: self.title.clone(),
            summary: text(&summary.replace('\n', " ")),
            description: text(description),
            tags: vec![Tag::new(tag)],
            messages,
            bindings: Bindings::new(OperationBinding {
                group_id: self.group.as_deref().map(only),
                client_id: Some(only(self.client_id.as_deref().unwrap_or(client_id))),
                binding_version: BINDING.to_owned(),
            }),
        }
    }
}

/// The schema of one word.
fn only(word: &str) -> Value {
    sorted(json!({ "type": "string", "enum": [word] }))
}

/// Ids of operations: the function's name, with its module where two functions share one.
struct Ids {
    uses: BTreeMap<&'static str, usize>,
    taken: BTreeSet<String>,
}

impl Ids {
    fn new(app: &AppSpec) -> Self {
        let mut uses = BTreeMap::new();
        for def in app.registry.defs() {
            *uses.entry(def.name()).or_default() += 1;
        }
        Self {
            uses,
            taken: BTreeSet::new(),
        }
    }

    /// The id of a function, and its name if that is not what the id ends with.
    fn of_function(&mut self, module: &str, name: &'static str) -> (String, Option<String>) {
        let shared = self.uses.get(name).is_some_and(|uses| *uses > 1);
        let id = if shared {
            names::component(&format!("{}.{name}", module.replace("::", ".")))
        } else {
            names::component(name)
        };
        let id = self.unused(id);
        let title = (!id.ends_with(name)).then(|| name.to_owned());
        (id, title)
    }

    fn unused(&mut self, id: String) -> String {
        names::unused(id, &mut self.taken)
    }
}
