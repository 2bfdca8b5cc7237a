//! The wait for the first assignments, and what is said when it is over.

use super::{Runtime, broker};
use crate::health::{GroupHealth, ProblemCode};
use fastkafka_core::{Problem, Problems};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// When the log says what a group waits for.
const TELL: Duration = Duration::from_secs(5);
/// How often a group that is late is looked at.
const LOOK: Duration = Duration::from_secs(1);
impl Runtime {
    /// Ends when every group has its first assignment and the offsets it starts from are committed.
    ///
    /// A group whose broker answers is waited for beyond `start_timeout`: as long as a member that is gone
    /// without a word still counts, and the others may need to give partitions back.
    ///
    /// # Errors
    /// The groups that have none in time, or why the app has to end by itself. The start goes on until
    /// [`Runtime::stop`].
    pub async fn started(&self) -> Result<(), Problems> {
        for group in &self.groups {
            tokio::select! {
                biased;
                () = group.shared.started() => {}
                reason = self.failed() => return Err(broker(reason)),
                late = self.too_late() => return Err(late),
            }
        }
        Ok(())
    }

    /// Ends when a group must have started by now.
    async fn too_late(&self) -> Problems {
        let tell_at = (Instant::now() + TELL).min(self.deadline);
        sleep_until(tell_at).await;
        self.tell_what_is_waited_for();
        sleep_until(self.deadline).await;
        loop {
            let late = self.late();
            if !late.is_empty() {
                return Problems(late);
            }
            sleep(LOOK).await;
        }
    }

    fn tell_what_is_waited_for(&self) {
        for group in &self.groups {
            let health = group.shared.health();
            if group.shared.is_started() || !can_be_waited_for(&health) {
                continue;
            }
            let session = group.patience.session.as_secs_f32();
            let left = self.deadline + group.patience.all() - Instant::now();
            if !group.patience.session.is_zero() {
                tracing::warn!(
                    "{} has no assignment yet; waiting up to {:.0} s: a member that is gone keeps its session for {session} s (`session_timeout_ms`), and others finish their records first",
                    health.name(),
                    left.as_secs_f32()
                );
            }
        }
    }

    /// Why groups that are not started are waited for no longer.
    fn late(&self) -> Vec<Problem> {
        let now = Instant::now();
        let late = self.groups.iter().filter_map(|group| {
            let health = group.shared.health();
            let until = self.deadline + group.patience.all();
            if group.shared.is_started() || (can_be_waited_for(&health) && now < until) {
                return None;
            }
            let waited = self.options.start_timeout + now.saturating_duration_since(self.deadline);
            let (name, seconds) = (health.name(), waited.as_secs_f32().round());
            let open = health.open.into_iter().map(|problem| problem.error);
            let why = open
                .chain(health.last_error)
                .next()
                .unwrap_or_else(|| "the group has not answered the join".to_owned());
            Some(Problem::Broker(format!(
                "{name} has no assignment after {seconds} s (`start_timeout`): {why}"
            )))
        });
        late.collect()
    }
}

/// False when a broker, a topic or a right is missing: no other member is to blame for that.
fn can_be_waited_for(health: &GroupHealth) -> bool {
    let mut open = health.open.iter();
    !open.any(|problem| {
        matches!(
            problem.code,
            ProblemCode::NoBroker
                | ProblemCode::LoginRefused
                | ProblemCode::ClusterRefused
                | ProblemCode::GroupRefused
                | ProblemCode::TopicRefused
        )
    })
}
