//! An app whose records say what is to become of them, in one setting after another.
//!
//! `orders-app SETTING run ..`: each setting has topics and a group of its own name, so that tests share
//! a broker and nothing else. A test steers the process by lines on its standard input.

mod clusters;
mod ending;
mod orders;
mod settings;
mod sources;
mod steer;
mod token;

use clap::Parser;
use fastkafka::App;
use std::process::ExitCode;

#[derive(Parser)]
struct Args {
    setting: String,
    #[command(subcommand)]
    command: fastkafka::cli::Command,
}

/// The settings by name.
macro_rules! choose {
    ($args:expr, $($name:ident),*) => {
        match $args.setting.as_str() {
            "apart" => clusters::app,
            "ending" => return $args.command.execute(ending::app),
            "beside" => return ending::beside(false),
            "beside-listening" => return ending::beside(true),
            "listed" => sources::listed::app,
            "vanishing" => sources::vanishing::app,
            "matching" => sources::matching::app,
            "matching_848" => sources::matching_848::app,
            "awaited" => sources::awaited::app,
            "alone" => sources::alone::app,
            $(stringify!($name) => settings::$name::app,)*
            other => {
                eprintln!("error: no setting `{other}`");
                return ExitCode::from(2);
            }
        }
    };
}

fn main() -> ExitCode {
    let args = Args::parse();
    let app: fn() -> App = choose!(
        args,
        join,
        session,
        range,
        slow,
        kip848,
        named,
        named_848,
        twenty,
        latest,
        together,
        grown,
        growing,
        killed,
        retention,
        beyond,
        cut,
        shortened,
        anew,
        anew_reset,
        anew_sought,
        anew_stopped,
        damaged,
        shared_run,
        bursts,
        idle,
        stuck,
        term,
        blocked,
        twice,
        bad,
        large,
        batch,
        stopping,
        gone,
        quorum,
        away,
        absent,
        created,
        seek_sticky,
        seek_range,
        seek_848,
        pause_sticky,
        pause_range,
        pause_848,
        from_sticky,
        from_range,
        from_848,
        refused,
        rests,
        transacted,
        resumed,
        resumed_key,
        seek_key,
        keys,
        aged,
        watched,
        secure,
        locked_out,
        oauth
    );
    args.command.execute(|| {
        let app = app();
        steer::heed(&app);
        app
    })
}
