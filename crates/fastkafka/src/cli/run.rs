//! `run`: the service until a signal.

use super::failed::Failed;
use super::log::LogArgs;
use super::time;
#[cfg(feature = "admin")]
use crate::admin::Admin;
use crate::app::App;
use crate::signals::StopOnSignal;
use clap::Args;
use std::io;
use std::num::NonZeroUsize;
#[cfg(feature = "admin")]
use std::path::PathBuf;
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
    /// The log.
    #[command(flatten)]
    pub log: LogArgs,
    /// The admin listener.
    #[cfg(feature = "admin")]
    #[command(flatten)]
    pub admin: AdminArgs,
}

/// Options of the admin listener.
#[cfg(feature = "admin")]
#[derive(Args, Clone, Debug, Default)]
#[non_exhaustive]
pub struct AdminArgs {
    /// Answer probes, scrapes and questions over HTTP at this address, such as 127.0.0.1:9000.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin: Option<String>,
    /// A name by which the admin listener is asked, beside addresses and localhost. May be given several times.
    #[arg(long = "admin-host", value_name = "NAME")]
    pub admin_hosts: Vec<String>,
    /// A file with the token that lets the one who sends it see the texts of errors.
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
}

#[cfg(feature = "admin")]
impl From<&AdminArgs> for Admin {
    fn from(args: &AdminArgs) -> Self {
        Self {
            address: args.admin.clone(),
            hosts: args.admin_hosts.clone(),
            token_file: args.admin_token_file.clone(),
        }
    }
}

pub(super) fn run(app: &App, options: &Run) -> Result<(), Failed> {
    if let Some(broker) = &options.kafka_broker {
        app.set_kafka_broker(broker).map_err(Failed::found)?;
    }
    app.set_workers(options.num_workers);
    app.set_create_topics(options.create_topics);
    #[cfg(feature = "admin")]
    app.set_admin(&options.admin);
    if let Some(from) = options.from {
        app.set_start_from(from);
    }
    let cannot =
        |error: io::Error| Failed::found(format_args!("cannot start the tokio runtime: {error}"));
    // Without one for its signals, tokio panics.
    fastkafka_kafka::room_for_sockets(8).map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(cannot)?;
    let signals = StopOnSignal::new(app)
        .map_err(|error| Failed::found(format_args!("cannot handle signals: {error}")))?;
    let result = runtime.block_on(app.run());
    drop(signals);
    // A handler that blocks its thread must not keep the process.
    runtime.shutdown_background();
    result.map_err(Failed::found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consumes;
    use clap::Parser;
    use std::collections::BTreeSet;

    struct Thrown;

    #[consumes(app = Thrown, crate = crate, topic = "orders")]
    async fn on_orders(_order: u64) {}

    #[derive(Parser)]
    struct Arguments {
        #[command(flatten)]
        run: Run,
    }

    /// Whatever is written there is refused by name, or is the address that the clients are given.
    #[test]
    fn what_is_written_on_the_command_line_is_refused_or_taken_as_it_is() {
        const PIECES: [&str; 12] = [
            "a", "kafka-1", ":", ":9092", ":99999", ",", "[::1]", "@", "://", " ", "\n", "ü",
        ];
        let mut seed = 16_u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let app = App::scoped::<Thrown>().title("Thrown").build();
        let (mut seen, mut taken) = (BTreeSet::new(), 0);
        for _ in 0..10_000 {
            let address: String = (0..next(5)).map(|_| PIECES[next(12)]).collect();
            let workers = [1, 1_000, 1_001, usize::MAX][next(4)].to_string();
            let arguments = ["run", "--num-workers", &workers, "--kafka-broker", &address];
            let run = Arguments::try_parse_from(arguments).unwrap().run;
            let broker = run.kafka_broker.unwrap();
            assert_eq!(broker, address);
            app.set_workers(run.num_workers);
            // A check makes clients: once for each.
            if !seen.insert(address) {
                continue;
            }
            if let Err(unknown) = app.set_kafka_broker(&broker) {
                assert!(!broker.contains(':'), "{unknown}");
                continue;
            }
            match app.check() {
                Ok(_) => {
                    taken += 1;
                    assert_eq!(app.bootstrap().unwrap(), broker);
                    assert!(run.num_workers.get() <= 1_000);
                }
                Err(problems) => {
                    let told = problems.to_string();
                    let named = told.contains("the broker at") || told.contains("--num-workers");
                    assert!(named, "{told}");
                }
            }
        }
        assert!(taken > 20, "{taken} were addresses");
    }
}
