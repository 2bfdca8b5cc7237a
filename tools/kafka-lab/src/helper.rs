//! The Java process that owns the broker and speaks to it with Kafka's own clients.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::install::Install;
use crate::{LabError, Record};

/// What the helper must know when it starts.
pub(crate) struct Launch<'a> {
    pub(crate) install: &'a Install,
    pub(crate) bootstrap: &'a str,
    pub(crate) data: &'a Path,
    /// Its stderr.
    pub(crate) log: PathBuf,
}

pub(crate) struct Helper {
    child: Child,
    // `None` only once dropped: the end of stdin is the helper's order to clean up.
    pipes: Mutex<Option<Pipes>>,
    log: PathBuf,
}

struct Pipes {
    requests: BufWriter<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

/// One line of the helper's stdout.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reply {
    Record(Record),
    Ok(Value),
    Error(String),
}

impl Helper {
    pub(crate) fn spawn(launch: &Launch<'_>) -> Result<Self, LabError> {
        let stderr = File::create(&launch.log)
            .map_err(LabError::io(format!("create {}", launch.log.display())))?;
        let mut command = Command::new("java");
        command
            // It does little: quick to start counts more than quick in the long run.
            .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
            .args(java_options(launch.install))
            .arg("Helper")
            .arg(launch.bootstrap)
            .arg(launch.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr);
        // Ctrl-C is for the test: Java cleans up when the test is gone.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|source| LabError::Missing {
            program: "java",
            package: "a JDK, 17 or later (Debian: default-jdk-headless)",
            source,
        })?;
        let pipes = Pipes {
            requests: BufWriter::new(child.stdin.take().expect("is piped")),
            replies: BufReader::new(child.stdout.take().expect("is piped")),
        };
        Ok(Self {
            child,
            pipes: Mutex::new(Some(pipes)),
            log: launch.log.clone(),
        })
    }

    /// Sends `request`, an object whose `do` names it, and waits for the answer.
    pub(crate) fn request<T: DeserializeOwned>(&self, request: &Value) -> Result<T, LabError> {
        self.request_records(request).map(|(answer, _)| answer)
    }

    /// As [`Self::request`], with the records that came before the answer.
    pub(crate) fn request_records<T: DeserializeOwned>(
        &self,
        request: &Value,
    ) -> Result<(T, Vec<Record>), LabError> {
        let gone = || LabError::HelperGone {
            log: self.log.clone(),
        };
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let pipes = pipes.as_mut().ok_or_else(gone)?;
        writeln!(pipes.requests, "{request}")
            .and_then(|()| pipes.requests.flush())
            .map_err(|_| gone())?;

        let mut records = Vec::new();
        let mut line = String::new();
        loop {
            line.clear();
            if !matches!(pipes.replies.read_line(&mut line), Ok(1..)) {
                return Err(gone());
            }
            match serde_json::from_str(&line).map_err(LabError::io("read the helper's answer"))? {
                Reply::Record(record) => records.push(record),
                Reply::Ok(answer) => {
                    let answer = serde_json::from_value(answer)
                        .map_err(LabError::io("read the helper's answer"))?;
                    return Ok((answer, records));
                }
                Reply::Error(message) => {
                    return Err(LabError::Refused {
                        request: describe(request),
                        message,
                    });
                }
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        drop(
            self.pipes
                .get_mut()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // An error would say that it is gone already.
        let _ = self.child.wait();
    }
}

impl std::fmt::Debug for Helper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Helper({})", self.child.id())
    }
}

pub(crate) fn java_options(install: &Install) -> Vec<OsString> {
    let mut log4j = OsString::from("-Dlog4j2.configurationFile=");
    log4j.push(&install.log4j);
    vec![log4j, "-cp".into(), install.class_path.clone()]
}

/// `create_topic orders`: the request's name, and its topic or group.
fn describe(request: &Value) -> String {
    ["do", "topic", "group"]
        .iter()
        .filter_map(|field| request[field].as_str())
        .collect::<Vec<_>>()
        .join(" ")
}
