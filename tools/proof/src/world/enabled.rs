//! The choices that are possible in a state.

use super::actions::{Action, Outcome, POISON};
use super::state::{Member, part};
use super::{Fault, PARTS, RECORDS, Scope, World, below, ones};
use fastkafka_sim::{Notice, Phase};

impl Scope {
    pub(crate) fn enabled(&self, w: &World, out: &mut Vec<Action>) {
        self.groups(w, out);
        for (m, x) in w.members.iter().enumerate().filter(|(_, x)| x.open) {
            self.work(w, m as u8, x, out);
        }
        for p in 0..w.parts() {
            if self.early[p] < self.logs[p].len() && self.index(p, w.high(p)) < self.logs[p].len() {
                out.push(Action::Write { p: p as u8 });
            }
        }
        if w.parts() < PARTS {
            out.push(Action::Grow);
        }
        if w.next_deadline().is_some() {
            out.push(Action::Tick);
            if w.left.has(Fault::Jump) {
                out.push(Action::Jump);
            }
        }
        for (m, x) in w.members.iter().enumerate().filter(|(_, x)| x.open) {
            self.faults(w, m as u8, x, out);
        }
        for p in 0..w.parts() {
            let log = w.cluster.log(w.id(p)).expect("it exists");
            if w.left.has(Fault::Retention) && log.entries().len() > 1 {
                out.push(Action::Retention { p: p as u8 });
            }
            if w.left.has(Fault::Truncation) && log.entries().len() > 1 {
                out.push(Action::Truncate { p: p as u8 });
            }
        }
    }

    fn groups(&self, w: &World, out: &mut Vec<Action>) {
        let group = w.cluster.group(w.group);
        let steady =
            self.protocol == fastkafka_sim::Protocol::Consumer || group.phase() == Phase::Stable;
        for (m, x) in w.members.iter().enumerate().filter(|(_, x)| x.open) {
            let m = m as u8;
            let belongs = w.belongs(m.into());
            if !belongs && x.client.may_exchange(&w.cluster) {
                out.push(Action::Notice { m });
            }
            match x.client.told() {
                Some(Notice::Assign(set)) => {
                    let known = |p: usize| x.resolved[p].is_some() || w.committed(p).is_some();
                    let mut given = (0..w.parts()).filter(|&p| set.contains(w.id(p)));
                    let resolved = !self.latest || given.all(known) || !belongs;
                    out.push(if resolved {
                        Action::Assign { m }
                    } else {
                        Action::Resolve { m }
                    });
                }
                Some(Notice::Revoke { .. }) => {}
                None if belongs
                    && steady
                    && !x.client.leaving()
                    && x.client.commits().next().is_none() =>
                {
                    for p in (0..w.parts()).filter(|&p| w.is_free(p) && !self.logs[p].is_empty()) {
                        out.push(Action::Give { m, p: p as u8 });
                    }
                }
                None => {}
            }
            if x.client.commit_in_flight() {
                out.push(Action::Answer { m });
            } else if self.may_commit(w, m.into()) {
                out.push(Action::Commit { m });
            }
        }
    }

    /// Whether the periodic commit has something to send.
    pub(crate) fn may_commit(&self, w: &World, m: usize) -> bool {
        let x = &w.members[m];
        let steady = self.protocol == fastkafka_sim::Protocol::Consumer
            || w.cluster.group(w.group).phase() == Phase::Stable;
        let news = |p: usize| {
            let stored = x.client.stored(w.id(p)).map(|stored| stored.offset);
            let clean = self.is(super::WorldMutant::CommitMarkedCleanOnSend)
                && stored == Some(x.thought[p]);
            stored > w.committed(p) && !clean
        };
        let idle = x.client.told().is_none() && x.client.commits().next().is_none();
        idle && steady && !x.client.lost() && w.belongs(m) && (0..w.parts()).any(news)
    }

