//! What must hold always: at each commit, and when a call begins.

use super::handler::News;
use super::part::{Owner, Pending};
use super::world::World;
use crate::search::Violation;

impl World {
    /// A commit is done. [S1, S3]
    pub(super) fn commit(
        &mut self,
        partition: i32,
        offset: i64,
        what: &str,
    ) -> Result<(), Violation> {
        let sought = self.seek.as_ref();
        let is_sought = sought.is_some_and(|s| (s.partition, s.to) == (partition, offset));
        let part = self.part(partition);
        let place = format!("{what} of orders[{partition}] at {offset}");
        if part.owner != Owner::Us {
            let text = format!("{place} is made after it was given away");
            return Err(Violation::new("S3", text));
        }
        if is_sought && part.committed != Some(offset) {
            // The periodic commit may say it before that of the seek. What lies before it is left out.
            part.done.extend(0..offset);
            part.committed = Some(offset);
            return Ok(());
        }
        if part.terminal() < offset {
            let text = format!("{place} goes over a record that is not terminal");
            return Err(Violation::new("S1", text));
        }
        if part.committed.is_some_and(|before| offset < before) {
            let text = format!("{place} goes back from {:?}", part.committed);
            return Err(Violation::new("S3", text));
        }
        part.committed = Some(offset);
        Ok(())
    }

    /// What is given back is committed as far as it is handled: its next owner handles nothing twice. [S4]
    pub(super) fn check_given_back(&mut self, partition: i32) -> Result<(), Violation> {
        let is_refused = self.away || self.fatal || self.kicked || self.refuses_commits;
        let is_sought = self.seek.as_ref().is_some_and(|s| s.partition == partition);
        let part = self.part(partition);
        let committed = part.committed.unwrap_or(0);
        if is_refused || is_sought || part.owner != Owner::Us || part.terminal() <= committed {
            return Ok(());
        }
        let text = format!(
            "orders[{partition}] is given back at {committed}, and is handled up to {}",
            part.terminal()
        );
        Err(Violation::new("S4", text))
    }

    /// What the handlers have done. [S4, S5, S10]
    pub(super) fn take_news(&mut self) -> Result<(), Violation> {
        for news in self.calls.news() {
            match news {
                News::Begun(partition, offset) => self.begun(partition, offset)?,
                News::Overlaps(partition, offset) => {
                    let text = format!(
                        "orders[{partition}] offset {offset} begins while a call is at work"
                    );
                    return Err(Violation::new("S5", text));
                }
                // A call of a former assignment counts for nothing.
                News::Settled(partition, _) if self.is_stale(partition) => {}
                News::Settled(partition, offset) => {
                    self.part(partition).done.insert(offset);
                }
                News::Cut(partition, offset) => {
                    self.part(partition).hung = false;
                    // Of what is lost another member has the record.
                    if !self.part(partition).lost {
                        self.cut.push((partition, offset));
                    }
                }
            }
        }
        Ok(())
    }

    fn begun(&mut self, partition: i32, offset: i64) -> Result<(), Violation> {
        let number = usize::try_from(partition).expect("a partition's number");
        self.begun_in[number] = self.parts[number].epoch;
        // A member that the group has left behind cannot know it yet.
        if self.kicked && self.pending.is_some() && !self.driver.client().is_rebalance_heard() {
            return Ok(());
        }
        let ending = self.ending_since.is_some();
        let taken = match &self.pending {
            Some(Pending::Take(gone)) => gone.contains(&partition),
            _ => false,
        };
        let taken = taken && self.driver.client().is_rebalance_heard();
        let part = self.part(partition);
        let what = format!("orders[{partition}] offset {offset} begins");
        if taken {
            let text = format!("{what} while it is being given back");
            return Err(Violation::new("S10", text));
        }
        match (part.owner, part.next) {
            (Owner::Us, Some(next)) if next == offset => {
                part.next = Some(offset + 1);
                if ending {
                    let text = format!("{what} while the app ends");
                    return Err(Violation::new("S10", text));
                }
                Ok(())
            }
            (Owner::Us, next) => Err(Violation::new("S1", format!("{what}, not {next:?}"))),
            _ => Err(Violation::new(
                "S10",
                format!("{what} after it was given away"),
            )),
        }
    }
}
