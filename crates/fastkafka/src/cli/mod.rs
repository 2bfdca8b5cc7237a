//! The command line of a service: `run`, `check`, `topics`, `lag`.
//!
//! ```no_run
//! use fastkafka::App;
//! use std::process::ExitCode;
//!
//! fn app() -> App {
//!     App::builder().build()
//! }
//!
//! fn main() -> ExitCode {
//!     fastkafka::cli::main(app)
//! }
//! ```
//!
//! A program with commands of its own flattens [`Command`] into them and calls [`Command::execute`]:
//!
//! ```no_run
//! use clap::Parser;
//! use fastkafka::App;
//! use std::process::ExitCode;
//!
//! #[derive(Parser)]
//! enum Args {
//!     #[command(flatten)]
//!     Service(fastkafka::cli::Command),
//!     /// Sends some records.
//!     Feed,
//! }
//!
//! fn app() -> App {
//!     App::builder().build()
//! }
//!
//! fn main() -> ExitCode {
//!     match Args::parse() {
//!         Args::Service(command) => command.execute(app),
//!         Args::Feed => ExitCode::SUCCESS,
//!     }
//! }
//! ```
//!
//! # Exit codes
//!
//! | code | meaning |
//! |---|---|
//! | 0 | a clean stop; a check without problems; no breaking change |
//! | 1 | it did not start, ended by itself, or did not stop cleanly; a second signal; a check with problems; a breaking change; the standard output cannot be written |
//! | 2 | the command line is wrong, or a file cannot be read |
//! | 141 | nobody reads what is printed any more, as in `service topics \| head -n 1` |
//!
//! # Signals
//!
//! `run` stops gracefully at SIGINT, SIGTERM or SIGHUP: records in hand are finished, outputs acknowledged,
//! offsets committed, within the app's `shutdown_timeout`. A second signal ends the process at once
//! with code 1. SIGHUP is left alone where it is ignored, as under `nohup`, or handled by the program.

mod check;
#[cfg(feature = "docs")]
mod docs;
mod failed;
mod lag;
mod log;
mod output;
mod run;
mod table;
mod time;

use crate::app::App;
pub use check::Check;
use clap::{Parser, Subcommand};
#[cfg(feature = "docs")]
pub use docs::{CheckDocs, Diff, Docs, Generate, Serve};
use failed::Failed;
pub use lag::Lag;
pub use log::{LogArgs, LogFormat, log, log_as};
#[cfg(feature = "admin")]
pub use run::AdminArgs;
pub use run::Run;
use std::process::ExitCode;

/// The commands of a service.
#[derive(Clone, Debug, Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Run the service until SIGINT, SIGTERM or SIGHUP.
    Run(Run),
    /// Look for problems without a broker, and show what the service consumes and produces.
    Check(Check),
    /// List the topics the service reads and writes, with the clusters they are on.
    Topics,
    /// Show how far each group is behind, as the broker says: also of other processes.
    Lag(Lag),
    /// The service's contract, as AsyncAPI.
    #[cfg(feature = "docs")]
    #[command(subcommand)]
    Docs(Docs),
}

#[derive(Parser)]
#[command(version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The `main` of a service: reads the command line, does what it says.
pub fn main(app: impl FnOnce() -> App) -> ExitCode {
    match Cli::try_parse() {
        Ok(cli) => cli.command.execute(app),
        Err(usage) => show(&usage),
    }
}

/// Help and version on the standard output, mistakes on the standard error.
fn show(usage: &clap::Error) -> ExitCode {
    match usage.print() {
        Err(error) if !usage.use_stderr() => Failed::unprinted(&error).exit(),
        _ => ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2)),
    }
}

impl Command {
    /// Does what the command says; for programs with commands of their own.
    pub fn execute(self, app: impl FnOnce() -> App) -> ExitCode {
        match &self {
            Self::Run(run) => log_as(&run.log),
            _ => log(),
        }
        let app = app();
        let done = match self {
            Self::Run(run) => run::run(&app, &run),
            Self::Check(options) => check::check(&app, &options),
            #[cfg(feature = "docs")]
            Self::Docs(command) => docs::docs(&app, &command),
            Self::Topics => check::topics(&app),
            Self::Lag(options) => lag::lag(&app, &options),
        };
        done.map_or_else(Failed::exit, |()| ExitCode::SUCCESS)
    }
}
