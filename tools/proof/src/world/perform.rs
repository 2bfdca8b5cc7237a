//! Events for an engine, and its effects.

use super::state::{Ended, Job, Letter};
use super::{PARTS, RECORDS, Scope, World, WorldMutant, below, ones};
use crate::oracle::{Checked, Is, broken};
use crate::search::Seen;
use fastkafka_engine::{Effect, Event, Order, RunId, Span};

impl Scope {
    pub(crate) fn tell(
        &self,
        w: &mut World,
        m: usize,
        event: Event,
        seen: &mut Seen<'_>,
    ) -> Checked {
        let mut effects = Vec::new();
        w.members[m].engine.step(w.now, event, &mut effects);
        for effect in effects {
            seen.effect(|| self.say_effect(w, m, &effect));
            self.reach_effect(w, m, &effect, seen);
            self.perform(w, m, effect, seen)?;
        }
        Ok(())
    }

    fn perform(&self, w: &mut World, m: usize, effect: Effect, seen: &mut Seen<'_>) -> Checked {
        let now = w.now;
        match effect {
            Effect::Start {
                part,
                cut,
                run,
                span,
                attempt,
                single,
            } => {
                let p = part.0 as usize;
                self.started(w, m, (p, cut, run, span, single))?;
                let first = self.index(p, span.first);
                let failures = w.members[m].views[p].facts[first].failures;
                if attempt != u32::from(failures) + 1 {
                    return broken("S9", format!("attempt {attempt} after {failures} failures"));
                }
            }
            Effect::Cut { part, cut } => self.cut_lane(w, m, part.0 as usize, cut),
            Effect::DeadLetter { part, run, at, .. } => {
                let (p, i) = (part.0 as usize, self.index(part.0 as usize, at));
                let view = &mut w.members[m].views[p];
                view.letter_begins(self, p, i, run)?;
                if now < view.facts[i].due {
                    return broken("S9", format!("the dead letter of {at} is not due"));
                }
                w.members[m].letters.push(Letter {
                    p: p as u8,
                    run,
                    i: i as u8,
                });
            }
            Effect::Skipped { part, at } => {
                let (p, i) = (part.0 as usize, self.index(part.0 as usize, at));
                w.members[m].views[p].skips(self, p, i)?;
                w.ledger.terminal[p] |= 1 << i;
            }
            Effect::Stopped { part, at, .. } | Effect::Exit { part, at } => {
                let (p, i) = (part.0 as usize, self.index(part.0 as usize, at));
                let view = &mut w.members[m].views[p];
                if !view.facts[i].stopped {
                    view.ends(self, p, i, "the stop")?;
                }
                view.facts[i].stopped = true;
            }
            Effect::HoldBack { part, .. } => {
                let id = w.id(part.0 as usize);
                if w.members[m].client.pause(id, true).is_err() {
                    return broken("S10", "a hold-back outside of the assignment");
                }
            }
            Effect::Resume { part } => {
                let id = w.id(part.0 as usize);
                let _ = w.members[m].client.pause(id, false);
            }
            Effect::Store { part, offset } => {
                let (p, id) = (part.0 as usize, w.id(part.0 as usize));
                let x = &mut w.members[m];
                if x.views[p].stored != offset || !x.views[p].assigned {
                    x.views[p].stores(self, p, offset)?;
                }
                if !self.is(WorldMutant::StoreAfterAnswer) || x.views[p].revoking.is_none() {
                    let _ = x.client.store(id, offset);
                }
            }
            Effect::Free { part, at } => {
                let (p, i) = (part.0 as usize, self.index(part.0 as usize, at));
                let view = &mut w.members[m].views[p];
                if self.unit(p, i) & below(i + 1) & view.open() != 0 {
                    return broken("S1", format!("{at} is freed and may start again"));
                }
                if view.facts[i].freed {
                    return broken("S1", format!("{at} is freed a second time"));
                }
                view.facts[i].freed = true;
            }
            Effect::Release { parts } => self.release(w, m, &parts)?,
        }
        let _ = seen;
        Ok(())
    }

    fn started(
        &self,
        w: &mut World,
        m: usize,
        (p, cut, run, span, single): (usize, u32, RunId, Span, bool),
    ) -> Checked {
        let x = &mut w.members[m];
        if x.closing || !x.room {
            return broken("S10", "a run starts during the shutdown, or without room");
        }
        if x.views[p].revoking.is_some() || !x.views[p].assigned || x.views[p].paused {
            return broken("S10", format!("{} starts when nothing may", span.first));
        }
        let set = self.span(p, span.first, span.next) & x.views[p].all(|_| true);
        if set == 0 {
            return broken("S10", format!("{span:?} starts and was not read"));
        }
        let first = ones(set).next().unwrap_or(0);
        if w.now < x.views[p].facts[first].due {
            return broken("S9", format!("{} starts before it is due", span.first));
        }
        x.jobs.push(Job {
            p: p as u8,
            run,
            cut,
            set,
            next: span.next,
            unit: self.policy.batch && !single,
            in_hand: 0,
            handled: 0,
            acked: 0,
            lost: 0,
            over: false,
            is_cut: false,
        });
        if self.is_keyed() {
            let at = x.jobs.len() - 1;
            self.begin(w, m, at)
        } else {
            self.next_record(w, m, p)
        }
    }

