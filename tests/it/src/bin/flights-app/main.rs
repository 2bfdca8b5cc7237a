//! The flights example, as a binary of this package: cargo builds it before the tests.
//!
//! With `HERE` and `ELSEWHERE` in the environment it is the same on two clusters. A test that wants a witness
//! names a file in `WITNESS`: twice a second the health of the app goes there, a line of JSON with the time of day.

mod apart;

use fastkafka::App;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PERIOD: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    fastkafka::cli::main(|| {
        let app = match std::env::var_os("HERE") {
            Some(_) => apart::app(),
            None => flights::app(),
        };
        if let Some(path) = std::env::var_os("WITNESS") {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let (file, app) = (file.expect("the test has made a directory"), app.clone());
            std::thread::spawn(move || witness(&app, file));
        }
        app
    })
}

/// On a thread of its own: what holds up the app must not hold up who watches it.
fn witness(app: &App, mut file: File) {
    loop {
        let health =
            serde_json::to_string(&app.health()).expect("health has no other keys than names");
        let at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("it is later than 1970");
        // In one call: whoever kills the process leaves whole lines.
        let line = format!("{{\"at\":{},\"health\":{health}}}\n", at.as_millis());
        file.write_all(line.as_bytes()).expect("the disk has room");
        std::thread::sleep(PERIOD);
    }
}
