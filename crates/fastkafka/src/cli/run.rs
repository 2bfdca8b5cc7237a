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
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start the tokio runtime: {error}");
            return ExitCode::from(1);
        }
    };
    let result = runtime.block_on(async {
        let signals = tokio::spawn(stop_on_signal(app.clone()));
        let result = app.run().await;
        signals.abort();
        result
    });
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
async fn stop_on_signal(app: App) {
    signal().await;
    tracing::info!("stopping: records in hand are finished; a second signal ends the process at once");
    app.shut_down();
    signal().await;
    tracing::error!("second signal: ending at once");
    std::process::exit(1);
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _ = tokio::signal::ctrl_c().await;
}
