//! The texts of a counterexample.

use super::actions::Action;
use super::{Scope, Set, World, ones};
use crate::oracle::Is;
use fastkafka_engine::Effect;

impl Action {
    pub(crate) fn member(self) -> usize {
        match self {
            Action::Write { .. } | Action::Grow | Action::Tick | Action::Jump => 0,
            Action::Retention { .. } | Action::Truncate { .. } => 0,
            Action::Give { m, .. } | Action::Resolve { m } | Action::Assign { m } => m.into(),
            Action::Fetch { m, .. }
            | Action::ReadTo { m, .. }
            | Action::Handle { m, .. }
            | Action::Halt { m, .. } => m.into(),
            Action::Ended { m, .. }
            | Action::Settle { m, .. }
            | Action::DeadLetterDone { m, .. } => m.into(),
            Action::Commit { m } | Action::Answer { m } | Action::Notice { m } => m.into(),
            Action::Room { m, .. } | Action::Unpause { m, .. } | Action::Fail { m, .. } => m.into(),
            Action::Lose { m, .. } | Action::LoseCommit { m } | Action::LoseAnswer { m, .. } => {
                m.into()
            }
            Action::Crash { m } | Action::Kick { m } | Action::Rebalance { m, .. } => m.into(),
            Action::Shutdown { m } | Action::Leave { m } | Action::Pause { m, .. } => m.into(),
            Action::Seek { m, .. } | Action::Restart { m, .. } => m.into(),
            Action::Reread { m, .. } => m.into(),
        }
    }
}

impl Scope {
    fn offsets(&self, p: usize, set: Set) -> Vec<i64> {
        ones(set).map(|i| self.offset(p, i)).collect()
    }

    fn job(&self, w: &World, m: u8, job: u8) -> String {
        let job = &w.members[usize::from(m)].jobs[usize::from(job)];
        let p = usize::from(job.p);
        format!("p{p} {:?} of run {}", self.offsets(p, job.set), job.run.0)
    }

    pub(crate) fn say_action(&self, w: &World, action: Action) -> String {
        let m = action.member();
        let how = |failure| format!("{:?}", Action::failure(failure, self)).to_lowercase();
        match action {
            Action::Give { p, .. } => format!("m{m} is to get p{p}"),
            Action::Resolve { .. } => format!("m{m} looks up its starts"),
            Action::Assign { .. } => format!("m{m} begins what it was given"),
            Action::ReadTo { p, .. } => format!("m{m} reads p{p} to its end"),
            Action::Fetch { p, count, .. } => format!("m{m} reads {count} of p{p}"),
            Action::Handle { job, .. } => {
                format!("m{m} handles a unit of {}", self.job(w, m as u8, job))
            }
            Action::Halt { job, .. } => format!("m{m} halts before {}", self.job(w, m as u8, job)),
            Action::Ended { p, .. } => format!("m{m} lane of p{p} says it has ended"),
            Action::Settle { job, .. } => {
                format!("m{m} outputs acknowledged: {}", self.job(w, m as u8, job))
            }
            Action::DeadLetterDone {
                letter, outcome, ..
            } => {
                let letter = w.members[m].letters[usize::from(letter)];
                let at = self.offset(letter.p.into(), letter.i.into());
                format!("m{m} dead letter of p{} {at}: {outcome:?}", letter.p)
            }
            Action::Commit { .. } => format!("m{m} commits"),
            Action::Answer { .. } => format!("m{m} commit arrives"),
            Action::Notice { .. } => format!("m{m} learns that it was dropped"),
            Action::Room { room, .. } => format!("m{m} producer has room: {room}"),
            Action::Unpause { p, .. } => format!("m{m} resumes p{p}"),
            Action::Write { p } => format!("p{p} gets a record"),
            Action::Grow => "the topic gets a partition".to_owned(),
            Action::Tick => "time passes".to_owned(),
            Action::Fail {
                job,
                i,
                whole,
                failure,
                ..
            } => {
                let what = if whole {
                    "all".to_owned()
                } else {
                    format!("record {i}")
                };
                format!(
                    "m{m} {what} fails ({}), {}",
                    how(failure),
                    self.job(w, m as u8, job)
                )
            }
            Action::Lose {
                job,
                i,
                early,
                whole,
                failure,
                ..
            } => {
                let early = if early { ", others pending" } else { "" };
                let whose = if whole {
                    "all".to_owned()
                } else {
                    format!("record {i}")
                };
                let job = self.job(w, m as u8, job);
                format!(
                    "m{m} output of {whose} lost ({}){early}, {job}",
                    how(failure)
                )
            }
            Action::LoseCommit { .. } => format!("m{m} commit is lost"),
            Action::LoseAnswer { applied, .. } => {
                format!("m{m} last commit lost, applied: {applied}")
            }
            Action::Crash { .. } => format!("m{m} crashes"),
            Action::Kick { .. } => format!("m{m} is dropped"),
            Action::Rebalance { set, .. } => {
                format!("m{m} is to lose {:?}", ones(set).collect::<Vec<_>>())
            }
            Action::Shutdown { .. } => format!("m{m} shuts down"),
            Action::Leave { .. } => format!("m{m} leaves with work in hand"),
            Action::Jump => "the clock jumps".to_owned(),
            Action::Retention { p } => format!("p{p} loses its first record"),
            Action::Truncate { p } => format!("p{p} loses its last record"),
            Action::Pause { p, .. } => format!("m{m} pauses p{p}"),
            Action::Seek { p, i, .. } => {
                format!("m{m} seeks p{p} to {}", self.offset(p.into(), i.into()))
            }
            Action::Restart { p, .. } => format!("m{m} restarts p{p}"),
            Action::Reread { p, i, .. } => {
                let from = self.offset(p.into(), i.into());
                format!("m{m} is to read p{p} again from {from}")
            }
        }
    }

