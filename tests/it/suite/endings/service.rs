//! A process that says on its standard output what it has come to. Its log may go anywhere.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a test waits for what has to happen anyway.
const PATIENCE: Duration = Duration::from_secs(60);

/// Killed when it is dropped.
pub(super) struct Service {
    child: Child,
    said: Receiver<String>,
    /// Its log, where the test keeps it.
    log: Option<PathBuf>,
    _directory: tempfile::TempDir,
}

/// How a process is started.
pub(super) struct Settings {
    command: Command,
    output: Stdio,
    log: Option<Stdio>,
}

/// The app on a broker in its process. It stands where `stand` says.
pub(super) fn standing(stand: &str) -> Settings {
    Settings::new(&["ending", "run", "--kafka-broker", "embedded"]).variable("ENDING", stand)
}

impl Settings {
    pub(super) fn new(arguments: &[&str]) -> Self {
        // Whoever runs the tests may ignore signals, as `nohup` does, and a child inherits that.
        let plain: &[&str] = if cfg!(target_os = "linux") {
            &["env", "--default-signal"]
        } else {
            &[]
        };
        Self::by(plain, arguments)
    }

    /// Started by another program, such as `nohup`, which becomes the app.
    pub(super) fn by(other: &[&str], arguments: &[&str]) -> Self {
        let all = [other, &[env!("CARGO_BIN_EXE_orders-app")], arguments].concat();
        let mut command = Command::new(all[0]);
        command.args(&all[1..]).env("NO_COLOR", "1");
        Self {
            command,
            output: Stdio::piped(),
            log: None,
        }
    }

    pub(super) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Where its standard output goes, when the test does not read it.
    pub(super) fn output(mut self, output: impl Into<Stdio>) -> Self {
        self.output = output.into();
        self
    }

    /// Where its log goes, when the test does not keep it.
    pub(super) fn log(mut self, log: impl Into<Stdio>) -> Self {
        self.log = Some(log.into());
        self
    }

    pub(super) fn start(mut self) -> Service {
        let directory = tempfile::tempdir().unwrap();
        let mut log = None;
        let stderr = self.log.unwrap_or_else(|| {
            let path = directory.path().join("log");
            let file = File::create(&path).unwrap();
            log = Some(path);
            file.into()
        });
        let command = self.command.stdin(Stdio::piped()).stdout(self.output);
        let mut child = command.stderr(stderr).spawn().unwrap();
        let (sender, said) = channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        Service {
            child,
            said,
            log,
            _directory: directory,
        }
    }
}

impl Service {
    /// Waits for a line of its standard output.
    pub(super) fn says(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.said.recv_timeout(left) {
                Ok(line) if line == what => return,
                Ok(_) => {}
                Err(_) => panic!("it never said `{what}`; its log:\n{}", self.log()),
            }
        }
    }

    /// Its log so far.
    pub(super) fn log(&self) -> String {
        let log = self.log.as_ref();
        log.map_or_else(String::new, |log| fs::read_to_string(log).unwrap())
    }

    /// Waits for a line of its log that holds `what`, and returns it.
    pub(super) fn logs(&self, what: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            // It may be about to write the rest of the last line.
            let whole = log.split_inclusive('\n');
            let mut whole = whole.filter_map(|line| line.strip_suffix('\n'));
            if let Some(line) = whole.find(|line| line.contains(what)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no line with `{what}`:\n{log}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub(super) fn write_line(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(super) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// The status it ends with, within `patience`.
    pub(super) fn exits_within(&mut self, patience: Duration) -> Option<i32> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            let late = Instant::now() >= deadline;
            assert!(
                !late,
                "it runs after {patience:?}; its log:\n{}",
                self.log()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// As [`exits_within`](Self::exits_within), for what is to end as soon as it can.
    pub(super) fn exits(&mut self) -> Option<i32> {
        self.exits_within(PATIENCE)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
