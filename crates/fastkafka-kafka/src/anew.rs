//! Groups that begin anew at a time, whatever they have committed.

use crate::access::Access;
use crate::client_context::Logged;
use crate::clusters::Clusters;
use crate::config;
use crate::error::problem;
use crate::offsets::client::Asking;
use crate::offsets::reset::{ResetError, reset};
use crate::own_thread::on_own_thread;
use fastkafka_core::{ConsumerSettings, Plan, Problems};
use fastkafka_runtime::platform::PartitionRef;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::{Duration, Instant, SystemTime};

/// Between two attempts.
const AGAIN: Duration = Duration::from_millis(500);
/// The time of one attempt.
const ANSWER: Duration = Duration::from_secs(10);

/// Commits for every partition of every group that it begins at the first record not older than `at`.
///
/// Before any member joins, and the broker takes such a commit only while the group has none: so it
/// happens once, however many members come and however often partitions move.
///
/// # Errors
/// A group that has members; a broker that does not answer by the deadline.
pub(crate) async fn start_from(
    deadline: Instant,
    clusters: &Clusters,
    plan: &Plan,
    at: SystemTime,
) -> Result<(), Problems> {
    for group in &plan.groups {
        if group.standalone || group.handlers.iter().any(|h| h.def.pattern.is_some()) {
            return Err(problem(format!(
                "group `{}` can not begin anew at a time: that needs a group and topics by name; write `auto_offset_reset = OffsetReset::Timestamp(..)`",
                group.id
            )));
        }
        let handlers = group.handlers.iter();
        let topics: Vec<_> = handlers.flat_map(|h| h.def.topics).copied().collect();
        loop {
            let access = clusters.access(&group.cluster, &group.settings.connection());
            let access = access.clone();
            let (id, settings, topics) = (group.id.clone(), group.settings.clone(), topics.clone());
            let asked = on_own_thread("begin-anew", move || {
                begin_anew(&access, &id, &settings, &topics, at)
            });
            let id = &group.id;
            match asked.await.map_err(|error| problem(error.to_string()))? {
                Ok(starts) => {
                    let starts: Vec<_> = starts
                        .iter()
                        .map(|(place, offset)| format!("{place}@{offset}"))
                        .collect();
                    tracing::info!(group = id, "begins anew at {}", starts.join(" "));
                    break;
                }
                Err(ResetError::Retry(why)) if Instant::now() < deadline => {
                    tracing::warn!(group = id, "the start is not committed yet: {why}");
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => return Err(problem(format!("group `{id}` {error}"))),
            }
        }
    }
    Ok(())
}

/// Asks as somebody who is no member of the group.
fn begin_anew(
    access: &Access,
    group_id: &str,
    settings: &ConsumerSettings,
    topics: &[&'static str],
    at: SystemTime,
) -> Result<Vec<(PartitionRef, i64)>, ResetError> {
    let names = access.names();
    let group_id = names.on_cluster(group_id);
    let mut config = config::consumer(access.config(), &group_id, settings);
    config.set("enable.auto.commit", "false");
    let outsider = config.create_with_context(Logged);
    let outsider: BaseConsumer<Logged> = outsider.map_err(|e| ResetError::Retry(e.to_string()))?;
    access
        .admit(outsider.client())
        .map_err(|e| ResetError::Retry(e.to_string()))?;
    let topics: Vec<_> = topics.iter().map(|topic| names.on_cluster(topic)).collect();
    reset(&Asking::new(&outsider, ANSWER), &topics, names, at)
}
