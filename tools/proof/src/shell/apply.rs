//! Taking a choice.

use super::actions::{Action, Kick, Tells};
use super::handler::End;
use super::part::{Owner, Pending, Sought};
use super::scope::{Fault, Scope};
use super::world::{ALL, World};
use crate::search::Violation;
use fastkafka_kafka::proof::{Asked, Call, Given, Simulation, Trouble, When};
use fastkafka_runtime::ControlError;
use fastkafka_runtime::platform::StartError;
use std::time::Duration;

impl World {
    /// Takes a choice, and checks what follows from it.
    pub(super) fn apply(&mut self, scope: &Scope, action: Action) -> Result<(), Violation> {
        match action {
            Action::Turn => return self.turn(),
            Action::Pass => {
                self.left.take(Fault::Slow);
                let sleep = self.sleep;
                return self.pass(sleep);
            }
            Action::Tells(tells, when) => {
                self.tell(scope, tells, when);
                if when != When::Now {
                    return self.turn();
                }
            }
            Action::Answer => self.answer()?,
            Action::Commit => self.client().commit_stored(),
            Action::LoseCommit => {
                self.left.take(Fault::Unanswered);
                self.client().commit_stored();
                let lost = self.client().take_sent();
                self.unanswered.extend(lost);
            }
            Action::CommitAgain => self.commit_again()?,
            Action::Returns(partition, end) => {
                match end {
                    End::Done => {}
                    End::Keep => {
                        self.left.take(Fault::Keep);
                        let part = self.part(partition);
                        part.kept_in = Some(part.epoch);
                    }
                    End::Fail => {
                        self.left.take(Fault::Handler);
                        let part = self.part(partition);
                        part.failed = true;
                        // What is resumed is handled again.
                        part.next = part.next.map(|next| next - 1);
                    }
                }
                self.calls.end(partition, end);
            }
            Action::Hangs(partition) => {
                self.left.take(Fault::Hang);
                self.part(partition).hung = true;
            }
            Action::Settle(partition) => {
                self.calls.settle(partition);
                if !self.calls.kept().iter().any(|kept| kept.0 == partition) {
                    self.part(partition).kept_in = None;
                }
            }
            Action::Back => self.away = false,
            Action::Finds => self.astray = false,
            Action::Leader(partition, is_back) => {
                if !is_back {
                    self.left.take(Fault::Leaderless);
                }
                self.part(partition).leaderless = !is_back;
                self.set_reading();
            }
            Action::Batch(partition, is_well) => {
                if !is_well {
                    self.left.take(Fault::Unreadable);
                }
                self.part(partition).unreadable = !is_well;
                self.set_reading();
            }
            Action::Topic(is_well) => {
                self.refused = !is_well;
                if !is_well {
                    self.left.take(Fault::Refused);
                    self.client().error(Trouble::TopicRefused, When::Now);
                }
                self.set_reading();
            }
            Action::Commits(taken) => {
                if !taken {
                    self.left.take(Fault::Commit);
                }
                self.refuses_commits = !taken;
                self.told_refused = false;
            }
            Action::ResumeFails => {
                self.left.take(Fault::Resume);
                self.client().fail_next(Call::Resume);
            }
            Action::Late(partition, late) => {
                self.left.take(Fault::Late);
                self.client().fail_late(partition, late);
            }
            Action::Pause(partition, pause) => {
                if pause {
                    self.left.take(Fault::Pause);
                }
                let part = self.part(partition);
                part.paused = pause;
                part.failed &= pause;
                self.driver.pause(Simulation::TOPIC, partition, pause);
            }
            Action::Seek(partition, to) => {
                self.left.take(Fault::Seek);
                self.seek = Some(Sought {
                    partition,
                    to,
                    epoch: self.part(partition).epoch,
                    asking: self.driver.seek(Simulation::TOPIC, partition, to),
                });
            }
            Action::Shutdown => {
                self.left.take(Fault::Shutdown);
                self.driver.shut_down();
            }
        }
        self.settle()
    }

    /// Time passes, and the driver takes its turn.
    pub(super) fn pass(&mut self, time: Duration) -> Result<(), Violation> {
        self.now += time;
        if self.is_out() {
            self.client().look_for_group();
        }
        // The client tries again, and tells the error again.
        if self.parts.iter().any(|part| part.unreadable) {
            self.set_reading();
        }
        self.turn()
    }

