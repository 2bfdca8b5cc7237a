//! Values of the builder and of the command line that no app can start with.

use super::choice::Choice;
use super::inner::Inner;
use crate::topic::Topic;
use fastkafka_core::{Plan, Problem, wrong_text, wrong_topic};

/// Each is a client with threads and connections of its own, for each group.
const MOST_WORKERS: usize = 1_000;
/// More than twice as many at once are more than the count holds, which has 24 bits.
const MOST_IN_FLIGHT: usize = 7_000_000;

impl Inner {
    /// What is wrong with them, a problem each.
    pub(super) fn wrong(&self, plan: &Plan, choice: &Choice) -> Vec<Problem> {
        let group = &self.spec.group_id;
        // Of a title without a letter, no name is left.
        let group = plan
            .groups
            .iter()
            .any(|known| known.id == *group)
            .then(|| wrong_text("group_id", group))
            .flatten();
        let workers = choice.workers.get();
        let workers = (workers > MOST_WORKERS).then(|| {
            format!("{workers} workers are too many: a group has at most {MOST_WORKERS} consumers in a process (`--num-workers`)")
        });
        let most = self.max_in_flight;
        let in_flight = !(1..=MOST_IN_FLIGHT).contains(&most);
        let in_flight = in_flight.then(|| {
            format!("the app's builder has `max_in_flight = {most}`; it must be from 1 to {MOST_IN_FLIGHT}")
        });
        let client_id = wrong_text("client_id", &self.client_id);
        let texts = group.into_iter().chain(client_id);
        let texts = texts.map(|what| format!("the app's builder {what}"));
        let topics = self
            .topics
            .iter()
            .filter_map(|(name, topic)| wrong_declaration(name, topic));
        let all = workers.into_iter().chain(in_flight).chain(texts);
        all.chain(topics).map(Problem::Outside).collect()
    }
}

fn wrong_declaration(name: &str, topic: &Topic) -> Option<String> {
    let spec = topic.spec(name);
    let none = spec.partitions == Some(0) || spec.replicas == Some(0);
    let none = none.then(|| "it has no partition or no replica".to_owned());
    let nul = spec
        .configs
        .iter()
        .any(|(key, value)| key.is_empty() || key.contains('\0') || value.contains('\0'));
    let nul = nul.then(|| "a setting has no name, or the character '\\0' in it".to_owned());
    let why = wrong_topic(name).or(none).or(nul)?;
    let name = name.escape_debug();
    Some(format!("the app's builder declares topic `{name}`: {why}"))
}
