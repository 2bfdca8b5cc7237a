//! Processes that come, go and crash, and partitions that move between them.
//!
//! None of these settles: a test may crash a process twice, or in the midst of a call, and sees what
//! is left in between.

use crate::cluster::Cluster;
use crate::memory::cluster::Broker;
use crate::memory::stored::Stored;
use crate::tester::Tester;
use crate::tester::settle::Unsettled;
use fastkafka::error::RunError;
use fastkafka_sim::{Assignor, Client, GroupId, Notice, PartitionSet};
use std::collections::BTreeSet;

impl Tester {
    /// A second process of the same apps joins: it has state of its own, and gets its share of the
    /// partitions. It returns when it has started; the others may still be giving up what they share, and
    /// records are not waited for: that does [`Tester::settle`], or the next record that is sent.
    ///
    /// # Errors
    /// Why it did not start.
    ///
    /// # Panics
    /// When the tester was given apps instead of the function that makes them, see
    /// [`Tester::start_with`].
    pub async fn add_member(&self) -> Result<(), RunError> {
        let apps = self.new_apps("add_member");
        self.launch(apps).await
    }

    /// The youngest process leaves as on a shutdown: it finishes what it has in hand and commits.
    ///
    /// # Errors
    /// What did not end well.
    ///
    /// # Panics
    /// When only one is left.
    pub async fn remove_member(&self) -> Result<(), RunError> {
        assert!(
            self.processes.borrow().len() > 1,
            "the only process cannot be removed; `stop()` ends it"
        );
        let process = self.processes.borrow_mut().pop().expect("just counted");
        for app in &process.apps {
            app.stop().await?;
        }
        Ok(())
    }

    /// The oldest process crashes, and another one takes its place: nothing of it is drained or
    /// committed, its state is gone, and no stop hook runs. Its group learns of it at once. What was
    /// not committed is handled again. It returns when the new process has started, and does not wait
    /// for records, so that the next fault may meet them: that does [`Tester::settle`], or the next
    /// record that is sent.
    ///
    /// Commits are made as soon as a record is settled here, and not every few seconds: a record is
    /// repeated if the crash comes while it is in hand, or under [`Tester::lose_commits`].
    ///
    /// A handler that is `blocking` runs on a thread, which cannot be stopped: it is waited for, ten
    /// seconds by the machine's clock, or what [`settle_within`](crate::TesterBuilder::settle_within) says.
    ///
    /// # Errors
    /// Why the new process did not start, or which calls of `blocking` handlers did not return.
    ///
    /// # Panics
    /// When the tester was given apps instead of the function that makes them, see
    /// [`Tester::start_with`].
    pub async fn crash_and_restart(&self) -> Result<(), RunError> {
        let apps = self.new_apps("crash_and_restart");
        let process = self.processes.borrow_mut().remove(0);
        let threads = self.watcher().threads();
        for app in &process.apps {
            tokio::select! {
                biased;
                () = app.kill() => {}
                () = threads.given_up() => return Err(self.has_threads()),
            }
        }
        drop(process);
        self.launch(apps).await
    }

    fn has_threads(&self) -> RunError {
        RunError::Stop(format!(
            "the process cannot crash, as nothing ends the threads of `blocking` handlers:\n{}",
            self.watcher().running().join("\n")
        ))
    }

    fn new_apps(&self, what: &str) -> Vec<fastkafka::App> {
        let make = self.make.as_ref();
        make.unwrap_or_else(|| {
            panic!(
                "`{what}` starts a process, which needs the function that makes the apps: write `Tester::start_with(app)` in place of `Tester::start(app())`"
            )
        })()
    }

    /// Every partition of every group is taken away and given back: another member joins, gets them
    /// all, and leaves again without having read any. On all clusters, one after the other; see
    /// [`Cluster::rebalance`].
    ///
    /// # Errors
    /// When the partitions are not given back: names the record in hand.
    pub async fn rebalance(&self) -> Result<(), Unsettled> {
        for &cluster in self.topology.clusters() {
            self.cluster(cluster).rebalance().await?;
        }
        Ok(())
    }

