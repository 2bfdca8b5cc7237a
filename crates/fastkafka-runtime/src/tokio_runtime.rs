//! Whether the tokio runtime of the handlers is there.

use std::future::pending;
use tokio::runtime::Handle;

/// True when it was dropped, and drops what it is given: nothing that was spawned on it goes on.
pub(crate) fn is_gone(tokio: &Handle) -> bool {
    let task = tokio.spawn(pending::<()>());
    let gone = task.is_finished();
    task.abort();
    gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    #[test]
    fn a_runtime_is_gone_once_it_is_dropped() {
        for mut kind in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = kind.build().unwrap();
            let tokio = runtime.handle().clone();
            assert!(!is_gone(&tokio));
            drop(runtime);
            assert!(is_gone(&tokio));
        }
    }
}