    fn work(&self, w: &World, m: u8, x: &Member, out: &mut Vec<Action>) {
        for p in 0..w.parts() {
            let ready = self.logs[p].iter().enumerate().filter(|(_, (at, _))| {
                x.client
                    .position(w.id(p))
                    .is_some_and(|position| *at >= position && *at < w.high(p))
            });
            let ready = ready.count().min(self.fetch);
            let reads = x.client.reads(w.id(p))
                && x.engine.accepts(part(p))
                && !x.closing
                && x.truncated & 1 << p == 0;
            let beyond = x.client.position(w.id(p)).is_some_and(|at| at > w.high(p));
            for count in (1..=ready.max(usize::from(beyond))).rev().filter(|_| reads) {
                out.push(Action::Fetch {
                    m,
                    p: p as u8,
                    count: count as u8,
                });
            }
            let at_end = ready == 0 && !beyond && x.views[p].read_to < w.high(p);
            if self.tells_end && reads && at_end {
                out.push(Action::ReadTo { m, p: p as u8 });
            }
            if x.ended[p].is_some() {
                out.push(Action::Ended { m, p: p as u8 });
            }
            if x.views[p].paused && x.views[p].assigned && x.views[p].revoking.is_none() {
                out.push(Action::Unpause { m, p: p as u8 });
            }
        }
        for (i, job) in x.jobs.iter().enumerate() {
            let (p, at) = (usize::from(job.p), i as u8);
            if let Some(bad) = ones(job.in_hand & self.poison[p]).next() {
                out.push(Action::Fail {
                    m,
                    job: at,
                    i: bad as u8,
                    whole: false,
                    failure: POISON,
                });
            } else if job.in_hand != 0 {
                out.push(Action::Handle { m, job: at });
            }
            if job.in_hand != 0 && job.is_cut && x.ended[p].is_none() {
                out.push(Action::Halt { m, job: at });
            }
            if let Some(bad) = ones(job.pending() & self.unsendable[p]).next() {
                out.push(Action::Lose {
                    m,
                    job: at,
                    i: bad as u8,
                    early: false,
                    whole: job.unit,
                    failure: POISON,
                });
            } else if job.pending() != 0 || job.over {
                out.push(Action::Settle { m, job: at });
            }
        }
        for letter in 0..x.letters.len() {
            out.push(Action::DeadLetterDone {
                m,
                letter: letter as u8,
                outcome: Outcome::Written,
            });
        }
        if x.closing && !x.client.leaving() {
            out.push(Action::Leave { m });
        }
        if !x.room {
            out.push(Action::Room { m, room: true });
        }
    }

