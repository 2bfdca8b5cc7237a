//! Reading the mail: what lanes, tasks and delivery reports have to say, as events of the engine.

use super::Driver;
use super::partition::failure;
use crate::mail::Mail;
use crate::transport::GroupConsumer;
use fastkafka_core::{Closed, RunTag};
use fastkafka_engine::{Event, PartIndex, RunId};

impl<T: GroupConsumer> Driver<T> {
    pub(super) fn read_mail(&mut self) {
        let mut list = std::mem::take(&mut self.mail);
        self.setup.shared.mailbox.take(&mut list);
        for mail in list.drain(..) {
            let ended = mail.ended();
            let Some(event) = self.event(mail) else {
                continue;
            };
            self.step(event);
            // After the step: until then the engine knows the task's key by its number.
            if let Some((part, run)) = ended
                && let Some(keyed) = &mut self.partitions[part].keyed
            {
                keyed.ended(run);
            }
        }
        self.mail = list;
    }

    fn event(&mut self, mail: Mail) -> Option<Event> {
        match mail {
            // The turn takes the commands later.
            Mail::Command => None,
            Mail::Closed { tag, end } => Some(self.closed(tag, end)),
            Mail::Failed {
                part,
                run,
                at,
                next,
                failure: why,
            } => {
                let partition = &mut self.partitions[part];
                partition.errors.failed(at, why.message().to_owned());
                // A lane that fails has halted: it forgets the runs behind this one. By key each run
                // is a task of its own.
                if partition.keyed.is_none() {
                    partition.started.forget_after(run);
                }
                Some(Event::Failed {
                    part,
                    run,
                    at,
                    next,
                    failure: failure(why.kind()),
                })
            }
            Mail::Handled { part, run } => Some(Event::Handled { part, run }),
            Mail::Panicked { part } => {
                self.task_panicked(part);
                None
            }
            Mail::DeadLetterDone {
                part,
                run,
                at,
                outcome,
                why,
            } => {
                if let Some(why) = why {
                    self.partitions[part].errors.no_letter(at, why);
                }
                Some(Event::DeadLetterDone { part, run, outcome })
            }
            Mail::Ended { part, cut, at } => {
                if let Some(at) = at {
                    self.partitions[part].started.forget_from(at);
                }
                Some(Event::Ended { part, cut, at })
            }
        }
    }

    fn closed(&mut self, tag: RunTag, end: Closed) -> Event {
        let (part, run) = (PartIndex(tag.part), RunId(tag.run));
        let partition = &mut self.partitions[part];
        let Some(started) = partition.started.close(run) else {
            // The assignment has ended, or the lane has forgotten the run: only the count of the runs
            // that are under way changes.
            return Event::Settled {
                part,
                run,
                prefix: 0,
                broken: None,
                closed: true,
            };
        };
        let prefix = started.offset(end.settled);
        let news = end.broken.filter(|_| started.is_news(end.settled));
        let broken = news.map(|failure| {
            let why = failure.message().to_owned();
            partition.note_lost(started.lost(end.settled, failure.kind(), why))
        });
        Event::Settled {
            part,
            run,
            prefix,
            broken,
            closed: true,
        }
    }
}
