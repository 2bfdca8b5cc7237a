//! `run`: the service until a signal.

use super::Run;
use crate::app::App;
use std::process::ExitCode;

pub(super) fn run(app: &App, options: &Run) -> ExitCode {
    if let Some(broker) = &options.kafka_broker
        && let Err(unknown) = app.set_kafka_broker(broker)
    {
        eprintln!("error: {unknown}");
        return ExitCode::from(1);
    }
    app.set_workers(options.num_workers);
    app.set_create_topics(options.create_topics);
    if let Some(from) = options.from {
        app.set_start_from(from);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the tokio runtime: {error}");
            return ExitCode::from(1);
        }
    };
    if let Err(error) = stop_on_signal(app.clone()) {
        eprintln!("error: cannot handle signals: {error}");
        return ExitCode::from(1);
    }
    let result = runtime.block_on(app.run());
    // A handler that blocks its thread must not keep the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(1)
        }
    }
}

/// The first signal asks for a graceful stop, the second ends the process.
///
/// Signals have a thread and a runtime of their own: handlers that block their threads must not keep
/// one from being heard.
fn stop_on_signal(app: App) -> std::io::Result<()> {
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