    async fn rebalance_group(&self, broker: &Broker, group: GroupId) -> Result<(), Unsettled> {
        let (mut guest, all, assignor) = {
            let mut state = broker.state();
            let members = state.members.iter();
            let mine = members.filter(|member| member.client.group() == group);
            let topics: BTreeSet<_> = mine.flat_map(|member| member.topics.clone()).collect();
            let topics: Vec<_> = topics.into_iter().collect();
            let all = state.cluster.all_partitions(&topics);
            let assignor = state.cluster.group(group).assignor();
            // Who is told to have nothing keeps nothing, whatever would be fair.
            state.cluster.set_assignor(group, Assignor::Explicit);
            (Client::new(group, topics), all, assignor)
        };
        let moved = self.hand_over(broker, &mut guest, &all).await;
        {
            let mut state = broker.state();
            state.cluster.set_assignor(group, assignor);
        }
        guest.leave();
        self.until(|_| {
            serve(broker, &mut guest);
            guest.closed()
        })
        .await?;
        moved?;
        // The others have everything again.
        self.until(|_| {
            let state = broker.state();
            let members = state.members.iter();
            let mine = members.filter(|member| member.client.group() == group);
            let assigned = mine
                .map(|member| member.client.assignment())
                .fold(PartitionSet::new(), |sum, more| sum.union(&more));
            assigned == all
        })
        .await
    }

    /// The guest joins and gets everything.
    async fn hand_over(
        &self,
        broker: &Broker,
        guest: &mut Client<Stored>,
        all: &PartitionSet,
    ) -> Result<(), Unsettled> {
        self.until(|_| {
            serve(broker, guest);
            guest.member().is_some()
        })
        .await?;
        {
            let mut state = broker.state();
            let group = guest.group();
            let me = guest.member().expect("it has joined");
            let others: Vec<_> = state.cluster.group(group).members().collect();
            let others = others.into_iter().filter(|member| *member != me);
            let targets: Vec<_> = others
                .map(|member| (member, PartitionSet::new()))
                .chain([(me, all.clone())])
                .collect();
            let reassigned = state.cluster.reassign(group, targets);
            reassigned.expect("every member was just listed");
            state.ring_all();
        }
        self.until(|_| {
            serve(broker, guest);
            guest.assignment() == *all
        })
        .await
    }
}

impl Cluster<'_> {
    /// [`Tester::rebalance`] of the groups on this cluster.
    ///
    /// # Errors
    /// When the partitions are not given back: names the record in hand.
    pub async fn rebalance(&self) -> Result<(), Unsettled> {
        let broker = self.broker().clone();
        let groups: BTreeSet<GroupId> = {
            let state = broker.state();
            let members = state.members.iter();
            members.map(|member| member.client.group()).collect()
        };
        for group in groups {
            self.tester.rebalance_group(&broker, group).await?;
        }
        Ok(())
    }
}

/// Lets the guest do whatever is due; it reads and stores nothing.
fn serve(broker: &Broker, guest: &mut Client<Stored>) {
    let mut state = broker.state();
    while guest.may_exchange(&state.cluster) {
        let Some(notice) = guest.exchange(&mut state.cluster) else {
            continue;
        };
        match notice {
            Notice::Assign(partitions) => {
                let starts: Vec<_> = partitions.iter().map(|partition| (partition, 0)).collect();
                guest.assign(&starts).expect("it was just told");
            }
            Notice::Revoke { .. } => guest.unassign().expect("it was just told"),
        }
    }
    let group = guest.group();
    for member in &state.members {
        if member.client.group() == group && member.client.may_exchange(&state.cluster) {
            member.wakeup.notify_one();
        }
    }
}
