//! The topics that an app needs before it joins: made, or waited for.

use crate::access::Access;
use crate::clusters::Clusters;
use crate::error::problem;
use crate::options::KafkaOptions;
use crate::own_thread::on_own_thread;
use crate::topics::{TopicSpec, TopicState, Topics};
use fastkafka_core::{Plan, Problem, Problems};
use fastkafka_runtime::platform::{ClientError, Lasting};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often missing topics are looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Makes the topics that are missing, as they are declared.
///
/// # Errors
/// When a broker is not reached or refuses.
pub async fn create_topics(
    options: &KafkaOptions,
    plan: &Plan,
    specs: &[TopicSpec],
) -> Result<(), Problems> {
    let deadline = Instant::now() + options.start_timeout;
    let clusters = Clusters::open(options, plan).await?;
    let names: Vec<_> = specs.iter().map(|spec| spec.name.clone()).collect();
    for (access, names) in clusters.topics(plan, &names) {
        let topics = connect(access)?;
        let found = look_up(&topics, &names, deadline, access).await?;
        let found = found.map_err(|error| unreachable(&error, options, access))?;
        let is_missing = |spec: &&TopicSpec| found.get(&spec.name).is_some_and(Result::is_err);
        let missing: Vec<_> = specs.iter().filter(is_missing).cloned().collect();
        let left = deadline.saturating_duration_since(Instant::now());
        topics
            .create(&missing, left)
            .await
            .map_err(|error| problem(error.to_string()))?;
        for spec in &missing {
            tracing::info!("made topic `{}`{}", spec.name, access.names());
        }
    }
    Ok(())
}

/// Waits until all topics are there.
///
/// # Errors
/// All that is missing or refused at the deadline, when `start_timeout` is over.
pub(crate) async fn wait_for_topics(
    options: &KafkaOptions,
    clusters: &Clusters,
    plan: &Plan,
    deadline: Instant,
) -> Result<(), Problems> {
    let mut asked = Vec::new();
    for (access, names) in clusters.topics(plan, &[]) {
        asked.push((access, connect(access)?, names, Vec::new()));
    }
    loop {
        let mut problems = Vec::new();
        for (access, topics, names, missing) in &mut asked {
            match look_up(topics, names, deadline, access).await? {
                Ok(found) => {
                    let wrong = found.into_values().filter_map(Result::err);
                    *missing = wrong.map(|error| error.message).collect();
                }
                // A broker that has told what is missing is there: that it takes long with the last answer is
                // not what keeps the app from starting.
                Err(error) if error.lasting == Lasting::Passing && !missing.is_empty() => {}
                Err(error) => return Err(unreachable(&error, options, access)),
            }
            problems.extend(missing.iter().cloned());
        }
        if problems.is_empty() {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let advice = |what: String| {
                Problem::Broker(format!(
                    "{what}: create it, or start with `run --create-topics`"
                ))
            };
            return Err(Problems(problems.into_iter().map(advice).collect()));
        }
        tracing::warn!(
            "waiting for topics, at most {:.0?} more: {}",
            left,
            problems.join("; ")
        );
        tokio::time::sleep(LOOK_AGAIN.min(left)).await;
    }
}

fn connect(access: &Access) -> Result<Arc<Topics>, Problems> {
    let topics = Topics::new(access).map_err(|error| problem(error.to_string()))?;
    Ok(Arc::new(topics))
}

/// Waits for an answer until the deadline.
async fn look_up(
    topics: &Arc<Topics>,
    names: &[String],
    deadline: Instant,
    access: &Access,
) -> Result<Result<BTreeMap<String, TopicState>, ClientError>, Problems> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A moment is left even at the deadline: the last look must not fail for want of time.
        let patience = left.clamp(Duration::from_millis(500), LOOK_AGAIN);
        let (topics, names) = (topics.clone(), names.to_vec());
        let asked = on_own_thread("topics", move || topics.look_up(&names, patience));
        match asked.await.map_err(|error| problem(error.to_string()))? {
            Ok(found) => return Ok(Ok(found)),
            Err(error) if error.lasting == Lasting::Passing && left > LOOK_AGAIN => {
                tracing::warn!(
                    "waiting for a broker at {}{}, at most {left:.0?} more: {error}",
                    access.address(),
                    access.names()
                );
            }
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn unreachable(error: &ClientError, options: &KafkaOptions, access: &Access) -> Problems {
    let bootstrap = format!("{}{}", access.address(), access.names());
    problem(match error.lasting {
        Lasting::Passing => format!(
            "no broker answers at {bootstrap} within {:?} (`start_timeout`): {error}; is the address right, and does Kafka run? Does it speak `security_protocol = \"{}\"` there?",
            options.start_timeout,
            access.protocol()
        ),
        Lasting::Permanent => format!("the broker at {bootstrap} refuses: {error}"),
    })
}