    pub(crate) fn say_effect(&self, _: &World, m: usize, effect: &Effect) -> String {
        match effect {
            Effect::Start {
                part, span, run, ..
            } => {
                format!(
                    "m{m} start p{} {}..{} as {}",
                    part.0, span.first, span.next, run.0
                )
            }
            Effect::Cut { part, .. } => format!("m{m} cut p{}", part.0),
            Effect::DeadLetter { part, at, .. } => format!("m{m} dead letter p{} {at}", part.0),
            Effect::Skipped { part, at } => format!("m{m} skip p{} {at}", part.0),
            Effect::Stopped { part, at, .. } | Effect::Exit { part, at } => {
                format!("m{m} stop p{} {at}", part.0)
            }
            Effect::HoldBack { part, why } => format!("m{m} hold back p{} {why:?}", part.0),
            Effect::Resume { part } => format!("m{m} resume p{}", part.0),
            Effect::Store { part, offset } => format!("m{m} store p{} {offset}", part.0),
            Effect::Free { part, at } => format!("m{m} free p{} {at}", part.0),
            Effect::Release { parts } => {
                format!(
                    "m{m} release {:?}",
                    parts.iter().map(|p| p.0).collect::<Vec<_>>()
                )
            }
        }
    }

    pub(crate) fn say_state(&self, w: &World) -> Vec<String> {
        let committed =
            (0..w.parts()).map(|p| w.committed(p).map_or("-".to_owned(), |at| at.to_string()));
        let committed = committed.collect::<Vec<_>>().join(" ");
        let records = w.members.iter().enumerate().map(|(m, x)| {
            let views = x.views.iter().enumerate().filter(|(_, view)| view.assigned);
            let views = views.map(|(p, view)| {
                let facts = ones(view.all(|_| true)).map(|i| {
                    let fact = view.facts[i];
                    let is = match fact.is {
                        _ if fact.stopped => "stopped",
                        Is::Unread => "unread",
                        Is::Fresh => "open",
                        Is::InHand => "in hand",
                        Is::Handled => "handled",
                        Is::Terminal => "done",
                    };
                    format!("{}:{is}", self.offset(p, i))
                });
                format!("p{p}[{}]", facts.collect::<Vec<_>>().join(" "))
            });
            format!("m{m} {}", views.collect::<Vec<_>>().join(" "))
        });
        let records = records.collect::<Vec<_>>().join(" ");
        vec![committed, records]
    }
}
