//! The thread of an owner: it sleeps in one place.

use crate::driver::{Driver, Turn};
use crate::shared::Shared;
use crate::transport::GroupConsumer;
use std::sync::Arc;
use std::time::Instant;

/// Tells the app when whoever serves a consumer panics: nobody else would notice. [L7]
pub(crate) struct PanicGuard(pub(crate) Arc<Shared>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let group = self.0.health().group;
            self.0
                .fail(format!("the consumer of group `{group}` panicked"));
        }
    }
}

/// Takes turns until the consumer is closed.
///
/// A client that could not be closed is leaked: its drop could wait for ever, and the process is
/// about to end.
pub(crate) fn serve<T: GroupConsumer>(mut driver: Driver<T>) -> Result<(), String> {
    let origin = Instant::now();
    let _guard = PanicGuard(driver.setup.shared.clone());
    loop {
        match driver.turn(origin.elapsed()) {
            Turn::Again => {}
            Turn::Park(time) => std::thread::park_timeout(time),
            Turn::Over(Ok(())) => return Ok(()),
            Turn::Over(Err(why)) => {
                std::mem::forget(driver);
                return Err(why);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Mailbox;

    #[test]
    fn a_panic_of_the_thread_ends_the_app() {
        let shared = Arc::new(Shared::new(
            "",
            "orders",
            false,
            Mailbox::new(Box::new(|| ())),
        ));
        let guard = PanicGuard(shared.clone());
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            panic!("a bug");
        });
        thread.join().unwrap_err();
        assert_eq!(
            shared.failure().as_deref(),
            Some("the consumer of group `orders` panicked")
        );
    }
}
