//! One topic that several functions read and write, with keys, tombstones and dead letters.

use crate::model::Action;
use crate::tests::apps::{document, golden};
use fastkafka::{KafkaEvent, Key, ProduceError};
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) struct SharedTopic;

/// A profile of a user.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(example = Profile { name: "Ada".to_owned() })]
pub(crate) struct Profile {
    pub(crate) name: String,
}

/// A newer kind of record on the same topic.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Merged {
    pub(crate) from: u64,
    pub(crate) into: u64,
}

/// Keeps the profiles that are known.
///
/// A tombstone removes one. *Everything else* is kept.
#[consumes(app = SharedTopic, topic = "profiles", dead_letter = "profiles.dead")]
pub(crate) fn on_profiles(_profile: Option<Profile>, _key: Key<i64>) -> Result<(), String> {
    Ok(())
}

#[consumes(app = SharedTopic, topic = "profiles", group_id = "audit", dead_letter = "profiles.dead")]
pub(crate) fn on_profiles_too(_profile: Profile) -> Result<(), String> {
    Ok(())
}

#[consumes(app = SharedTopic, topic = "profiles", group_id = "text-keys", client_id = "by-text")]
pub(crate) fn on_profiles_by_text(_profile: Profile, _key: Option<Key<&str>>) {}

#[produces(app = SharedTopic, topic = "profiles")]
pub(crate) fn to_profiles(profile: Profile) -> Result<KafkaEvent<Profile>, ProduceError> {
    Ok(KafkaEvent::new(profile).key(1))
}

#[produces(app = SharedTopic, topic = "profiles")]
pub(crate) fn to_merged(merged: Merged) -> Result<Merged, ProduceError> {
    Ok(merged)
}

#[test]
fn a_topic_has_one_channel_with_all_its_messages() {
    let document = document::<SharedTopic>("Shared topic");
    golden("shared_topic", &document);
    let channels: Vec<_> = document.channels.keys().map(String::as_str).collect();
    assert_eq!(channels, ["profiles", "profiles.dead"]);
}

#[test]
fn every_function_is_an_operation_of_its_own() {
    let document = document::<SharedTopic>("Shared topic");
    let operations: Vec<_> = document
        .operations
        .iter()
        .map(|(id, operation)| (&**id, operation.action, operation.channel.name()))
        .collect();
    assert_eq!(
        operations,
        [
            ("on_profiles", Action::Receive, "profiles"),
            ("on_profiles.dead_letter", Action::Send, "profiles.dead"),
            ("on_profiles_by_text", Action::Receive, "profiles"),
            ("on_profiles_too", Action::Receive, "profiles"),
            ("on_profiles_too.dead_letter", Action::Send, "profiles.dead"),
            ("to_merged", Action::Send, "profiles"),
            ("to_profiles", Action::Send, "profiles"),
        ]
    );
}
