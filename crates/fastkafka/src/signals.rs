//! SIGINT and SIGTERM end an app gracefully.

use crate::app::App;

/// The first signal asks for a graceful stop, the second ends the process.
///
/// Signals have a thread and a runtime of their own: handlers that block their threads must not keep
/// one from being heard.
pub(crate) fn stop_on_signal(app: App) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let mut signals = {
        let _in_runtime = runtime.enter();
        Signals::new()?
    };
    let listen = async move {
        signals.next().await;
        tracing::info!(
            "stopping: records in hand are finished; a second signal ends the process at once"
        );
        app.shut_down();
        signals.next().await;
        tracing::error!("second signal: ending at once");
        std::process::exit(1);
    };
    let thread = std::thread::Builder::new().name("fk-signals".to_owned());
    thread.spawn(move || runtime.block_on(listen)).map(drop)
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
