//! Between a member and its group: joins, starts, answers, the way out.
//!
//! Exchanges with the coordinator happen as soon as they can: a member that learns later does what
//! it would have done before. Only a member that was dropped may learn so at any time.

use super::model::Wanted;
use super::state::{Member, part};
use super::{PARTS, Scope, World, WorldMutant, below, ones};
use crate::oracle::{Checked, View, broken};
use crate::search::Seen;
use crate::world::actions::ARRIVES;
use fastkafka_engine::{Event, PartIndex};
use fastkafka_sim::{Answer, Notice, PartitionSet};
use std::time::Duration;

const DRAIN: Duration = Duration::from_secs(2);

impl Scope {
    /// Everybody talks to the coordinator until there is nothing to say, or a notice to answer.
    pub(crate) fn exchange(&self, w: &mut World, seen: &mut Seen<'_>) -> Checked {
        loop {
            let mut quiet = true;
            for m in 0..w.members.len() {
                let known = w.members[m].client.member().is_none() || w.belongs(m);
                let x = &w.members[m];
                if x.open && known && x.client.told().is_none() && x.client.may_exchange(&w.cluster)
                {
                    quiet = false;
                    self.learn(w, m, seen)?;
                }
            }
            if quiet {
                return Ok(());
            }
        }
    }

    /// One exchange, and what the application is told by it.
    pub(crate) fn learn(&self, w: &mut World, m: usize, seen: &mut Seen<'_>) -> Checked {
        let World {
            cluster, members, ..
        } = w;
        let x = &mut members[m];
        let told = x.client.told().cloned();
        match x.client.exchange(cluster) {
            Some(Notice::Assign(set)) if set.is_empty() => x.decline(),
            Some(Notice::Assign(_)) if x.closing => {
                x.decline();
                self.want(Wanted::Declined, seen);
            }
            Some(Notice::Assign(_)) => {}
            Some(Notice::Revoke { partitions, lost }) => {
                let parts = w.parts_of(&partitions);
                if lost || w.members[m].client.lost() {
                    return self.lose(w, m, parts, seen);
                }
                let deadline = w.now + DRAIN;
                for part in &parts {
                    let view = &mut w.members[m].views[part.0 as usize];
                    view.revoking = view.assigned.then_some(deadline);
                }
                self.tell(w, m, Event::Revoking { parts, deadline }, seen)?;
            }
            None => {}
        }
        if let (Some(Notice::Revoke { partitions, .. }), true) = (told, w.members[m].client.lost())
        {
            let parts = w.parts_of(&partitions);
            self.lose(w, m, parts, seen)?;
        }
        let x = &mut w.members[m];
        if x.client.closed() {
            *x = Member::new(self, w.group, w.topic);
            x.open = false;
        }
        Ok(())
    }

    fn lose(&self, w: &mut World, m: usize, parts: Vec<PartIndex>, seen: &mut Seen<'_>) -> Checked {
        for part in &parts {
            w.members[m].views[part.0 as usize] = View::default();
        }
        self.tell(w, m, Event::Lost { parts }, seen)
    }

    /// Looks up where partitions without a commit start.
    pub(crate) fn resolve(&self, w: &mut World, m: usize) {
        for p in w.told(m) {
            if w.committed(p).is_none() {
                let log = w.cluster.log(w.id(p)).expect("it exists");
                // A partition that was added since the group began starts at the beginning.
                let new = self.grows && p > 0 && w.committed(0).is_some();
                let start = if self.latest && !new {
                    log.high()
                } else {
                    log.low()
                };
                w.members[m].resolved[p] = Some(start);
            }
        }
    }

    /// Commits the starts that were looked up, then begins there.
    pub(crate) fn assign(&self, w: &mut World, m: usize, seen: &mut Seen<'_>) -> Checked {
        let given: Vec<usize> = w.told(m).collect();
        let resolved = std::mem::take(&mut w.members[m].resolved);
        let pins = given.iter().filter_map(|&p| match w.committed(p) {
            None => Some((w.id(p), resolved[p]?.into())),
            Some(_) => None,
        });
        let pins: Vec<_> = pins.collect();
        let World {
            cluster, members, ..
        } = w;
        let refused = !pins.is_empty() && !self.is(WorldMutant::PinNotCommitted) && {
            members[m].client.commit(pins);
            members[m].client.answer_commit(cluster, ARRIVES) != Some(Ok(()))
        };
        let known = |p: usize| w.committed(p).or(resolved[p]);
        let starts: Vec<_> = given.iter().map(|&p| known(p)).collect();
        let ids = given.iter().map(|&p| w.id(p));
        let all: Vec<_> = ids
            .zip(&starts)
            .map(|(id, start)| (id, start.unwrap_or(0)))
            .collect();
        let mut all = all;
        if self.is(WorldMutant::BufferSurvivesRebalance) {
            for ((_, at), &p) in all.iter_mut().zip(&given) {
                *at = (*at).max(w.members[m].thought[p]);
            }
        }
        let x = &mut w.members[m];
        x.client.assign(&all).expect("an answer to what was told");
        if refused || starts.contains(&None) {
            // It was dropped meanwhile: nothing is read, and the loss follows.
            return Ok(());
        }
        for (i, &p) in given.iter().enumerate() {
            let position = all[i].1;
            w.members[m].views[p] = View::assigned(position);
            w.ledger.start[p].get_or_insert(position);
            if w.committed(p).is_none() {
                return broken(
                    "S1",
                    format!("partition {p} is ours and has no committed offset"),
                );
            }
            w.ledger.committed[p] = w.ledger.committed[p].max(position);
            let part = part(p);
            self.tell(w, m, Event::Assigned { part, position }, seen)?;
        }
        Ok(())
    }

