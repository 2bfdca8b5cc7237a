//! The world of one schedule: the real driver over the real consumer, and around them client, broker, group
//! and user.

use super::handler::Calls;
use super::part::{Owner, Part, Pending, Sought};
use super::scope::{Budget, Scope};
use crate::search::Violation;
use fastkafka_core::States;
use fastkafka_kafka::proof::{Asked, Given, Simulation, Trouble, When};
use fastkafka_runtime::proof::Searched;
use std::time::Duration;

pub(super) const PARTS: usize = 2;
pub(super) const ALL: [i32; PARTS] = [0, 1];

thread_local! {
    /// Where lanes run. One for all worlds of a thread: none of them waits for time.
    static TOKIO: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime without I/O needs nothing");
}

/// Lets the lanes go on until they wait for the search.
pub(super) fn run_lanes() {
    TOKIO.with(|tokio| {
        tokio.block_on(async {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
    });
}

/// Everything of one schedule.
#[derive(Debug)]
pub(super) struct World {
    pub(super) driver: Searched<Simulation>,
    pub(super) calls: Calls,
    pub(super) now: Duration,
    /// For how long the driver sleeps.
    pub(super) sleep: Duration,
    pub(super) shutdown_timeout: Duration,
    pub(super) parts: [Part; PARTS],
    /// The assignment in which the last call of each partition began.
    pub(super) begun_in: [u32; PARTS],
    pub(super) pending: Option<Pending>,
    /// The rebalances that were answered, as far as the group knows.
    pub(super) answers: usize,
    /// These have to be given next.
    pub(super) owed: Vec<i32>,
    pub(super) away: bool,
    /// The topic may not be read.
    pub(super) refused: bool,
    pub(super) refuses_commits: bool,
    /// It has said so to this commit.
    pub(super) told_refused: bool,
    /// Commits that have no answer: the client sends them again.
    pub(super) unanswered: Vec<(i32, i64)>,
    pub(super) kicked: bool,
    /// The client does not find its coordinator.
    pub(super) astray: bool,
    pub(super) fatal: bool,
    pub(super) seek: Option<Sought>,
    /// When the driver was first asked to end.
    pub(super) ending_since: Option<Duration>,
    /// Records whose calls were cut.
    pub(super) cut: Vec<(i32, i64)>,
    /// Partitions that were given back at the end with records that are terminal and not committed.
    pub(super) unclean: Vec<i32>,
    pub(super) left: Budget,
}

impl World {
    pub(super) fn new(scope: &Scope) -> Self {
        let logs = scope.records.map(|records| (0, records));
        let client = Simulation::new(scope.cooperative, &logs);
        let calls = Calls::default();
        let mut states = States::default();
        states.insert(calls.clone());
        let tokio = TOKIO.with(|tokio| tokio.handle().clone());
        let mut world = Self {
            driver: Searched::new(&scope.kit, states, client, tokio),
            calls,
            now: Duration::ZERO,
            sleep: Duration::ZERO,
            shutdown_timeout: scope.kit.shutdown_timeout,
            parts: scope.records.map(Part::new),
            begun_in: [0; PARTS],
            pending: None,
            answers: 0,
            owed: Vec::new(),
            away: false,
            refused: false,
            refuses_commits: false,
            told_refused: false,
            unanswered: Vec::new(),
            kicked: false,
            astray: false,
            fatal: false,
            seek: None,
            ending_since: None,
            cut: Vec::new(),
            unclean: Vec::new(),
            left: scope.budget,
        };
        world.give(&ALL, When::Now);
        world
    }

    pub(super) fn part(&mut self, partition: i32) -> &mut Part {
        &mut self.parts[usize::try_from(partition).expect("a partition's number")]
    }

    pub(super) fn client(&mut self) -> &mut Simulation {
        self.driver.client_mut()
    }

    /// The driver would take a turn by itself.
    pub(super) fn is_woken(&self) -> bool {
        self.driver.over.is_none() && (self.driver.is_woken() || self.driver.client().has_news())
    }

    /// The member is out of its group, and does not come back by itself.
    pub(super) fn is_out(&self) -> bool {
        self.astray || self.driver.client().knows_no_broker()
    }

    /// Nothing that the client asks has an answer.
    pub(super) fn is_away(&self) -> bool {
        self.away || self.driver.client().knows_no_broker()
    }

    pub(super) fn give(&mut self, partitions: &[i32], when: When) {
        self.client().give(partitions, when);
        self.pending = Some(Pending::Give);
        self.kicked = false;
        self.client().set_lost(false);
        for &partition in partitions {
            let part = self.part(partition);
            part.owner = Owner::Us;
            part.epoch += 1;
            // What was handled before and is not committed is handled again.
            let from = part.committed.unwrap_or(0);
            part.done.retain(|at| *at < from);
            part.next = None;
            part.failed = false;
            part.lost = false;
        }
    }

    /// One turn of the driver, and what follows from it without a choice.
    pub(super) fn turn(&mut self) -> Result<(), Violation> {
        let now = self.now;
        self.client().set_now(now);
        if let Some(sleep) = self.driver.turn(now) {
            self.sleep = sleep;
        }
        if self.driver.is_leaving() {
            self.ending_since.get_or_insert(now);
        }
        self.client().end_turn();
        self.settle()
    }

    /// What comes of a partition, and what does not.
    pub(super) fn set_reading(&mut self) {
        for partition in ALL {
            let refused = self.refused;
            let part = self.part(partition);
            let (silent, unreadable) = (part.leaderless || refused, part.unreadable);
            self.client().set_silent(partition, silent);
            self.client().set_unreadable(partition, unreadable);
        }
        // What was silent comes: the client's queue wakes the driver.
        self.client().wake();
    }

    /// What follows from a step without a choice.
    pub(super) fn settle(&mut self) -> Result<(), Violation> {
        self.take_commits()?;
        self.take_answers()?;
        self.take_replies();
        run_lanes();
        self.take_news()?;
        // The questions for a sign of life, of the broker or a partition, have no part of their own: they are
        // answered at once.
        loop {
            let given = match self.client().asked() {
                Some(Asked::Reached) if self.is_away() => Given::Nothing,
                Some(Asked::Reached) => Given::Connected,
                Some(Asked::Ends(mut partitions)) => {
                    partitions.retain(|partition| self.is_readable(*partition));
                    Given::Reads(partitions)
                }
                _ => break,
            };
            self.client().answer(given);
        }
        // As the runtime does: the app ends when its driver says that it must.
        if self.driver.failure().is_some() && !self.driver.is_leaving() {
            self.driver.shut_down();
        }
        self.check_ending()
    }

    /// Any client could read it.
    fn is_readable(&self, partition: i32) -> bool {
        let part = &self.parts[usize::try_from(partition).expect("a partition's number")];
        !(self.away || self.refused || part.leaderless || part.unreadable)
    }

    /// The broker takes or refuses the commits that were sent.
    fn take_commits(&mut self) -> Result<(), Violation> {
        let sent = self.client().take_sent();
        // The client waits for every answer before it gives partitions up. That the last offsets of all may be sent
        // before those without an answer is known (decision 49).
        if self.client().answers() != self.answers {
            self.commit_again()?;
        }
        self.take_sent(&sent)
    }

    /// What has no answer is sent again, behind everything that was sent since.
    pub(super) fn commit_again(&mut self) -> Result<(), Violation> {
        let again = std::mem::take(&mut self.unanswered);
        self.take_sent(&again)
    }

    fn take_sent(&mut self, sent: &[(i32, i64)]) -> Result<(), Violation> {
        if sent.is_empty() {
            return Ok(());
        }
        let why = match () {
            () if self.is_away() => Some(Trouble::Away),
            () if self.refuses_commits => Some(Trouble::GroupRefused),
            () if self.kicked => Some(Trouble::Unknown),
            () => None,
        };
        if let Some(why) = why {
            self.told_refused = true;
            self.client().committed(Err(why), sent);
            return Ok(());
        }
        for (partition, offset) in sent {
            self.commit(*partition, *offset, "a commit")?;
        }
        self.told_refused = false;
        self.client().committed(Ok(()), sent);
        Ok(())
    }

    /// The group hears of the answers to its rebalances.
    fn take_answers(&mut self) -> Result<(), Violation> {
        let answers = self.client().answers();
        if answers == self.answers {
            return Ok(());
        }
        self.answers = answers;
        // The last revoke is the client's own.
        let pending = self.pending.take();
        let gone = match (pending, self.driver.is_leaving()) {
            (Some(Pending::Give), _) => Vec::new(),
            (Some(Pending::Take(gone)), _) => gone,
            (None, _) => ALL.to_vec(),
        };
        for partition in gone {
            self.check_given_back(partition)?;
            self.hand_over(partition);
        }
        if self.driver.is_leaving() && self.driver.client().is_rebalancing() {
            // The last revoke, which had to wait.
            self.pending = Some(Pending::Take(ALL.to_vec()));
        }
        Ok(())
    }

    /// Another member takes a partition, handles a record of it and commits.
    pub(super) fn hand_over(&mut self, partition: i32) {
        // What was handled before a seek counts for nothing, also where the end comes before its commit.
        let is_sought = self.seek.as_ref().is_some_and(|s| s.partition == partition);
        let is_leaving = self.driver.is_leaving() && !is_sought;
        let part = self.part(partition);
        if part.owner == Owner::Nobody {
            return;
        }
        if is_leaving && part.owner == Owner::Us && part.committed.unwrap_or(0) < part.terminal() {
            self.unclean.push(partition);
        }
        let part = self.part(partition);
        if part.owner == Owner::Us {
            let from = part.committed.unwrap_or(0);
            if from < part.high {
                part.done.insert(from);
                part.committed = Some(from + 1);
            }
        }
        part.owner = Owner::Other;
        part.next = None;
    }

    /// The call at work belongs to an assignment that is over.
    pub(super) fn is_stale(&self, partition: i32) -> bool {
        let number = usize::try_from(partition).expect("a partition's number");
        self.begun_in[number] != self.parts[number].epoch
    }

    /// The user hears of seeks.
    fn take_replies(&mut self) {
        let Some(mut seek) = self.seek.take() else {
            return;
        };
        let mut over = seek.asking.is_over();
        while let Some(answer) = seek.asking.answer() {
            over = true;
            let moved = match &answer {
                Ok(_) => true,
                Err(error) => matches!(error, fastkafka_runtime::ControlError::NotCommitted { .. }),
            };
            let part = self.part(seek.partition);
            if moved && part.epoch == seek.epoch && part.owner == Owner::Us {
                part.next = Some(seek.to);
                // Also where it is not committed: what lies before it is left out.
                part.done.extend(0..seek.to);
                // What is in hand counts for nothing.
                part.epoch += 1;
                part.failed = false;
                part.kept_in = None;
            }
        }
        if !over {
            self.seek = Some(seek);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.calls.clear();
        TOKIO.with(|tokio| tokio.block_on(self.driver.kill()));
    }
}
