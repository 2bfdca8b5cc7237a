//! The thread of an owner: it sleeps in one place.

use crate::owner::{Owner, Turn};
use crate::transport::Transport;
use std::time::Instant;

/// Takes turns until the consumer is closed.
///
/// A client that could not be closed is leaked: its drop could wait for ever, and the process is
/// about to end.
pub(crate) fn serve<T: Transport>(mut owner: Owner<T>) -> Result<(), String> {
    let origin = Instant::now();
    loop {
        match owner.turn(origin.elapsed()) {
            Turn::Again => {}
            Turn::Park(time) => std::thread::park_timeout(time),
            Turn::Over(Ok(())) => return Ok(()),
            Turn::Over(Err(why)) => {
                std::mem::forget(owner);
                return Err(why);
            }
        }
    }
}
