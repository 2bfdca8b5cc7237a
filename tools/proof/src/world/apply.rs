//! The effect of each choice.

use super::actions::{ARRIVES, Action};
use super::state::{Member, part};
use super::{Scope, World, WorldMutant, below};
use crate::oracle::{Checked, View};
use crate::search::Seen;
use fastkafka_engine::{Event, Key, Read, Span};
use fastkafka_sim::{Answer, FetchError};
use std::time::Duration;

impl Scope {
    pub(crate) fn take(&self, w: &mut World, action: Action, seen: &mut Seen<'_>) -> Checked {
        self.reach_action(w, action, seen);
        if let Some(fault) = action.fault() {
            w.left.spend(fault);
        }
        self.act(w, action, seen)?;
        w.members.iter_mut().for_each(Member::leave_when_drained);
        self.exchange(w, seen)?;
        if !w.left.has(super::Fault::Crash)
            && !w.left.has(super::Fault::Kick)
            && !w.left.has(super::Fault::Commit)
        {
            // Once nothing can come between, the moment of a commit is invisible.
            for m in 0..w.members.len() {
                while w.members[m].open && w.members[m].client.commit_in_flight() {
                    self.answered(w, m, ARRIVES)?;
                    self.exchange(w, seen)?;
                }
                if w.members[m].open && self.may_commit(w, m) {
                    self.commit(w, m, ARRIVES)?;
                }
            }
        }
        let World {
            cluster, members, ..
        } = w;
        cluster.renumber(members.iter_mut().map(|x| &mut x.client));
        self.check(w)
    }

