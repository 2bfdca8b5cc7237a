//! The lines of the log.

use super::lab::{HandlerState, Lab};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tracing::subscriber::DefaultGuard;

/// The lines of the current thread, while it listens.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(super) fn listen(&self) -> DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_ansi(false);
        tracing::subscriber::set_default(lines.with_writer(move || log.clone()).finish())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// As a log and a standard error without a reader, which is where `tracing-subscriber` writes, and panics, when
/// it cannot write.
struct Gone;

static LOST: AtomicU32 = AtomicU32::new(0);

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        LOST.fetch_add(1, Ordering::Relaxed);
        panic!("failed printing to stderr: Broken pipe");
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_whose_log_lines_panic_goes_on() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(
        _: u32,
        meta: EventMetadata,
        State(state): State<HandlerState>,
    ) -> Result<(), String> {
        let _busy = state.call(meta);
        match meta.offset() {
            2 if state.times(2).len() == 1 => Err("not yet".into()),
            _ => Ok(()),
        }
    }
    let lines = tracing_subscriber::fmt().with_writer(|| Gone).finish();
    let _log = tracing::subscriber::set_default(lines);
    let mut lab = Lab::new::<on>(1, 5);
    lab.until_committed(0, 5).await;
    assert_eq!(lab.state.offsets(0), [0, 1, 2, 2, 3, 4]);
    assert!(LOST.load(Ordering::Relaxed) > 0, "the failure is told");
}
