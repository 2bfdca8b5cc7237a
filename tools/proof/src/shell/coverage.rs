//! What has to happen at least once.

use super::actions::{Action, Kick, Tells};
use super::handler::End;
use super::part::Owner;
use super::world::World;
use crate::search::Seen;
use fastkafka_kafka::proof::When;

/// The names, in the order of their numbers.
const NAMES: [&str; 34] = [
    "a turn",
    "time passes",
    "the group gives partitions",
    "a partition is taken while a record is at work",
    "a partition is taken behind a poll",
    "a partition is taken inside a call",
    "the group goes on without the member",
    "a member does not find its coordinator",
    "a member knows no broker any more",
    "the coordinator is found again",
    "no broker is reached while a record is at work",
    "a broker is reached again",
    "the client dies",
    "starts are answered",
    "a start is not known",
    "a leader comes back",
    "a batch can be read again",
    "the topic may be read again",
    "a commit is refused",
    "commits are taken again",
    "a commit is sent again",
    "a handler fails",
    "a handler hangs",
    "an `Ack` is kept",
    "an `Ack` that was kept is used",
    "a call that resumes fails",
    "an error of a position that was left comes",
    "the user pauses while a record is at work",
    "the user resumes",
    "a seek is begun while a record is at work",
    "a seek is answered",
    "the app ends while a record is at work",
    "the app is over, and well",
    "the app is over, and not well",
];

pub(super) fn names() -> Vec<String> {
    NAMES.iter().map(ToString::to_string).collect()
}

/// A world before a choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    at_work: bool,
    seeks: bool,
    refused: bool,
    unknown: bool,
    over: bool,
}

impl World {
    pub(super) fn marks(&self) -> Marks {
        Marks {
            at_work: !self.calls.at_work().is_empty(),
            seeks: self.seek.is_some(),
            refused: self.told_refused,
            unknown: self
                .parts
                .iter()
                .any(|part| part.leaderless && part.next.is_none() && part.owner == Owner::Us),
            over: self.driver.over.is_some(),
        }
    }

    /// Ticks off what has happened.
    pub(super) fn cover(&self, action: Action, before: Marks, seen: &mut Seen<'_>) {
        let mut reach = |name, happened| reach(seen, name, happened);
        let at_work = before.at_work;
        match action {
            Action::Turn => reach("a turn", true),
            Action::Pass => reach("time passes", true),
            Action::Tells(Tells::Give, _) => reach("the group gives partitions", true),
            Action::Tells(Tells::Take(_), when) => {
                reach("a partition is taken while a record is at work", at_work);
                reach(
                    "a partition is taken behind a poll",
                    when == When::AfterPoll,
                );
                reach("a partition is taken inside a call", when == When::InCall);
            }
            Action::Tells(Tells::Kick(kick), _) => match kick {
                Kick::Late => reach("the group goes on without the member", true),
                Kick::Astray => reach("a member does not find its coordinator", true),
                Kick::Alone => reach("a member knows no broker any more", true),
            },
            Action::Finds => reach("the coordinator is found again", true),
            Action::Tells(Tells::Away, _) => {
                reach("no broker is reached while a record is at work", at_work);
            }
            Action::Tells(Tells::Fatal, _) => reach("the client dies", true),
            Action::Answer => {
                reach("starts are answered", true);
                reach("a start is not known", before.unknown);
            }
            Action::Commit | Action::LoseCommit | Action::Returns(_, End::Done) => {}
            Action::CommitAgain => reach("a commit is sent again", true),
            Action::Returns(_, End::Fail) => reach("a handler fails", true),
            Action::Returns(_, End::Keep) => reach("an `Ack` is kept", true),
            Action::Hangs(_) => reach("a handler hangs", true),
            Action::Settle(_) => reach("an `Ack` that was kept is used", true),
            Action::Back => reach("a broker is reached again", true),
            Action::Leader(_, is_back) => reach("a leader comes back", is_back),
            Action::Batch(_, is_well) => reach("a batch can be read again", is_well),
            Action::Topic(is_well) => reach("the topic may be read again", is_well),
            Action::Commits(taken) => reach("commits are taken again", taken),
            Action::ResumeFails => reach("a call that resumes fails", true),
            Action::Late(..) => reach("an error of a position that was left comes", true),
            Action::Pause(_, true) => {
                reach("the user pauses while a record is at work", at_work);
            }
            Action::Pause(_, false) => reach("the user resumes", true),
            Action::Seek(..) => {
                reach("a seek is begun while a record is at work", at_work);
            }
            Action::Shutdown => reach("the app ends while a record is at work", at_work),
        }
        reach("a seek is answered", before.seeks && self.seek.is_none());
        reach("a commit is refused", !before.refused && self.told_refused);
        self.cover_end(before, seen);
    }

    pub(super) fn cover_end(&self, before: Marks, seen: &mut Seen<'_>) {
        if !before.over
            && let Some(end) = &self.driver.over
        {
            reach(seen, "the app is over, and well", end.is_ok());
            reach(seen, "the app is over, and not well", end.is_err());
        }
    }
}

fn reach(seen: &mut Seen<'_>, name: &str, happened: bool) {
    if happened {
        let at = NAMES.iter().position(|known| *known == name);
        seen.reach(at.expect("a name of the list"));
    }
}
