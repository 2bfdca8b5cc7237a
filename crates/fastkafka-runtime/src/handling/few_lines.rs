//! Lines of the log that whoever sends can cause: the first of a second, and how many more there were.

use crate::lock::lock;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Most lines within a second.
const LINES: u32 = 10;
const SECOND: Duration = Duration::from_secs(1);

/// Lines of one kind, of one partition.
#[derive(Clone, Debug, Default)]
pub(crate) struct FewLines(Arc<Mutex<Second>>);

#[derive(Debug, Default)]
struct Second {
    ends: Option<Instant>,
    lines: u32,
}

impl FewLines {
    /// True for a line that is to be written. Where others of its second are not, what `tell` makes gets their
    /// number at the end of it.
    pub(crate) fn take<F: FnOnce(u32) + Send + 'static>(&self, tell: impl FnOnce() -> F) -> bool {
        let mut second = lock(&self.0);
        let now = Instant::now();
        // One that leaves lines out goes on until their number is told.
        if second.lines <= LINES && second.ends.is_none_or(|ends| ends <= now) {
            *second = Second {
                ends: Some(now + SECOND),
                lines: 0,
            };
        }
        second.lines = second.lines.saturating_add(1);
        if second.lines == LINES + 1 {
            let (lines, tell, ends) = (self.clone(), tell(), second.ends.unwrap_or(now));
            tokio::spawn(async move {
                sleep_until(ends).await;
                let over = std::mem::take(&mut *lock(&lines.0));
                tell(over.lines - LINES);
            });
        }
        second.lines <= LINES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_lines_of_a_second_are_written_and_the_others_counted() {
        let (lines, counted) = (FewLines::default(), Arc::new(Mutex::new(Vec::new())));
        let take = || {
            let counted = counted.clone();
            lines.take(|| move |more| lock(&counted).push(more))
        };
        let written = |times: usize| (0..times).filter(|_| take()).count();
        assert_eq!(written(10), 10);
        tokio::time::sleep(SECOND).await;
        assert_eq!(written(1_000), 10, "a new second");
        tokio::time::sleep(SECOND / 2).await;
        assert_eq!(written(5), 0, "the same one");
        assert!(lock(&counted).is_empty());
        tokio::time::sleep(SECOND).await;
        assert_eq!(*lock(&counted), [995]);
        assert_eq!(written(10), 10);
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(*lock(&counted), [995], "nothing was left out");
    }
}