    /// A lane begins a record as soon as it may.
    pub(crate) fn next_record(&self, w: &mut World, m: usize, p: usize) -> Checked {
        if self.is_keyed() {
            return Ok(());
        }
        let x = &w.members[m];
        let mine = |job: &Job| usize::from(job.p) == p;
        if x.jobs.iter().any(|job| mine(job) && job.in_hand != 0) {
            return Ok(());
        }
        match x.jobs.iter().position(|job| mine(job) && !job.over) {
            Some(at) if !x.jobs[at].is_cut => self.begin(w, m, at),
            _ => Ok(()),
        }
    }

    fn begin(&self, w: &mut World, m: usize, at: usize) -> Checked {
        let owns = w.belongs(m);
        let x = &mut w.members[m];
        let job = &mut x.jobs[at];
        let (p, run) = (usize::from(job.p), job.run);
        let left = job.set & !job.handled;
        let first = ones(left).next().unwrap_or(0);
        job.in_hand = if job.unit { left } else { 1 << first };
        let unit = job.in_hand;
        for i in ones(unit) {
            let locked = self.unit(p, i);
            let beside = |(other, job): (usize, &Job)| {
                other != at && usize::from(job.p) == p && job.in_hand & locked != 0
            };
            if x.jobs.iter().enumerate().any(beside) {
                let at = self.offset(p, i);
                return broken(
                    "S5",
                    format!("{at} begins while another of its unit is in hand"),
                );
            }
        }
        x.views[p].begins(self, p, run, unit, w.now)?;
        if owns {
            if w.ledger.spent[p] & unit != 0 {
                let at = self.offset(p, ones(w.ledger.spent[p] & unit).next().unwrap_or(0));
                return broken("S4", format!("{at} begins again and nothing explains it"));
            }
            w.ledger.spent[p] |= unit;
        }
        Ok(())
    }

    fn cut_lane(&self, w: &mut World, m: usize, p: usize, cut: u32) {
        let x = &mut w.members[m];
        let mut any = false;
        let of_cut = |job: &&mut Job| usize::from(job.p) == p && job.cut == cut && !job.over;
        for job in x.jobs.iter_mut().filter(of_cut) {
            job.is_cut = true;
            any = true;
        }
        if !any {
            x.ended[p] = Some(Ended { cut, at: None });
        }
    }

    /// The invariants that must hold after every step.
    pub(crate) fn check(&self, w: &mut World) -> Checked {
        self.check_commits(w)?;
        for x in w.members.iter().filter(|x| x.open) {
            let open = |job: &Job| u64::from(job.set.count_ones());
            let outstanding: u64 = x.jobs.iter().map(open).sum();
            if outstanding >= self.limits.outstanding + self.fetch as u64 {
                return broken("S10", format!("{outstanding} records are outstanding"));
            }
            let running = x.jobs.iter().filter(|job| !job.over).count() + x.letters.len();
            if let Order::Key { concurrency } = self.policy.order
                && running > concurrency as usize
            {
                return broken("S10", format!("{running} tasks and dead letters at once"));
            }
            let at_work = x.at_work();
            if x.closing && !at_work && (x.engine.open() || x.engine.busy() > 0) {
                return broken("L5", "nothing is at work and the engine waits for it");
            }
            let mut revoking = (0..PARTS).filter(|&p| x.views[p].revoking.is_some());
            if let Some(p) = revoking.next()
                && x.is_drained(p)
                && revoking.all(|p| x.is_drained(p))
            {
                return broken("L5", format!("partition {p} is drained and not given back"));
            }
            for (p, view) in x.views.iter().enumerate().filter(|(_, view)| view.assigned) {
                if view.watermark(self, p) != view.stored && view.stored >= 0 {
                    return broken("L6", format!("partition {p} is settled and not stored"));
                }
                let held = self.held(view, p) as u64;
                if held >= self.limits.held_records + self.fetch as u64 {
                    return broken("S10", format!("{held} records are held"));
                }
                let full = held >= self.limits.held_records;
                let closing = view.revoking.is_some() || x.closing;
                if full && !closing && !x.client.paused(w.id(p)) {
                    return broken("S10", format!("partition {p} is full and is read"));
                }
                if view.revoking.is_some_and(|deadline| w.now >= deadline) {
                    return broken("L5", format!("partition {p} is not given back in time"));
                }
            }
        }
        Ok(())
    }

    fn held(&self, view: &crate::oracle::View, p: usize) -> usize {
        let counts = |&i: &usize| {
            let fact = view.facts[i];
            fact.is != Is::Unread && self.offset(p, i) >= view.stored && !fact.freed
        };
        (0..RECORDS.min(self.logs[p].len())).filter(counts).count()
    }
}