    /// The engine gives partitions back.
    pub(crate) fn release(&self, w: &mut World, m: usize, parts: &[PartIndex]) -> Checked {
        if !matches!(w.members[m].client.told(), Some(Notice::Revoke { .. })) {
            return Ok(());
        }
        let lost = w.members[m].client.lost();
        for p in parts.iter().map(|part| part.0 as usize) {
            let x = &mut w.members[m];
            let view = x.views[p];
            if let (Some(deadline), false) = (view.revoking, lost) {
                let in_hand = |job: &super::Job| usize::from(job.p) == p && job.in_hand != 0;
                if w.now < deadline && (view.under_way() || x.jobs.iter().any(in_hand)) {
                    return broken("S4", format!("{p} is released in time and is at work"));
                }
                if view.watermark(self, p) != view.stored {
                    return broken("S4", format!("{p} is released before its store"));
                }
                let open = ones(view.open()).next();
                w.ledger.spent[p] &= open.map_or(u8::MAX, below);
            }
            if self.is(WorldMutant::BufferSurvivesRebalance) {
                let id = w.id(p);
                w.members[m].thought[p] = w.members[m].client.position(id).unwrap_or(0);
            }
            w.members[m].views[p] = View::default();
        }
        let x = &mut w.members[m];
        if self.is(WorldMutant::BatchCommittedAtShutdown) && x.closing && !lost {
            for id in x.client.assignment().iter() {
                let position = x.client.position(id).unwrap_or(0);
                let _ = x.client.store(id, position);
            }
        }
        // Before the answer, which makes a member that has not left join again.
        x.leave_when_drained();
        x.client.unassign().expect("a revoke to answer");
        Ok(())
    }

    /// A commit of partitions that were given back is answered, or is not.
    pub(crate) fn answered(&self, w: &mut World, m: usize, answer: Answer) -> Checked {
        let World {
            cluster, members, ..
        } = w;
        let Some(commit) = members[m].client.commits().next().cloned() else {
            return Ok(());
        };
        members[m].client.answer_commit(cluster, answer);
        self.check_commits(w)?;
        for (id, _) in commit.offsets {
            if let Some(p) = (0..w.parts()).find(|&p| w.id(p) == id)
                && !w.members[m].views[p].assigned
            {
                self.excuse_uncommitted(w, p);
            }
        }
        Ok(())
    }

    /// The next owner of the partition begins at the committed offset.
    pub(crate) fn excuse_uncommitted(&self, w: &mut World, p: usize) {
        let committed = w.committed(p).unwrap_or(0);
        w.ledger.spent[p] &= below(self.index(p, committed));
    }

    /// The group goes on without the member.
    pub(crate) fn drop_member(&self, w: &mut World, m: usize) {
        for p in 0..w.parts() {
            let id = w.id(p);
            let x = &w.members[m];
            let sent = x
                .client
                .commits()
                .any(|commit| commit.offsets.iter().any(|(at, _)| *at == id));
            if (x.views[p].assigned && w.belongs(m)) || sent {
                self.excuse_uncommitted(w, p);
            }
        }
        if let (Some(id), true) = (w.members[m].client.member(), w.belongs(m)) {
            w.cluster
                .expire(w.group, id)
                .expect("it belongs to the group");
        }
    }

    /// S1 and S3 of what is committed.
    pub(crate) fn check_commits(&self, w: &mut World) -> Checked {
        for p in 0..w.parts() {
            let (Some(committed), Some(start)) = (w.committed(p), w.ledger.start[p]) else {
                continue;
            };
            let open = self.span(p, start, committed.max(start)) & !w.ledger.terminal[p];
            if let Some(i) = ones(open).next() {
                let at = self.offset(p, i);
                return broken(
                    "S1",
                    format!("{committed} is committed and {at} is not terminal"),
                );
            }
            let before = w.ledger.committed[p];
            if committed < before {
                let Some(left) = w.ledger.sought[p].checked_sub(1) else {
                    return broken("S3", format!("{committed} is committed after {before}"));
                };
                w.ledger.sought[p] = left;
            }
            w.ledger.committed[p] = committed;
        }
        Ok(())
    }
}

impl World {
    fn parts_of(&self, set: &PartitionSet) -> Vec<PartIndex> {
        (0..self.parts())
            .filter(|&p| set.contains(self.id(p)))
            .map(part)
            .collect()
    }

    /// The partitions that the member is to begin with.
    fn told(&self, m: usize) -> impl Iterator<Item = usize> + use<> {
        let set = match self.members[m].client.told() {
            Some(Notice::Assign(set)) => self.parts_of(set),
            _ => Vec::new(),
        };
        set.into_iter().map(|part| part.0 as usize)
    }
}

const _: () = assert!(PARTS <= 8);