    fn tell(&mut self, scope: &Scope, tells: Tells, when: When) {
        match tells {
            Tells::Give => {
                let mut given = std::mem::take(&mut self.owed);
                for (partition, part) in ALL.iter().zip(&self.parts) {
                    if part.owner == Owner::Other && given.is_empty() {
                        given.push(*partition);
                    }
                }
                self.give(&given, when);
            }
            Tells::Take(partition) => {
                self.left.take(Fault::Rebalance);
                let ours = ALL.iter().zip(&self.parts);
                let ours = ours.filter(|(_, part)| part.owner == Owner::Us);
                let ours: Vec<_> = ours.map(|(partition, _)| *partition).collect();
                let gone = if scope.cooperative {
                    vec![partition]
                } else {
                    self.owed = ours.iter().copied().filter(|p| *p != partition).collect();
                    ours
                };
                self.client().take(&gone, when);
                self.pending = Some(Pending::Take(gone));
            }
            Tells::Kick(kick) => {
                self.left.take(kick.fault());
                match kick {
                    Kick::Late => {}
                    Kick::Astray => self.astray = true,
                    Kick::Alone => self.client().lose_brokers(),
                }
                let ours = ALL.iter().zip(&self.parts);
                let ours = ours.filter(|(_, part)| part.owner == Owner::Us);
                let ours: Vec<_> = ours.map(|(partition, _)| *partition).collect();
                self.kicked = true;
                self.client().set_lost(true);
                self.client().take(&ours, when);
                for partition in &ours {
                    self.part(*partition).lost = true;
                    self.hand_over(*partition);
                }
                self.owed.clone_from(&ours);
                self.pending = Some(Pending::Take(ours));
            }
            Tells::Away => {
                self.left.take(Fault::Away);
                self.away = true;
                self.client().error(Trouble::Away, when);
            }
            Tells::Fatal => {
                self.left.take(Fault::Fatal);
                self.fatal = true;
                self.client().die();
                self.client().error(Trouble::Fenced, when);
            }
        }
    }

    /// Answers the first request, as things are.
    pub(super) fn answer(&mut self) -> Result<(), Violation> {
        let Some(asked) = self.client().asked() else {
            return Ok(());
        };
        let refused = match () {
            () if self.is_away() => Some(Trouble::Away),
            () if self.fatal => Some(Trouble::Fenced),
            () => None,
        };
        let commits = match () {
            () if refused.is_some() => refused,
            () if self.refuses_commits => Some(Trouble::GroupRefused),
            () if self.kicked => Some(Trouble::Unknown),
            () => None,
        };
        if let Asked::Commit(..) = asked {
            self.commit_again()?;
        }
        let given = match asked {
            Asked::Starts(places) => match refused {
                Some(why) => Given::Starts {
                    known: Vec::new(),
                    unknown: places.iter().map(|p| (*p, retry(why))).collect(),
                },
                None => self.starts(&places, commits),
            },
            Asked::Found(partition, to) => Given::Found(match refused {
                Some(why) => Err(ControlError::Unanswered {
                    topic: Simulation::TOPIC.to_owned(),
                    partition,
                    why: format!("{why:?}"),
                }),
                None => Ok(to),
            }),
            Asked::Commit(partition, to) => Given::Moved(match commits {
                Some(why) => Err(why),
                None => {
                    self.commit(partition, to, "the commit of a seek")?;
                    let part = self.part(partition);
                    part.committed = Some(to);
                    // What lies behind it is handled again.
                    part.done.retain(|at| *at < to);
                    self.client().note_committed(partition, to, true);
                    Ok(())
                }
            }),
            Asked::Range(partition) => match refused {
                Some(_) => Given::Nothing,
                None => Given::Range(0, self.part(partition).high),
            },
            Asked::Leaders(places) => {
                let end = |partition: &i32| {
                    let part = self.part(*partition);
                    let (end, is_away) = (part.high, part.leaderless);
                    match refused {
                        Some(why) => Err(retry(why)),
                        None if is_away => Err(StartError::Retry("it has no leader".to_owned())),
                        None if self.refused => Err(StartError::Refused("no right".to_owned())),
                        None => Ok(end),
                    }
                };
                Given::Leaders(places.iter().map(end).collect())
            }
            Asked::Checked => match refused {
                Some(why) => Given::Checked(Err(why), Err(why)),
                None if self.refused => Given::Checked(Err(Trouble::TopicRefused), Ok(())),
                None => Given::Checked(Ok(()), Ok(())),
            },
            Asked::Reached | Asked::Listed | Asked::Ends(_) | Asked::GivenAway => Given::Nothing,
        };
        self.client().answer(given);
        Ok(())
    }

    /// Where these start, each for itself. What has no commit is committed first.
    fn starts(&mut self, places: &[i32], refused: Option<Trouble>) -> Given {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for &partition in places {
            let part = self.part(partition);
            let start = match (part.committed, refused) {
                (Some(committed), _) => committed,
                (None, _) if part.leaderless => {
                    let why = format!("orders[{partition}] has no leader");
                    unknown.push((partition, StartError::Retry(why)));
                    continue;
                }
                (None, Some(why)) => {
                    unknown.push((partition, retry(why)));
                    continue;
                }
                (None, None) => {
                    // A start may be pinned by whoever has asked: nobody was further.
                    part.committed = Some(0);
                    0
                }
            };
            if part.owner == Owner::Us {
                part.next = Some(start);
            }
            known.push((partition, start));
        }
        Given::Starts { known, unknown }
    }
}

fn retry(why: Trouble) -> StartError {
    StartError::Retry(format!("{why:?}"))
}
