//! `run`: the service until a signal.

use super::{Run, failed};
use crate::app::App;
use crate::signals::stop_on_signal;
use std::process::ExitCode;

pub(super) fn run(app: &App, options: &Run) -> ExitCode {
    if let Some(broker) = &options.kafka_broker
        && let Err(unknown) = app.set_kafka_broker(broker)
    {
        return failed(unknown);
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
        Err(error) => return failed(format_args!("cannot start the tokio runtime: {error}")),
    };
    if let Err(error) = stop_on_signal(app.clone()) {
        return failed(format_args!("cannot handle signals: {error}"));
    }
    let result = runtime.block_on(app.run());
    // A handler that blocks its thread must not keep the process.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(error),
    }
}
