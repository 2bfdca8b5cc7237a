//! Commits on their way, and what can become of them.

use crate::client::{Client, State};
use crate::cluster::Cluster;
use crate::group::{Commit, Committed, GroupError};
use crate::ids::PartitionId;

/// A commit that was sent and not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct InFlight {
    pub(crate) commit: Commit,
    /// The application has named the offsets itself: never sent again by the client.
    explicit: bool,
    /// KIP-848: refused for its epoch; sent again with the one the next heartbeat brings.
    pub(crate) stale: bool,
}

/// The fate of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It arrives, and the client hears what the coordinator says.
    Arrives,
    /// It never arrives; the client hears an error.
    Lost,
    /// It arrives, but its answer is lost: the client hears an error.
    AnswerLost,
    /// The client hears an error now; the commit may still arrive, with [`Client::arrive_late`].
    Late,
}

/// Why a commit was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitError {
    /// The coordinator says so.
    Refused(GroupError),
    /// No answer came. It may have been committed.
    NoAnswer,
}

impl std::fmt::Display for CommitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => write!(f, "commit refused: {error}"),
            Self::NoAnswer => f.write_str("the commit was not answered"),
        }
    }
}

impl std::error::Error for CommitError {}

impl<R> Client<R> {
    /// The commits that are on their way, oldest first.
    pub fn commits(&self) -> impl Iterator<Item = &Commit> {
        self.commits.iter().map(|sent| &sent.commit)
    }

    /// Whether [`Client::answer_commit`] has something to answer.
    pub fn commit_in_flight(&self) -> bool {
        self.commits.first().is_some_and(|sent| !sent.stale)
    }

    /// The periodic commit: sends what is stored above what is known to be committed. False when that is
    /// nothing, and while the client rebalances.
    pub fn send_commit(&mut self) -> bool {
        if !self.steady() {
            return false;
        }
        let fresh =
            |known: Option<i64>, stored: &Committed| known.is_none_or(|c| stored.offset > c);
        let readers = self.readers.iter();
        let offsets = readers.filter_map(|reader| {
            let stored = reader.stored.as_ref()?;
            fresh(reader.committed, stored).then(|| (reader.partition, stored.clone()))
        });
        let offsets = offsets.collect();
        self.send(offsets, false)
    }

    /// Commits the offsets that are given, whatever is stored or assigned.
    pub fn commit(&mut self, offsets: Vec<(PartitionId, Committed)>) -> bool {
        self.send(offsets, true)
    }

    /// Decides about the oldest commit on its way. Nothing when there is none, and when it is one that
    /// the client sends again after its next heartbeat.
    pub fn answer_commit(
        &mut self,
        cluster: &mut Cluster<R>,
        answer: Answer,
    ) -> Option<Result<(), CommitError>> {
        if !self.commit_in_flight() {
            return None;
        }
        let InFlight {
            commit, explicit, ..
        } = &self.commits[0];
        let arrived = match answer {
            Answer::Arrives | Answer::AnswerLost => cluster.commit(self.group, commit),
            Answer::Lost | Answer::Late => Ok(()),
        };
        let stale = arrived == Err(GroupError::StaleMemberEpoch) && answer == Answer::Arrives;
        if stale && !explicit && commit.member == self.member {
            self.commits[0].stale = true;
            return None;
        }
        let commit = self.commits.remove(0).commit;
        if answer == Answer::Late {
            self.late.push(commit);
        } else if answer == Answer::Arrives {
            match arrived {
                Ok(()) => self.acknowledged(&commit),
                Err(error) => self.refused(error),
            }
            return Some(arrived.map_err(CommitError::Refused));
        }
        Some(Err(CommitError::NoAnswer))
    }

    /// A commit the client has given up arrives after all. None when there is none.
    pub fn arrive_late(&mut self, cluster: &mut Cluster<R>) -> Option<Result<(), GroupError>> {
        if self.late.is_empty() {
            return None;
        }
        let commit = self.late.remove(0);
        Some(cluster.commit(self.group, &commit))
    }

    /// The state of its membership that the client learns from a refusal.
    fn refused(&mut self, error: GroupError) {
        match error {
            // KIP-848: the heartbeat that librdkafka sends at once in this case says the same.
            GroupError::UnknownMember => self.fence(),
            // In a rebalance a newer generation is on its way anyway.
            GroupError::IllegalGeneration if self.steady() => self.lose(),
            _ => {}
        }
    }

    fn steady(&self) -> bool {
        self.state == State::Stable && self.told().is_none() && !self.lost()
    }

    pub(crate) fn send(&mut self, offsets: Vec<(PartitionId, Committed)>, explicit: bool) -> bool {
        if offsets.is_empty() {
            return false;
        }
        self.commits.push(InFlight {
            commit: Commit {
                member: self.member,
                generation: self.generation,
                offsets,
            },
            explicit,
            stale: false,
        });
        true
    }

    pub(crate) fn resend(&mut self, epoch: u32) {
        for sent in self.commits.iter_mut().filter(|sent| sent.stale) {
            sent.stale = false;
            sent.commit.generation = epoch;
        }
    }

    fn acknowledged(&mut self, commit: &Commit) {
        for (partition, committed) in &commit.offsets {
            if let Ok(reader) = self.reader_mut(*partition) {
                reader.committed = Some(committed.offset);
            }
        }
    }
}
