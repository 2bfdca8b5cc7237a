//! The flights example, as a binary of this package: cargo builds it before the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    fastkafka::cli::main(flights::app)
}
