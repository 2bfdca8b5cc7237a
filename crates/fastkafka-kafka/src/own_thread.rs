//! What waits for a broker, on a thread of its own.
//!
//! Tokio's threads for blocking work may all be taken, by the app's own, for as long as they like: what waited
//! for one of them would be late, and with it a start.

use std::io;
use std::thread;

/// Does this on a thread of its own, and waits for that. One that is dropped leaves the thread to its end.
///
/// # Errors
/// When the system starts no thread, or it has panicked.
pub(crate) async fn on_own_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    let thread = thread::Builder::new().name(name.to_owned());
    let begun = thread.spawn(move || {
        // Nobody may wait any more.
        let _ = done.send(work());
    });
    begun.map_err(|error| {
        let what = format!("no thread can be started for `{name}`: {error}");
        io::Error::new(error.kind(), what)
    })?;
    let panicked = || io::Error::other(format!("the thread `{name}` has panicked"));
    result.await.map_err(|_| panicked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn it_needs_none_of_tokios_threads() {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(1)
            .build();
        let tokio = tokio.unwrap();
        let (end, ended) = channel::<()>();
        let taken = tokio.spawn_blocking(move || ended.recv());
        let done = tokio.block_on(on_own_thread("question", || 7));
        assert_eq!(done.unwrap(), 7);
        assert!(!taken.is_finished());
        drop(end);
    }

    #[test]
    fn one_that_panics_is_an_error() {
        let tokio = tokio::runtime::Builder::new_current_thread().build();
        let done = on_own_thread("question", || -> u32 { panic!("on purpose") });
        let error = tokio.unwrap().block_on(done).unwrap_err();
        assert_eq!(error.to_string(), "the thread `question` has panicked");
    }
}