    fn act(&self, w: &mut World, action: Action, seen: &mut Seen<'_>) -> Checked {
        let m = action.member();
        match action {
            Action::Give { p, .. } => self.target(w, m, 1 << p, true),
            Action::Rebalance { set, .. } => self.target(w, m, set, false),
            Action::Resolve { .. } => self.resolve(w, m),
            Action::Assign { .. } => {
                if !w.members[m].resolved.iter().any(Option::is_some) {
                    self.resolve(w, m);
                }
                return self.assign(w, m, seen);
            }
            Action::Fetch { p, count, .. } => {
                return self.fetch(w, m, (p.into(), count.into()), seen);
            }
            Action::Handle { job, .. } => return self.handle(w, m, job.into(), seen),
            Action::Halt { job, .. } => self.halt_before(w, m, job.into()),
            Action::Ended { p, .. } => return self.ended(w, m, p.into(), seen),
            Action::Settle { job, .. } => return self.settle(w, m, job.into(), seen),
            Action::Fail {
                job,
                i,
                whole,
                failure,
                ..
            } => {
                let how = (i.into(), whole, Action::failure(failure, self));
                return self.fail(w, m, job.into(), how, seen);
            }
            Action::Lose {
                job,
                i,
                early,
                whole,
                failure,
                ..
            } => {
                let how = (i.into(), early, whole, Action::failure(failure, self));
                return self.lose_output(w, m, job.into(), how, seen);
            }
            Action::DeadLetterDone {
                letter, outcome, ..
            } => {
                let letter = w.members[m].letters.remove(letter.into());
                let (p, run, outcome) = (usize::from(letter.p), letter.run, outcome.into());
                if outcome == fastkafka_engine::DeadLetterOutcome::Written {
                    w.ledger.terminal[p] |= 1 << letter.i;
                }
                w.members[m].views[p].dead_letter_done(self, run, outcome, w.now);
                return self.tell(
                    w,
                    m,
                    Event::DeadLetterDone {
                        part: part(p),
                        run,
                        outcome,
                    },
                    seen,
                );
            }
            Action::Commit { .. } => return self.commit(w, m, ARRIVES),
            Action::LoseCommit { .. } => return self.commit(w, m, Answer::Lost),
            Action::Answer { .. } => return self.answered(w, m, ARRIVES),
            Action::LoseAnswer { applied, .. } => {
                let answer = if applied {
                    Answer::AnswerLost
                } else {
                    Answer::Lost
                };
                return self.answered(w, m, answer);
            }
            Action::Notice { .. } => return self.learn(w, m, seen),
            Action::Room { room, .. } => {
                w.members[m].room = room;
                return self.tell(w, m, Event::Room(room), seen);
            }
            Action::Write { p } => w.write(self, p.into(), 1),
            Action::Grow => {
                w.cluster.create_topic("in", super::PARTS);
                w.write(self, 1, self.early[1]);
                w.cluster.rebalance(w.group);
            }
            Action::Tick => {
                w.now = w.next_deadline().unwrap_or(w.now).max(w.now);
                return self.tick(w, seen);
            }
            Action::Jump => {
                w.now += Duration::from_secs(3600);
                return self.tick(w, seen);
            }
            Action::Crash { .. } => {
                self.drop_member(w, m);
                w.members[m] = Member::new(self, w.group, w.topic);
            }
            Action::Kick { .. } => self.drop_member(w, m),
            Action::Shutdown { .. } => return self.shut_down(w, m, seen),
            Action::Leave { .. } => w.members[m].client.leave(),
            Action::Retention { p } => {
                let p = usize::from(p);
                let low = w
                    .cluster
                    .log(w.id(p))
                    .map_or(0, |log| log.entries()[1].offset);
                let id = w.id(p);
                w.cluster.delete_before(id, low);
                w.ledger.terminal[p] |= below(self.index(p, low));
            }
            Action::Truncate { p } => {
                let id = w.id(p.into());
                let last = w.cluster.log(id).and_then(|log| log.entries().last());
                let high = last.map_or(0, |entry| entry.offset);
                w.cluster.truncate(id, high);
            }
            Action::Pause { p, .. } => return self.pause(w, m, p.into(), true, seen),
            Action::ReadTo { p, .. } => return self.read_to(w, m, p.into(), seen),
            Action::Unpause { p, .. } => return self.pause(w, m, p.into(), false, seen),
            Action::Seek { p, i, .. } => return self.seek(w, m, (p.into(), i.into()), seen),
            Action::Reread { p, i, .. } => {
                let (id, from) = (w.id(p.into()), self.offset(p.into(), i.into()));
                let _ = w.members[m].client.seek(id, from);
            }
            Action::Restart { p, .. } => {
                let p = usize::from(p);
                let view = &mut w.members[m].views[p];
                for fact in view.facts.iter_mut().filter(|fact| fact.stopped) {
                    fact.stopped = false;
                    fact.failures = 0;
                    fact.due = fastkafka_engine::Time::ZERO;
                }
                return self.tell(w, m, Event::Restart { part: part(p) }, seen);
            }
        }
        Ok(())
    }

    fn target(&self, w: &mut World, m: usize, set: super::Set, gets: bool) {
        let Some(id) = w.members[m].client.member() else {
            return;
        };
        let mut target = w.cluster.group(w.group).target(id);
        for p in super::ones(set) {
            if gets {
                target.insert(w.id(p));
            } else {
                target.remove(w.id(p));
            }
        }
        w.cluster
            .reassign(w.group, [(id, target)])
            .expect("it belongs to the group");
    }