    fn faults(&self, w: &World, m: u8, x: &Member, out: &mut Vec<Action>) {
        let has = |fault| w.left.has(fault);
        let failures = 0..self.failures.len() as u8;
        for (at, job) in x.jobs.iter().enumerate() {
            if self.short_stale && x.is_stale(job) {
                continue;
            }
            let job_at = at as u8;
            let poison = self.poison[usize::from(job.p)];
            for failure in failures.clone().filter(|_| has(Fault::Handler)) {
                for i in ones(job.in_hand & !poison).map(|i| i as u8) {
                    out.push(Action::Fail {
                        m,
                        job: job_at,
                        i,
                        whole: false,
                        failure,
                    });
                }
                if job.in_hand.count_ones() > 1 {
                    out.push(Action::Fail {
                        m,
                        job: job_at,
                        i: 0,
                        whole: true,
                        failure,
                    });
                }
            }
            for failure in failures
                .clone()
                .filter(|_| has(Fault::Output) && job.lost == 0)
            {
                let mut lose = |i: usize, early, whole| {
                    out.push(Action::Lose {
                        m,
                        job: job_at,
                        i: i as u8,
                        early,
                        whole,
                        failure,
                    });
                };
                for i in ones(job.pending()) {
                    lose(i, false, false);
                    if job.pending() & below(i) != 0 {
                        lose(i, true, false);
                    }
                }
                if job.unit && job.pending().count_ones() > 1 {
                    lose(0, false, true);
                }
            }
        }
        for letter in (0..x.letters.len() as u8).filter(|_| has(Fault::Letter)) {
            out.push(Action::DeadLetterDone {
                m,
                letter,
                outcome: Outcome::Transient,
            });
            out.push(Action::DeadLetterDone {
                m,
                letter,
                outcome: Outcome::Permanent,
            });
        }
        if has(Fault::Commit) {
            if x.client.commit_in_flight() {
                out.push(Action::LoseAnswer { m, applied: false });
                out.push(Action::LoseAnswer { m, applied: true });
            } else if self.may_commit(w, m.into()) {
                out.push(Action::LoseCommit { m });
            }
        }
        if has(Fault::Crash) {
            out.push(Action::Crash { m });
        }
        if has(Fault::Reread) {
            self.rereads(w, m, x, out);
        }
        let belongs = w.belongs(m.into());
        if has(Fault::Kick) && belongs {
            out.push(Action::Kick { m });
        }
        if has(Fault::Shutdown) && !x.closing {
            out.push(Action::Shutdown { m });
        }
        if has(Fault::Room) && x.room {
            out.push(Action::Room { m, room: false });
        }
        if has(Fault::Rebalance) && belongs && !x.client.leaving() && x.client.told().is_none() {
            for set in 1..1 << w.parts() {
                if ones(set).all(|p| x.views[p].assigned && w.targets(m.into(), p)) {
                    out.push(Action::Rebalance { m, set });
                }
            }
        }
        for (p, view) in x
            .views
            .iter()
            .enumerate()
            .take(w.parts())
            .filter(|_| has(Fault::User))
        {
            if !view.assigned || view.revoking.is_some() || x.closing {
                continue;
            }
            let p8 = p as u8;
            if !view.paused {
                out.push(Action::Pause { m, p: p8 });
            }
            if x.client.told().is_none() {
                let seeks =
                    (0..RECORDS.min(self.logs[p].len())).filter(|&i| self.offset(p, i) < w.high(p));
                out.extend(seeks.map(|i| Action::Seek {
                    m,
                    p: p8,
                    i: i as u8,
                }));
            }
            if view.all(|fact| fact.stopped) != 0 {
                out.push(Action::Restart { m, p: p8 });
            }
        }
    }
}

impl Scope {
    /// Each record that was read may be the first of those that are read again.
    fn rereads(&self, w: &World, m: u8, x: &Member, out: &mut Vec<Action>) {
        for (p, view) in x.views.iter().enumerate().take(w.parts()) {
            let at = x.client.position(w.id(p));
            let before = |&i: &usize| at.is_some_and(|at| self.offset(p, i) < at);
            if view.assigned && view.revoking.is_none() && !x.closing {
                let read = ones(view.all(|_| true)).filter(before);
                out.extend(read.map(|i| Action::Reread {
                    m,
                    p: p as u8,
                    i: i as u8,
                }));
            }
        }
    }
}

impl World {
    pub(crate) fn next_deadline(&self) -> Option<fastkafka_engine::Time> {
        let open = self.members.iter().filter(|x| x.open);
        open.filter_map(|x| x.engine.next_deadline()).min()
    }

    pub(crate) fn targets(&self, m: usize, p: usize) -> bool {
        let group = self.cluster.group(self.group);
        let member = self.members[m].client.member();
        member.is_some_and(|id| group.target(id).contains(self.id(p)))
    }

    fn is_free(&self, p: usize) -> bool {
        let group = self.cluster.group(self.group);
        !group
            .members()
            .any(|id| group.target(id).contains(self.id(p)))
    }

    /// Whether what was there once is there no more.
    pub(crate) fn is_truncated(&self, p: usize) -> bool {
        self.committed(p).is_some_and(|at| at > self.high(p))
            || self.members.iter().any(|x| x.truncated & 1 << p != 0)
    }
}
