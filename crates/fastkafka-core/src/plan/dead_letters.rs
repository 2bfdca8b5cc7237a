//! Dead letters: their topics, and the settings of the producer that writes them.

use crate::app::AppSpec;
use crate::plan::cluster::{Cluster, Site};
use crate::plan::parts::Group;
use crate::plan::precedence::producer_levels;
use crate::settings::{ProducerSettings, Text};

/// The dead-letter topics of these groups. A dead letter stays on the cluster of its record.
pub(super) fn topics(groups: &[Group]) -> Vec<(Text, String)> {
    let mut topics = Vec::new();
    for group in groups {
        for handler in &group.handlers {
            if let Some(topic) = handler.settings.dead_letter.as_deref() {
                topics.push((group.cluster.clone(), topic.to_owned()));
            }
        }
    }
    topics
}

/// The settings for dead letters on a cluster: those for all producers. The offset of a record waits
/// for its dead letter, so all replicas acknowledge that, whatever is set for others.
///
/// Dead letters are written to the cluster of their records. The producers of the app say how to reach
/// it where they are on it too; where it has only an address, the first group there does.
pub(super) fn settings(
    app: &AppSpec,
    cluster: &Cluster,
    first: Option<&Group>,
) -> ProducerSettings {
    let none = ProducerSettings::default();
    let mut settings = producer_levels(app, "", none.clone()).all(&none);
    settings.acks = None;
    settings.enable_idempotence = None;
    if Site::from(&settings).cluster(&app.brokers) != cluster.name {
        let group = first.filter(|_| cluster.is_address);
        let connection = group.map(|group| group.settings.connection());
        settings = settings.reached_by(connection.unwrap_or_default());
    }
    settings.brokers = None;
    settings
}
