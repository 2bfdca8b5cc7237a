//! The state that a driver shares with the rest of the app.

use crate::asked_ends::AskedEnds;
use crate::control::command::{Command, Reply};
use crate::health::{GroupHealth, ProblemCode};
use crate::lock::lock;
use crate::mail::Mail;
use crate::mailbox::Mailbox;
use crate::state::{Figures, MemberState};
use crate::transport::{Offsets, PartitionRef};
use fastkafka_core::{Closed, RunTag, Settle};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

/// The state that a driver shares with the app's handle, its lanes and its delivery reports.
#[derive(Debug)]
pub(crate) struct Shared {
    health: Mutex<GroupHealth>,
    /// Of each partition that is read, as of the last look.
    figures: Mutex<Vec<Figures>>,
    /// Of those that nothing is fetched of, the ends that were asked for.
    asked_ends: AskedEnds,
    started: tokio::sync::watch::Sender<bool>,
    /// Why the app must end.
    failure: Mutex<Option<String>>,
    failed: tokio::sync::Notify,
    /// The time that the shutdown may take, where a request named one that the driver has not seen.
    shutdown_within: Mutex<Option<Duration>>,
    /// The user's commands; `None` when the driver has ended.
    commands: Mutex<Option<Vec<(Command, Reply)>>>,
    /// Without a group: by partition the offset below which all is settled. A group has its commits for
    /// that.
    settled: Option<Mutex<Offsets>>,
    pub(crate) mailbox: Mailbox<Mail>,
    /// When the last turn began, where a thread takes them.
    turned: Mutex<Option<Instant>>,
}

impl Shared {
    pub(crate) fn new(
        cluster: &str,
        group: &str,
        standalone: bool,
        mailbox: Mailbox<Mail>,
    ) -> Self {
        Self {
            settled: standalone.then(Mutex::default),
            health: Mutex::new(GroupHealth::new(cluster, group)),
            figures: Mutex::default(),
            asked_ends: AskedEnds::default(),
            started: tokio::sync::watch::Sender::new(false),
            failure: Mutex::default(),
            failed: tokio::sync::Notify::new(),
            shutdown_within: Mutex::default(),
            commands: Mutex::new(Some(Vec::new())),
            mailbox,
            turned: Mutex::default(),
        }
    }

    /// Asks the driver to drain and end.
    pub(crate) fn shut_down(&self) {
        self.mailbox.stop();
    }

    /// Asks it to do so within this time. Of several requests the one that is over first counts.
    pub(crate) fn shut_down_within(&self, time: Duration) {
        {
            let mut within = lock(&self.shutdown_within);
            *within = Some(within.map_or(time, |before| before.min(time)));
        }
        self.shut_down();
    }

    /// The time of requests that the driver has not seen, from now on.
    pub(crate) fn take_shutdown_within(&self) -> Option<Duration> {
        lock(&self.shutdown_within).take()
    }

    /// Asks the driver to do this; false when it has ended.
    pub(crate) fn command(&self, command: Command, reply: Reply) -> bool {
        let mut commands = self.commands();
        let Some(commands) = &mut *commands else {
            return false;
        };
        commands.push((command, reply));
        self.mailbox.push(Mail::Command);
        true
    }

    pub(crate) fn take_commands(&self) -> Vec<(Command, Reply)> {
        self.commands()
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Drops pending commands, so that their callers return, and takes no more.
    pub(crate) fn close(&self) {
        *self.commands() = None;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.commands().is_none()
    }

    fn commands(&self) -> MutexGuard<'_, Option<Vec<(Command, Reply)>>> {
        lock(&self.commands)
    }

    /// As of the last turn, and what the driver cannot tell itself: that there is none any more.
    pub(crate) fn health(&self) -> GroupHealth {
        let mut health = lock(&self.health).clone();
        if let Some(turned) = *lock(&self.turned) {
            health.has_turned(turned.elapsed());
        }
        health
    }

    /// A turn begins; `None` when there will be no other, and nothing is read any more.
    pub(crate) fn turns(&self, begun: Option<Instant>) {
        *lock(&self.turned) = begun;
        if begun.is_none() {
            self.set_figures(Vec::new());
        }
    }

    /// Ends when the first assignment is read from offsets that are committed.
    pub(crate) async fn started(&self) {
        // The sender is in `self`: it cannot be gone.
        let _ = self.started.subscribe().wait_for(|started| *started).await;
    }

    /// There is a group that keeps its offsets.
    pub(crate) fn commits(&self) -> bool {
        self.settled.is_none()
    }

    /// Below these offsets all is settled.
    pub(crate) fn note_settled(&self, offsets: &[(PartitionRef, i64)]) {
        if let Some(settled) = &self.settled {
            let name = |place: PartitionRef| (place.topic.clone(), place.partition);
            let offsets = offsets.iter().map(|(place, offset)| (name(place), *offset));
            lock(settled).extend(offsets);
        }
    }

    /// The last offset of each partition from [`Shared::note_settled`], without a group.
    pub(crate) fn settled(&self) -> Option<Offsets> {
        let settled = self.settled.as_ref()?;
        let settled = lock(settled);
        Some(settled.clone())
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.mailbox.is_stopping()
    }

    pub(crate) fn set_health(&self, health: GroupHealth) {
        *lock(&self.health) = health;
    }

    pub(crate) fn set_figures(&self, figures: Vec<Figures>) {
        *lock(&self.figures) = figures;
    }

    /// What the consumer is doing, as of the driver's last look. Where no turn ends there is none, and another process
    /// may read the partitions meanwhile.
    pub(crate) fn state(&self, health: GroupHealth) -> MemberState {
        let mut open = health.open.iter();
        let is_stuck = open.any(|problem| problem.code == ProblemCode::ConsumerStuck);
        let mut figures = match is_stuck {
            true => Vec::new(),
            false => lock(&self.figures).clone(),
        };
        self.asked_ends.complete(&mut figures, Instant::now());
        MemberState::new(health, &figures, SystemTime::now())
    }

    /// Asks for the ends of partitions that nothing is fetched of. It waits for the answers.
    pub(crate) fn ask_for_ends(
        &self,
        ask: impl FnOnce(&[PartitionRef]) -> Vec<(PartitionRef, i64)>,
    ) {
        let figures = lock(&self.figures).clone();
        let quiet = self.asked_ends.quiet(&figures, Instant::now());
        if !quiet.is_empty() {
            let ends = ask(&quiet);
            self.asked_ends.answered(&ends, Instant::now());
        }
    }

    pub(crate) fn mark_started(&self) {
        self.started.send_replace(true);
    }

    pub(crate) fn is_started(&self) -> bool {
        *self.started.borrow()
    }

    /// Ends when the app must end, with the reason.
    pub(crate) async fn failed(&self) -> String {
        loop {
            let notified = self.failed.notified();
            if let Some(reason) = self.failure() {
                return reason;
            }
            notified.await;
        }
    }

    pub(crate) fn failure(&self) -> Option<String> {
        lock(&self.failure).clone()
    }

    pub(crate) fn fail(&self, reason: String) {
        lock(&self.failure).get_or_insert(reason);
        self.failed.notify_waiters();
    }
}

impl Settle for Shared {
    fn closed(&self, tag: RunTag, end: Closed) {
        self.mailbox.push(Mail::Closed { tag, end });
    }
}
