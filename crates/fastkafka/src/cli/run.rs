//! `run`: the service until a signal.

use super::failed::Failed;
use super::time;
use crate::app::App;
use crate::signals::StopOnSignal;
use clap::Args;
use std::num::NonZeroUsize;
use std::time::SystemTime;

/// Options of `run`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Run {
    /// A broker of the app by name, in every cluster, `embedded`, or for an app with one cluster an
    /// address HOST:PORT[,HOST:PORT..].
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub kafka_broker: Option<String>,
    /// Consumers per group in this process.
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    pub num_workers: NonZeroUsize,
    /// Make missing topics first, as the app declares them.
    #[arg(long)]
    pub create_topics: bool,
    /// Begin at the first record not older than this, whatever was committed: a time as in
    /// 2026-01-31T08:00:00Z, or so long ago, as in 2h. Needs groups without members.
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub from: Option<SystemTime>,
}

pub(super) fn run(app: &App, options: &Run) -> Result<(), Failed> {
    if let Some(broker) = &options.kafka_broker {
        app.set_kafka_broker(broker).map_err(Failed::found)?;
    }
    app.set_workers(options.num_workers);
    app.set_create_topics(options.create_topics);
    if let Some(from) = options.from {
        app.set_start_from(from);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failed::found(format_args!("cannot start the tokio runtime: {error}")))?;
    let signals = StopOnSignal::new(app)
        .map_err(|error| Failed::found(format_args!("cannot handle signals: {error}")))?;
    let result = runtime.block_on(app.run());
    drop(signals);
    // A handler that blocks its thread must not keep the process.
    runtime.shutdown_background();
    result.map_err(Failed::found)
}
