//! One cluster in memory, which the consumers and producers of all apps share.
//!
//! Nothing here waits. A change wakes the consumers that have to see it.

use crate::lock::lock;
use crate::memory::faults::ProduceFault;
use crate::memory::state::ClusterState;
use crate::record::{NewRecord, Refusal, TopicRecord};
use crate::schedule::choice::Choice;
use crate::time::clock::Clock;
use crate::topology::ClusterName;
use crate::watching::journal::Journal;
use crate::watching::transcript::{Event, Transcript};
use fastkafka::record::Delivery;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A cluster in memory.
pub(crate) struct MemoryCluster {
    state: Mutex<ClusterState>,
    pub(crate) journal: Journal,
    clock: Clock,
    changed: Arc<Notify>,
}

impl MemoryCluster {
    /// `journal` and `changed` are those of all clusters of a test.
    pub(super) fn new(name: ClusterName, journal: Journal, changed: Arc<Notify>) -> Arc<Self> {
        let transcript = journal.transcript().clone();
        let clock = if transcript.steps().are_made() {
            Clock::fixed()
        } else {
            Clock::new()
        };
        Arc::new(Self {
            state: Mutex::new(ClusterState::new(name, transcript)),
            journal,
            clock,
            changed,
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, ClusterState> {
        lock(&self.state)
    }

    /// Tells waiting tests that something has happened.
    pub(crate) fn notify(&self) {
        self.changed.notify_waiters();
    }

    /// Ends with the next [`MemoryCluster::notify`] of any cluster.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Writes a record of an app's producer, or lets the fault happen that is due.
    pub(super) fn produce(&self, record: &NewRecord) -> Result<Delivery, Refusal> {
        let appended = {
            let mut state = self.state();
            if state.down {
                return Err(Refusal::Down);
            }
            let ordered = state.faults.next(&record.topic);
            if let Some(fault) = ordered {
                self.transcript().note(Event::OutputFails {
                    topic: record.topic.clone(),
                    cluster: state.name,
                    how: fault.words(),
                });
            }
            let fault = ordered.or_else(|| self.chosen_fault(&record.topic));
            match fault {
                Some(ProduceFault::Lost) => return Err(Refusal::TimedOut),
                Some(ProduceFault::Refused) => return Err(Refusal::Refused),
                Some(ProduceFault::Unacknowledged) => {
                    let (written, _) = state.append(record.clone(), self.clock.millis())?;
                    (written, Err(Refusal::TimedOut))
                }
                None => {
                    let (written, delivery) = state.append(record.clone(), self.clock.millis())?;
                    (written, Ok(delivery))
                }
            }
        };
        let (written, result) = appended;
        self.publish(written);
        result
    }

    fn transcript(&self) -> &Transcript {
        self.journal.transcript()
    }

    /// The fault that an exploration chooses for the next record.
    fn chosen_fault(&self, topic: &str) -> Option<ProduceFault> {
        let steps = self.transcript().steps();
        if !steps.are_made() {
            return None;
        }
        let choices = [Choice::OutputLost, Choice::OutputUnacknowledged];
        let chosen = steps.ask(&format!("a record for `{topic}`"), &choices)?;
        let fault = match chosen {
            Choice::OutputUnacknowledged => ProduceFault::Unacknowledged,
            _ => ProduceFault::Lost,
        };
        let what = format!("the next record for `{topic}` {}", fault.words());
        self.transcript().note(Event::Deviation(what));
        Some(fault)
    }

    /// Writes a record from outside the app.
    pub(crate) fn append(&self, record: NewRecord) -> Result<Delivery, Refusal> {
        let (written, delivery) = {
            let mut state = self.state();
            if state.down {
                return Err(Refusal::Down);
            }
            state.append(record, self.clock.millis())?
        };
        self.publish(written);
        Ok(delivery)
    }

    /// Outside the lock: the journal's observers are code of the test, which may call back.
    fn publish(&self, record: TopicRecord) {
        self.journal.push(record);
        self.notify();
    }

    pub(crate) fn fail_next(&self, topic: &str, fault: ProduceFault) {
        self.state().faults.fail_next(topic, fault);
    }

    pub(crate) fn damage_next(&self, topic: &str) {
        self.state().faults.damage_next(topic);
    }

    /// Ends every fault, and drops those that are still to come.
    pub(crate) fn heal(&self) {
        {
            let mut state = self.state();
            state.faults = Default::default();
            state.losses_tell_after = None;
        }
        self.lose_commits(false);
        self.set_down(false);
    }

    /// Calls `wake` when the broker is back; at once if it is not down.
    pub(super) fn on_up(&self, wake: Box<dyn Fn() + Send + Sync>) {
        let mut state = self.state();
        if state.down {
            state.on_up.push(wake);
        } else {
            drop(state);
            wake();
        }
    }

    pub(crate) fn set_down(&self, down: bool) {
        let on_up = {
            let mut state = self.state();
            if down != state.down {
                let event = if down {
                    Event::BrokerDown
                } else {
                    Event::BrokerUp
                };
                self.transcript().note(event(state.name));
            }
            if down && !state.down {
                state.went_down = Some(tokio::time::Instant::now());
            }
            state.down = down;
            state.wake_all();
            if down {
                Vec::new()
            } else {
                std::mem::take(&mut state.on_up)
            }
        };
        on_up.iter().for_each(|wake| wake());
        self.notify();
    }

    pub(crate) fn lose_commits(&self, lost: bool) {
        let mut state = self.state();
        state.commits_lost = lost;
        state.wake_all();
    }
}

impl fmt::Debug for MemoryCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCluster").finish_non_exhaustive()
    }
}
