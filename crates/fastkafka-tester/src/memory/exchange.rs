//! The traffic between a consumer and its group: assignments and commits.
//!
//! A real client does this in the background. Here it happens whenever the driver calls, so that a
//! commit has arrived when the call returns.

use crate::memory::member::Member;
use crate::memory::state::ClusterState;
use crate::schedule::choice::Choice;
use crate::watching::transcript::Event;
use fastkafka_runtime::platform::{ClientError, Lasting, Notice, Scope};
use fastkafka_sim::{self as sim, Answer, PartitionId};
use std::fmt;

/// An error as the client would have it.
pub(super) fn client_error(what: impl fmt::Display) -> ClientError {
    let (scope, lasting) = (Scope::Request, Lasting::Passing);
    ClientError::new("_FAIL", scope, lasting, what.to_string())
}

/// Does whatever is due between the consumer and its group.
pub(super) fn exchange(member: &mut Member, state: &mut ClusterState) {
    if state.down {
        return;
    }
    loop {
        commit_stored(member, state);
        if !member.client.may_exchange(&state.sim) {
            return;
        }
        if let Some(notice) = member.client.exchange(&mut state.sim) {
            let refs = |partitions: &sim::PartitionSet| {
                partitions.iter().map(|p| state.partition_ref(p)).collect()
            };
            let notice = match notice {
                sim::Notice::Assign(partitions) => Notice::Assign(refs(&partitions)),
                sim::Notice::Revoke { partitions, lost } => Notice::Revoke {
                    places: refs(&partitions),
                    lost,
                },
            };
            note(member, state, &notice);
            member.notices.push(notice);
        }
    }
}

fn group_name(member: &Member, state: &ClusterState) -> String {
    state.sim.group_name(member.client.group()).to_owned()
}

fn note(member: &Member, state: &ClusterState, notice: &Notice) {
    let (process, group) = (member.process, group_name(member, state));
    let event = match notice {
        Notice::Assign(places) => Event::Assigned {
            process,
            group,
            places: places.clone(),
        },
        Notice::Revoke { places, lost } => Event::Revoked {
            process,
            group,
            places: places.clone(),
            lost: *lost,
        },
        _ => return,
    };
    state.transcript.note(event);
}

/// Sends the stored offsets, and queues the answers to all commits under way.
pub(super) fn commit_stored(member: &mut Member, state: &mut ClusterState) {
    if state.down {
        return;
    }
    member.client.send_commit();
    let answers = answers(member, state);
    member
        .notices
        .extend(answers.into_iter().map(|answer| answer.notice(state)));
}

/// Commits an offset of one partition and returns the answer.
pub(super) fn commit_offset(
    member: &mut Member,
    state: &mut ClusterState,
    partition: PartitionId,
    offset: i64,
) -> Result<(), String> {
    // Commits are answered in the order in which they were sent: the last answer is that of this one.
    commit_stored(member, state);
    member.client.commit(vec![(partition, offset.into())]);
    let last = answers(member, state).pop();
    last.map_or_else(
        || Err("the commit was not answered".to_owned()),
        |last| last.answer,
    )
}

/// A commit and its answer.
struct Answered {
    offsets: Vec<(PartitionId, i64)>,
    answer: Result<(), String>,
}

impl Answered {
    fn notice(self, state: &ClusterState) -> Notice {
        let answer = |(partition, offset): (PartitionId, i64)| {
            let answer = self.answer.as_ref();
            let answer = answer.map(|()| offset).map_err(client_error);
            (state.partition_ref(partition), answer)
        };
        Notice::Committed(self.offsets.iter().copied().map(answer).collect())
    }
}

/// An exploration lets this commit be lost.
fn is_chosen(state: &ClusterState) -> bool {
    let steps = state.transcript.steps();
    let chosen = steps.ask("a commit", &[Choice::CommitLost]).is_some();
    if chosen {
        let what = "the next commit is lost".to_owned();
        state.transcript.note(Event::Deviation(what));
    }
    chosen
}

/// Answers the commits under way, in their order.
fn answers(member: &mut Member, state: &mut ClusterState) -> Vec<Answered> {
    std::iter::from_fn(|| {
        let commit = member.client.commits().next()?;
        let offsets = commit.offsets.iter();
        let offsets: Vec<_> = offsets.map(|(p, c)| (*p, c.offset)).collect();
        let lost = !member.standalone && (state.commits_lost || is_chosen(state));
        for &(partition, offset) in offsets.iter().filter(|_| !member.standalone) {
            state.transcript.note(Event::Committed {
                process: member.process,
                group: group_name(member, state),
                place: state.partition_ref(partition),
                offset,
                lost,
            });
        }
        let answer = if lost { Answer::Lost } else { Answer::Arrives };
        let answer = member.client.answer_commit(&mut state.sim, answer)?;
        let answer = answer.map_err(|error| error.to_string());
        Some(Answered { offsets, answer })
    })
    .collect()
}
