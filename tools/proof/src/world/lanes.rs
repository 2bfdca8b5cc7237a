//! Handlers and their outputs: what comes back for a started run.

use super::state::{Ended, Job, part};
use super::{Scope, Set, World, below, ones};
use crate::oracle::Checked;
use crate::search::Seen;
use fastkafka_engine::{Broken, Event, Failure};

impl Scope {
    /// The handler accepts what is in hand.
    pub(crate) fn handle(
        &self,
        w: &mut World,
        m: usize,
        at: usize,
        seen: &mut Seen<'_>,
    ) -> Checked {
        let x = &mut w.members[m];
        let job = &mut x.jobs[at];
        let (p, run) = (usize::from(job.p), job.run);
        let unit = std::mem::take(&mut job.in_hand);
        job.handled |= unit;
        job.over = job.handled == job.set;
        let is_cut = job.is_cut;
        x.views[p].handled(run, unit);
        if self.is_keyed() {
            return self.tell(w, m, Event::Handled { part: part(p), run }, seen);
        }
        if is_cut {
            self.halt(w, m, p);
        }
        self.next_record(w, m, p)
    }

    /// A lane that was cut stands at a record boundary.
    pub(crate) fn halt(&self, w: &mut World, m: usize, p: usize) {
        let x = &mut w.members[m];
        let left = |job: &&Job| usize::from(job.p) == p && !job.over;
        let first = x.jobs.iter().find(left);
        let cut = x
            .jobs
            .iter()
            .filter(|job| usize::from(job.p) == p)
            .map(|job| job.cut)
            .max();
        let at = first.map(|job| job.offset(self, ones(job.set & !job.handled).next()));
        let cut = first.map(|job| job.cut).or(cut).unwrap_or(0);
        x.ended[p] = Some(Ended { cut, at });
        forget_rest(x, p);
    }

    /// It had not begun what looked to be in hand.
    pub(crate) fn halt_before(&self, w: &mut World, m: usize, at: usize) {
        let x = &mut w.members[m];
        let job = &mut x.jobs[at];
        let p = usize::from(job.p);
        let unit = std::mem::take(&mut job.in_hand);
        let owned = x.views[p].owned_by(x.jobs[at].run);
        for i in ones(unit & owned) {
            x.views[p].facts[i].is = crate::oracle::Is::Fresh;
        }
        if w.belongs(m) {
            w.ledger.spent[p] &= !unit;
        }
        self.halt(w, m, p);
    }

    pub(crate) fn ended(&self, w: &mut World, m: usize, p: usize, seen: &mut Seen<'_>) -> Checked {
        let Some(Ended { cut, at }) = w.members[m].ended[p].take() else {
            return Ok(());
        };
        self.tell(
            w,
            m,
            Event::Ended {
                part: part(p),
                cut,
                at,
            },
            seen,
        )
    }

    /// The handler refuses record `i`, or `whole` of a batch.
    pub(crate) fn fail(
        &self,
        w: &mut World,
        m: usize,
        at: usize,
        (i, whole, failure): (usize, bool, Failure),
        seen: &mut Seen<'_>,
    ) -> Checked {
        let now = w.now;
        let owns = w.belongs(m);
        let x = &mut w.members[m];
        let job = &mut x.jobs[at];
        let (p, run, is_cut, cut) = (usize::from(job.p), job.run, job.is_cut, job.cut);
        let unit = std::mem::take(&mut job.in_hand);
        let good = if whole { 0 } else { unit & below(i) };
        let bad: Set = if whole { unit } else { 1 << i };
        job.handled |= good;
        job.over = true;
        let first = ones(bad).next().unwrap_or(0);
        let after = ones(job.set & !below(first) & !bad).next();
        let (from, next) = (self.offset(p, first), job.offset(self, after));
        let empty = job.handled == 0;
        let closes = job.offset(self, Some(ones(job.set).next().unwrap_or(0)));
        x.views[p].handled(run, good);
        for j in ones(bad) {
            x.views[p].fails(self, run, j, failure, now);
        }
        x.views[p].taken_back(unit & !good & !bad & x.views[p].owned_by(run));
        if owns {
            w.ledger.spent[p] &= !(unit & !good);
        }
        if !self.is_keyed() {
            // Whatever is behind it in the lane has not begun.
            forget_rest(x, p);
            if is_cut {
                x.ended[p] = Some(Ended {
                    cut,
                    at: Some(next),
                });
            }
        }
        let part = part(p);
        self.tell(
            w,
            m,
            Event::Failed {
                part,
                run,
                at: from,
                next,
                failure,
            },
            seen,
        )?;
        if empty {
            w.members[m].jobs.retain(|job| job.run != run);
            let settled = Event::Settled {
                part,
                run,
                prefix: closes,
                broken: None,
                closed: true,
            };
            self.tell(w, m, settled, seen)?;
        }
        self.next_record(w, m, p)
    }