    fn fetch(
        &self,
        w: &mut World,
        m: usize,
        (p, count): (usize, usize),
        seen: &mut Seen<'_>,
    ) -> Checked {
        let id = w.id(p);
        let World {
            cluster, members, ..
        } = w;
        let x = &mut members[m];
        let fetched = match x.client.fetch(cluster, id, count) {
            Err(FetchError::OutOfRange { low, .. }) if x.client.position(id) < Some(low) => {
                let _ = x.client.seek(id, low);
                x.client.fetch(cluster, id, count)
            }
            other => other,
        };
        let Ok(entries) = fetched else {
            x.truncated |= 1 << p;
            return Ok(());
        };
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
            return Ok(());
        };
        let set = self.span(p, first.offset, last.offset + 1);
        if x.views[p].reads_again(self, p, set) {
            // Those records come again, and the commit may go back to the first of them.
            w.ledger.spent[p] &= below(self.index(p, first.offset));
            w.ledger.sought[p] += 1;
        }
        x.views[p].delivered(set);
        let part = part(p);
        let event = if self.is_keyed() {
            let read = |entry: &fastkafka_sim::Entry<u8>| Read {
                offset: entry.offset,
                key: (!self.unordered).then_some(Key(entry.record.into())),
                bytes: 1,
            };
            let records = entries.iter().map(read).collect();
            Event::Read { part, records }
        } else {
            let span = Span {
                first: first.offset,
                next: last.offset + 1,
                records: entries.len() as u32,
                bytes: entries.len() as u64,
            };
            Event::Fetched { part, span }
        };
        self.tell(w, m, event, seen)
    }

    fn read_to(&self, w: &mut World, m: usize, p: usize, seen: &mut Seen<'_>) -> Checked {
        let id = w.id(p);
        let World {
            cluster, members, ..
        } = w;
        let x = &mut members[m];
        // Markers are passed over.
        let records = x.client.fetch(cluster, id, 1);
        assert_eq!(records.map(|records| records.len()), Ok(0), "the end");
        let Some(offset) = x.client.position(id) else {
            return Ok(());
        };
        x.views[p].read_to = x.views[p].read_to.max(offset);
        let part = part(p);
        self.tell(w, m, Event::ReadTo { part, offset }, seen)
    }

    fn commit(&self, w: &mut World, m: usize, answer: Answer) -> Checked {
        for p in 0..w.parts() {
            if self.is(WorldMutant::CommitMarkedCleanOnSend) {
                let stored = w.members[m].client.stored(w.id(p));
                w.members[m].thought[p] = stored.map_or(0, |stored| stored.offset);
            }
        }
        let World {
            cluster, members, ..
        } = w;
        if members[m].client.send_commit() {
            members[m].client.answer_commit(cluster, answer);
        }
        self.check_commits(w)
    }

    fn tick(&self, w: &mut World, seen: &mut Seen<'_>) -> Checked {
        for m in 0..w.members.len() {
            let x = &w.members[m];
            if x.open && x.engine.next_deadline().is_some_and(|due| due <= w.now) {
                self.tell(w, m, Event::Tick, seen)?;
            }
        }
        Ok(())
    }

    fn shut_down(&self, w: &mut World, m: usize, seen: &mut Seen<'_>) -> Checked {
        w.members[m].closing = true;
        self.tell(w, m, Event::Shutdown, seen)?;
        if self.is(WorldMutant::ProducerDroppedWithoutFlush) {
            // What was enqueued counts as sent.
            while let Some(at) = w.members[m].jobs.iter().position(|job| job.pending() != 0) {
                let terminal = w.ledger.terminal;
                self.settle(w, m, at, seen)?;
                w.ledger.terminal = terminal;
            }
        }
        w.members[m].decline();
        Ok(())
    }

    fn pause(
        &self,
        w: &mut World,
        m: usize,
        p: usize,
        pause: bool,
        seen: &mut Seen<'_>,
    ) -> Checked {
        w.members[m].views[p].paused = pause;
        self.tell(
            w,
            m,
            Event::Pause {
                part: part(p),
                pause,
            },
            seen,
        )
    }

    fn seek(
        &self,
        w: &mut World,
        m: usize,
        (p, i): (usize, usize),
        seen: &mut Seen<'_>,
    ) -> Checked {
        let (position, id) = (self.offset(p, i), w.id(p));
        let x = &mut w.members[m];
        let _ = x.client.seek(id, position);
        x.views[p] = View {
            paused: x.views[p].paused,
            ..View::assigned(position)
        };
        // Whatever lies before it the user does not want; what lies behind comes again.
        w.ledger.terminal[p] |= below(i);
        w.ledger.spent[p] &= below(i);
        w.ledger.sought[p] += 1;
        self.tell(
            w,
            m,
            Event::Seek {
                part: part(p),
                position,
            },
            seen,
        )
    }
}
