//! The two ways to take turns: on a thread that parks, and in a task that waits.

use super::{Driver, Turn};
use crate::shared::Shared;
use crate::transport::GroupConsumer;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A turn that takes so long is told.
const LONG_TURN: Duration = Duration::from_secs(1);

/// However the code that serves a consumer ends: there is no other turn. After a panic it ends the app, which
/// nobody else would notice. [L7]
struct LastTurn(Arc<Shared>);

impl Drop for LastTurn {
    fn drop(&mut self) {
        self.0.turns(None);
        if std::thread::panicking() {
            let group = self.0.health().group;
            self.0
                .fail(format!("the consumer of group `{group}` panicked"));
        }
    }
}

/// Takes turns until the consumer is closed. The thread sleeps here and nowhere else.
///
/// A client that could not be closed is leaked: its drop could wait for ever, and the process is
/// about to end.
pub(crate) fn on_thread<T: GroupConsumer>(mut driver: Driver<T>) -> Result<(), String> {
    let origin = Instant::now();
    let last_turn = LastTurn(driver.setup.shared.clone());
    loop {
        let begun = origin.elapsed();
        last_turn.0.turns(Some(origin + begun));
        let turn = driver.turn(begun);
        name_long_turn(driver.setup.group(), origin.elapsed() - begun);
        match turn {
            Turn::Again => {}
            Turn::Park(time) => std::thread::park_timeout(time),
            Turn::Over(ended) => {
                if !driver.is_closed() {
                    std::mem::forget(driver);
                }
                return ended;
            }
        }
    }
}

/// A turn waits for nothing. One that takes long does so for a call into the client, or because the process
/// has no time; `max_poll_interval_ms` goes on meanwhile.
fn name_long_turn(group: &str, took: Duration) {
    if took >= LONG_TURN {
        tracing::warn!(group, "the consumer was not polled for {took:.1?}");
    }
}

/// Takes turns on tokio's clock until the consumer is closed, or until `kill`, as a crash would end it.
/// `after` is called after each turn.
pub(crate) async fn in_task<T: GroupConsumer>(
    mut driver: Driver<T>,
    wake: &Notify,
    kill: &Notify,
    after: impl Fn(),
) -> Result<(), String> {
    let _last_turn = LastTurn(driver.setup.shared.clone());
    let ended = tokio::select! {
        biased;
        () = kill.notified() => None,
        ended = turns(&mut driver, wake, after) => Some(ended),
    };
    if ended.is_none() {
        driver.kill().await;
    }
    ended.unwrap_or(Ok(()))
}

async fn turns<T: GroupConsumer>(
    driver: &mut Driver<T>,
    wake: &Notify,
    after: impl Fn(),
) -> Result<(), String> {
    let origin = tokio::time::Instant::now();
    loop {
        let turn = driver.turn(origin.elapsed());
        after();
        match turn {
            Turn::Again => tokio::task::yield_now().await,
            // Woken or not: the next turn looks at everything.
            Turn::Park(time) => drop(tokio::time::timeout(time, wake.notified()).await),
            Turn::Over(ended) => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::ProblemCode;
    use crate::mailbox::Mailbox;
    use crate::state::Figures;

    #[test]
    fn a_consumer_whose_turn_does_not_end_is_named_until_the_next_one_begins() {
        let shared = Shared::new("", "orders", false, Mailbox::new(Box::new(|| ())));
        let codes = || {
            let health = shared.health();
            health.open.iter().map(|open| open.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(), [], "nothing has begun");
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        shared.turns(ago(29));
        assert_eq!(codes(), []);
        shared.turns(ago(31));
        assert_eq!(codes(), [ProblemCode::ConsumerStuck]);
        shared.turns(ago(0));
        assert_eq!(codes(), []);
        shared.turns(ago(31));
        shared.turns(None);
        assert_eq!(codes(), [], "it has ended");
    }

    #[test]
    fn a_panic_of_the_thread_ends_the_app() {
        let shared = Arc::new(Shared::new(
            "",
            "orders",
            false,
            Mailbox::new(Box::new(|| ())),
        ));
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60));
        shared.turns(long_ago);
        let last_turn = LastTurn(shared.clone());
        let thread = std::thread::spawn(move || {
            let _last_turn = last_turn;
            panic!("a bug");
        });
        thread.join().unwrap_err();
        assert_eq!(
            shared.failure().as_deref(),
            Some("the consumer of group `orders` panicked")
        );
        let open = shared.health().open;
        assert!(
            open.is_empty(),
            "it does not stand still, it is gone: {open:?}"
        );
    }

    #[test]
    fn what_nobody_reads_any_more_is_not_shown_and_a_turn_that_ends_shows_it_again() {
        let shared = Arc::new(Shared::new(
            "",
            "orders",
            false,
            Mailbox::new(Box::new(|| ())),
        ));
        let shown = || shared.state(shared.health()).partitions.len();
        let ago = |seconds| Instant::now().checked_sub(Duration::from_secs(seconds));
        shared.set_figures(vec![Figures::new("orders", 3)]);
        shared.turns(ago(29));
        assert_eq!(shown(), 1);
        shared.turns(ago(31));
        assert_eq!(shown(), 0, "its turn does not end: nobody knows");
        shared.turns(ago(0));
        assert_eq!(shown(), 1);
        let last_turn = LastTurn(shared.clone());
        drop(last_turn);
        assert_eq!(shown(), 0, "it has ended");
    }
}
