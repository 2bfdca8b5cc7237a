//! The user's handle: it sets pauses, sends commands to the drivers, and collects their answers.

use super::command::{Command, Position, Seek};
use super::error::ControlError;
use super::pauses::Pauses;
use super::target::Target;
use crate::shared::Shared;
use fastkafka_core::{ConsumerDef, Text};
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc::unbounded_channel;

/// The controls of a running app. Cheap to clone; all clones are of one app.
///
/// Everything here concerns this process alone: other members of the group go on. Each call returns
/// when it has taken effect.
///
/// ```
/// # use fastkafka_runtime::{ControlError, Handle, Seek};
/// # use std::time::{Duration, SystemTime};
/// # async fn repair(handle: Handle) -> Result<(), ControlError> {
/// handle.pause("orders").await?;
/// // The database is repaired; the orders of the last hour are handled again.
/// let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
/// handle.seek("orders", Seek::Timestamp(hour_ago)).await?;
/// handle.resume("orders").await
/// # }
/// # let _ = repair;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Handle(Arc<OnceLock<Vec<GroupControl>>>);

/// A group of the app in this process.
#[derive(Debug)]
pub(crate) struct GroupControl {
    pub(crate) cluster: Text,
    pub(crate) id: String,
    pub(crate) handlers: Vec<&'static ConsumerDef>,
    pub(crate) pauses: Arc<Pauses>,
    pub(crate) workers: Vec<Arc<Shared>>,
}

impl Handle {
    /// Stops handling and reading the target in this process until [`resume`](Self::resume). When it
    /// returns no further record begins; the records in hand are finished and committed.
    ///
    /// The pause stays through rebalances and is gone when the process ends. The member keeps its
    /// partitions meanwhile: nobody else handles them.
    ///
    /// # Errors
    /// When the app is not started, or reads no such topic.
    pub async fn pause(&self, target: impl Into<Target>) -> Result<(), ControlError> {
        let target = target.into();
        self.set(&target, true)?;
        self.tell(&target, &Command::Pause).await.map(drop)
    }

    /// Resumes the target: ends its pause, and tries again the records it has stopped at, with all
    /// their attempts. By key and without order that means the records that have stopped, each with what
    /// waits behind it.
    ///
    /// ```
    /// # use fastkafka_runtime::{ControlError, Handle, Health};
    /// # async fn again(handle: Handle, health: Health) -> Result<(), ControlError> {
    /// for group in health.groups {
    ///     for stopped in &group.stopped {
    ///         handle.resume(stopped).await?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # let _ = again;
    /// ```
    ///
    /// # Errors
    /// When the app is not started, or reads no such topic.
    pub async fn resume(&self, target: impl Into<Target>) -> Result<(), ControlError> {
        let target = target.into();
        self.set(&target, false)?;
        let command = Command::Resume(target.clone());
        self.tell(&target, &command).await.map(drop)
    }

    /// Moves the target to another position: back, to handle records again, or forward, to leave some
    /// out. The records in hand count for nothing; they end before the first one of the new position
    /// begins.
    ///
    /// When it returns the new position is committed, so neither a crash nor a rebalance undoes it.
    /// A seek of a whole topic moves the partitions that this process has. Returns where each goes on.
    ///
    /// ```
    /// # use fastkafka_runtime::{ControlError, Handle, Seek};
    /// # async fn skip(handle: Handle) -> Result<(), ControlError> {
    /// let moved = handle.seek(("orders", 3), Seek::End).await?;
    /// println!("orders[3] goes on at {}", moved[0].offset);
    /// # Ok(())
    /// # }
    /// # let _ = skip;
    /// ```
    ///
    /// # Errors
    /// The reason of the first partition that could not be moved; others of the target may have been.
    /// Nothing moves during a rebalance.
    pub async fn seek(
        &self,
        target: impl Into<Target>,
        to: Seek,
    ) -> Result<Vec<Position>, ControlError> {
        let target = target.into();
        if let (Seek::Offset(_), None) = (to, target.partition) {
            let topic = target.topic;
            return Err(ControlError::NoPartition { topic });
        }
        let groups: Vec<_> = self.groups(&target)?.collect();
        if groups
            .iter()
            .any(|group| group.cluster != groups[0].cluster)
        {
            let clusters = groups.iter().map(|group| group.cluster.to_string());
            let clusters = clusters.collect();
            return Err(ControlError::SeveralClusters { target, clusters });
        }
        let groups: Vec<_> = groups.iter().map(|group| group.id.clone()).collect();
        if groups.len() > 1 {
            return Err(ControlError::SeveralGroups { target, groups });
        }
        let command = Command::Seek(target.clone(), to);
        let mut moved = self.tell(&target, &command).await?;
        if moved.is_empty() {
            return Err(ControlError::NotAssigned { target });
        }
        moved.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Ok(moved)
    }

    /// The paused partitions of this process, in order. One that is paused and assigned to somebody else
    /// is not among them until it comes back.
    pub fn paused(&self) -> Vec<(String, i32)> {
        let groups = self.0.get().into_iter().flatten();
        let workers = groups.flat_map(|group| &group.workers);
        let mut paused: Vec<_> = workers.flat_map(|worker| worker.health().paused).collect();
        paused.sort();
        paused.dedup();
        paused
    }

    pub(crate) fn connect(&self, groups: Vec<GroupControl>) {
        // An app is started once.
        let _ = self.0.set(groups);
    }

    fn groups<'a>(
        &'a self,
        target: &'a Target,
    ) -> Result<impl Iterator<Item = &'a GroupControl>, ControlError> {
        let groups = self.0.get().ok_or(ControlError::NotStarted)?;
        if !groups.iter().any(|group| group.reads(target)) {
            let known = groups.iter().flat_map(|group| {
                let topics = group.handlers.iter().flat_map(|def| def.subscription());
                topics.map(|topic| format!("`{topic}` in `{}`", group.id))
            });
            return Err(ControlError::Unknown {
                target: target.clone(),
                known: known.collect(),
            });
        }
        Ok(groups.iter().filter(|group| group.reads(target)))
    }

    fn set(&self, target: &Target, pause: bool) -> Result<(), ControlError> {
        for group in self.groups(target)? {
            group.pauses.set(&target.topic, target.partition, pause);
        }
        Ok(())
    }

    /// Has every worker of the target's groups do it, and collects what they answer.
    async fn tell(
        &self,
        target: &Target,
        command: &Command,
    ) -> Result<Vec<Position>, ControlError> {
        let (reply, mut answers) = unbounded_channel();
        for worker in self.groups(target)?.flat_map(|group| &group.workers) {
            if !worker.command(command.clone(), reply.clone()) {
                return Err(ControlError::Stopping);
            }
        }
        drop(reply);
        let (mut done, mut failed) = (Vec::new(), None);
        while let Some(answer) = answers.recv().await {
            match answer {
                Ok(position) => done.push(position),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        // Nobody answers for a consumer that has ended meanwhile.
        if done.is_empty()
            && self
                .groups(target)?
                .flat_map(|group| &group.workers)
                .any(|worker| worker.is_closed())
        {
            failed = failed.or(Some(ControlError::Stopping));
        }
        failed.map_or(Ok(done), Err)
    }
}

impl GroupControl {
    fn reads(&self, target: &Target) -> bool {
        target.names_group(&self.cluster, &self.id)
            && self.handlers.iter().any(|def| target.names(def))
    }
}
