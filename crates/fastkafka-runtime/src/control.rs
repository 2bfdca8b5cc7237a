//! The user's hand on an app that runs: pause, resume, seek.

use crate::health::StoppedPartition;
use crate::owner::Shared;
use crate::pauses::Pauses;
use fastkafka_core::{Consumer, ConsumerDef, TopicPartition};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

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
    pub(crate) id: String,
    pub(crate) handlers: Vec<&'static ConsumerDef>,
    pub(crate) pauses: Arc<Pauses>,
    pub(crate) workers: Vec<Arc<Shared>>,
}

/// Which partitions a [`Handle`] acts on: those of a topic, one of them, those of a handler.
///
/// A topic's name is one, and so are a name with a number and what health says of a partition that
/// stands still. Where several groups of the app read the topic it means all of them, until
/// [`Target::group`] names one.
///
/// ```
/// # use fastkafka_runtime::Target;
/// assert_eq!(Target::from("orders"), Target::topic("orders"));
/// assert_eq!(Target::from(("orders", 3)), Target::topic("orders").partition(3));
/// assert_eq!(Target::from(("orders", 3)).group("billing").to_string(), "orders[3] in group `billing`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    topic: String,
    partition: Option<i32>,
    group: Option<String>,
    /// `module::name`.
    handler: Option<String>,
}

/// Where a partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// At this offset: that of the next record to handle.
    Offset(i64),
    /// At the first record the log still has.
    Beginning,
    /// Behind the last record that can be read now.
    End,
    /// At the first record that is not older than this; at the end if there is none.
    Timestamp(SystemTime),
}

/// The next offset to handle of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Why a [`Handle`] could not do what it was asked to.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// Too early.
    #[error("the app is not started")]
    NotStarted,
    /// Too late.
    #[error("the app is stopping")]
    Stopping,
    /// The app reads no such topic, or not in that group.
    #[error("no consumer of the app reads {target}; it reads {}", .known.join(", "))]
    Unknown {
        /// What was asked for.
        target: Target,
        /// The topics that are read, each with its group.
        known: Vec<String>,
    },
    /// A seek moves the position of one group.
    #[error("{target} is read by the groups {}: name one, as in `Target::topic(\"{}\").group(\"{}\")`", .groups.join(", "), .target.topic, .groups[0])]
    SeveralGroups {
        /// What was asked for.
        target: Target,
        /// Its groups.
        groups: Vec<String>,
    },
    /// An offset means another record in each partition.
    #[error("an offset belongs to one partition of `{topic}`: name it, as in `(\"{topic}\", 0)`")]
    NoPartition {
        /// The topic.
        topic: String,
    },
    /// Another member of the group has it, or nobody yet.
    #[error("{target} is not assigned to this process")]
    NotAssigned {
        /// What was asked for.
        target: Target,
    },
    /// Partitions come and go right now.
    #[error("{topic}[{partition}] cannot be moved during a rebalance: try again")]
    Rebalancing {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// One seek after another.
    #[error("{topic}[{partition}] is being moved already: try again")]
    Seeking {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// The log has no such record.
    #[error("offset {offset} is not in the log of {topic}[{partition}], which has {low} to {high}")]
    OutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// What was asked for.
        offset: i64,
        /// The log's first offset.
        low: i64,
        /// The offset after the log's last record.
        high: i64,
    },
    /// The broker did not answer, or refused to.
    #[error("where {topic}[{partition}] is to go on could not be asked: {why}")]
    Unanswered {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// In the client's words.
        why: String,
    },
    /// The partition goes on at the new offset, but a crash would undo that.
    #[error(
        "{topic}[{partition}] goes on at {offset}, which is not committed: {why}; seek again to be sure"
    )]
    NotCommitted {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// Where it goes on.
        offset: i64,
        /// In the client's words.
        why: String,
    },
}

/// What an owner is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Heed the pauses: they have changed.
    Pause,
    /// The same, and try again what has stopped.
    Resume(Target),
    /// Answered by each partition of the target that is assigned.
    Seek(Target, Seek),
}

/// Where answers go. The command is done when no sender is left.
pub(crate) type Reply = UnboundedSender<Result<Position, ControlError>>;

impl Handle {
    /// Handles and reads nothing more of the target in this process until [`resume`](Self::resume).
    /// When it returns no further record begins; what is in hand ends, and is committed.
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

    /// Goes on with the target: ends its pause, and tries again the records it has stopped at, with all
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

    /// Goes on elsewhere: back, to handle records again, or forward, to leave some out. What is in hand
    /// of the target counts for nothing; it ends before the first record of the new position begins.
    ///
    /// When it returns the new position is committed, so neither a crash nor a rebalance undoes it.
    /// Of a whole topic it moves the partitions that this process has. Returns where each goes on.
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
    /// Of the first partition that could not be moved; others of the target may have been. Nothing moves
    /// during a rebalance.
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
        let groups: Vec<_> = self
            .groups(&target)?
            .map(|group| group.id.clone())
            .collect();
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
        let meant = |def: &&ConsumerDef| {
            def.takes(&target.topic)
                && target
                    .handler
                    .as_ref()
                    .is_none_or(|path| *path == def.path())
        };
        let named = target.group.as_ref().is_none_or(|id| *id == self.id);
        named && self.handlers.iter().any(meant)
    }
}

impl Target {
    /// All partitions of a topic.
    pub fn topic(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            group: None,
            handler: None,
        }
    }

    /// What a handler reads: `Target::of::<on_orders>()`.
    pub fn of<C: Consumer>() -> Self {
        Self {
            handler: Some(C::DEF.path()),
            ..Self::topic(C::DEF.topic)
        }
    }

    /// One partition of it.
    #[must_use]
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Only in this group, where several groups of the app read the topic.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>) -> Self {
        self.group = Some(id.into());
        self
    }

    pub(crate) fn covers(&self, place: &TopicPartition) -> bool {
        self.topic == place.topic && self.partition.is_none_or(|one| one == place.partition)
    }
}

impl From<&str> for Target {
    fn from(topic: &str) -> Self {
        Self::topic(topic)
    }
}

impl From<String> for Target {
    fn from(topic: String) -> Self {
        Self::topic(topic)
    }
}

impl<T: Into<String>> From<(T, i32)> for Target {
    fn from((topic, partition): (T, i32)) -> Self {
        Self::topic(topic).partition(partition)
    }
}

impl From<&StoppedPartition> for Target {
    fn from(stopped: &StoppedPartition) -> Self {
        Self::topic(&*stopped.topic).partition(stopped.partition)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.partition {
            None => write!(f, "`{}`", self.topic)?,
            Some(partition) => write!(f, "{}[{partition}]", self.topic)?,
        }
        if let Some(handler) = &self.handler {
            write!(f, " of `{handler}`")?;
        }
        if let Some(group) = &self.group {
            write!(f, " in group `{group}`")?;
        }
        Ok(())
    }
}