    /// Every output so far is acknowledged.
    pub(crate) fn settle(
        &self,
        w: &mut World,
        m: usize,
        at: usize,
        seen: &mut Seen<'_>,
    ) -> Checked {
        let job = &mut w.members[m].jobs[at];
        job.acked |= job.pending();
        w.ledger.terminal[usize::from(job.p)] |= job.acked;
        self.report(w, m, at, None, seen)
    }

    /// An output of record `i` is lost; those before it are acknowledged, or still on their way. Of a `whole`
    /// batch nobody knows whose it was.
    pub(crate) fn lose_output(
        &self,
        w: &mut World,
        m: usize,
        at: usize,
        (i, early, whole, failure): (usize, bool, bool, Failure),
        seen: &mut Seen<'_>,
    ) -> Checked {
        let job = &mut w.members[m].jobs[at];
        let before = job.pending() & below(i);
        if !early && !whole {
            job.acked |= before;
        }
        let unit = if whole { job.handled } else { 1 << i };
        job.lost |= unit;
        w.ledger.terminal[usize::from(job.p)] |= job.acked;
        self.report(w, m, at, Some((unit, failure)), seen)
    }

    fn report(
        &self,
        w: &mut World,
        m: usize,
        at: usize,
        broken: Option<(Set, Failure)>,
        seen: &mut Seen<'_>,
    ) -> Checked {
        let (now, owns) = (w.now, w.belongs(m));
        let x = &mut w.members[m];
        let job = x.jobs[at];
        let (p, run) = (usize::from(job.p), job.run);
        let view = &mut x.views[p];
        view.settled(run, job.settled());
        let broken = broken.map(|(unit, failure)| {
            let (first, last) = (ones(unit).next(), ones(unit).last());
            (unit, first.unwrap_or(0), last.unwrap_or(0), failure)
        });
        if let Some((unit, _, i, failure)) = broken
            // Each of them: what has failed before is another run's.
            && ones(unit).fold(false, |any, j| any | view.fails(self, run, j, failure, now))
        {
            // Nothing behind the unit may begin before that. Within it one record follows the other.
            view.facts[i].alone = true;
            // A batch is one call: what it made of the records behind is settled with them.
            let together = if job.unit { view.owned_by(run) } else { 0 };
            let behind = (self.unit(p, i) | together) & !below(i + 1);
            view.taken_back(behind);
            for j in ones(behind & view.all(|fact| fact.is == crate::oracle::Is::Terminal)) {
                view.facts[j].is = crate::oracle::Is::Fresh;
            }
            if owns {
                w.ledger.spent[p] &= !(behind | unit);
            }
        }
        let closed = job.over && job.pending() == 0;
        if closed {
            x.jobs.remove(at);
        }
        let event = Event::Settled {
            part: part(p),
            run,
            prefix: job.offset(self, job.prefix()),
            broken: broken.map(|(_, first, last, failure)| Broken {
                at: self.offset(p, first),
                next: job.offset(self, ones(job.set & !below(last + 1)).next()),
                failure,
            }),
            closed,
        };
        self.tell(w, m, event, seen)
    }
}

/// Runs of a halted lane that have handled nothing are forgotten, the others are over.
fn forget_rest(x: &mut super::Member, p: usize) {
    let stays = |job: &Job| usize::from(job.p) != p || job.over || job.handled != 0;
    x.jobs.retain(|job| stays(job) || job.in_hand != 0);
    for job in x.jobs.iter_mut().filter(|job| usize::from(job.p) == p) {
        job.over = true;
        job.in_hand = 0;
    }
}
