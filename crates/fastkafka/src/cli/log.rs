//! The log of a service: its format, and its filter, which a file can change while it runs.

use clap::{Args, ValueEnum};
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Between two looks at the file of a filter.
const LOOK: Duration = Duration::from_secs(2);
/// Without a word from outside.
const DEFAULT: &str = "info";

/// Options of the log.
#[derive(Args, Clone, Debug, Default)]
#[non_exhaustive]
pub struct LogArgs {
    /// How lines are written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// A file whose text is the filter, such as `info` or `info,librdkafka=debug`. It is read again when it changes;
    /// while there is none, `RUST_LOG` counts.
    #[arg(long, value_name = "FILE")]
    pub log_filter_file: Option<PathBuf>,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, text, fields.
    #[default]
    Text,
    /// A JSON object in each line, with the fields by name.
    Json,
}

/// Logs to standard error, at level `info` unless `RUST_LOG` says something else. A program that has
/// set up its own logging keeps it.
///
/// Lines that cannot be written are lost, and nothing else: the service goes on, and stops when it is told to.
pub fn log() {
    log_as(&LogArgs::default());
}

/// The same in another format, or with a filter that a file changes.
pub fn log_as(options: &LogArgs) {
    let mut file = options.log_filter_file.clone().map(FilterFile::new);
    let (filter, wrong) = match file.as_mut().and_then(FilterFile::news) {
        Some(Ok(filter)) => (filter, None),
        Some(Err(why)) => (from_environment(), Some(why)),
        None => (from_environment(), None),
    };
    let log = fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        // It would be told to the standard error, which is what cannot be written, by a panic.
        .log_internal_errors(false);
    // A subscriber that is there already stays.
    match (options.log_format, file) {
        (LogFormat::Text, None) => drop(log.try_init()),
        (LogFormat::Json, None) => drop(log.json().flatten_event(true).try_init()),
        (LogFormat::Text, Some(file)) => {
            let log = log.with_filter_reloading();
            let handle = log.reload_handle();
            if log.try_init().is_ok() {
                follow(file, move |filter| handle.reload(filter).is_ok());
            }
        }
        (LogFormat::Json, Some(file)) => {
            let log = log.json().flatten_event(true).with_filter_reloading();
            let handle = log.reload_handle();
            if log.try_init().is_ok() {
                follow(file, move |filter| handle.reload(filter).is_ok());
            }
        }
    }
    // Nobody has heard of it before.
    if let Some(why) = wrong {
        tracing::warn!("{why}; `RUST_LOG` counts");
    }
}

fn from_environment() -> EnvFilter {
    let filter = EnvFilter::try_from_default_env();
    without_noise(filter.unwrap_or_else(|_| EnvFilter::new(DEFAULT)))
}

fn without_noise(filter: EnvFilter) -> EnvFilter {
    // rdkafka reports each consumer that was closed before it is dropped as one that cannot be closed.
    let noise = "rdkafka::consumer::base_consumer=off";
    filter.add_directive(noise.parse().expect("a directive"))
}

/// Reads the file again and again, as long as there is a subscriber. A file needs no signal and no port, and what it
/// says is still there after a restart.
fn follow(mut file: FilterFile, apply: impl Fn(EnvFilter) -> bool + Send + 'static) {
    let look = move || {
        loop {
            match file.news() {
                Some(Ok(filter)) => {
                    let said = filter.to_string();
                    if !apply(filter) {
                        return;
                    }
                    tracing::info!("the log is filtered by `{said}` now");
                }
                Some(Err(why)) => tracing::warn!("{why}; the filter of the log stays as it is"),
                None => {}
            }
            thread::sleep(LOOK);
        }
    };
    let thread = thread::Builder::new().name("fk-log".to_owned());
    if let Err(error) = thread.spawn(look) {
        tracing::warn!("the filter of the log cannot change, for there is no thread: {error}");
    }
}

/// A file whose text is a filter.
#[derive(Debug)]
struct FilterFile {
    path: PathBuf,
    /// What it said last; nothing while it is not there.
    text: Option<String>,
    looked: bool,
}

impl FilterFile {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            text: None,
            looked: false,
        }
    }

    /// The filter, if it is another one than at the last look, or what is wrong with it.
    fn news(&mut self) -> Option<Result<EnvFilter, String>> {
        let shown = self.path.display();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let first = !std::mem::replace(&mut self.looked, true);
                return first.then(|| Err(format!("`{shown}` cannot be read: {error}")));
            }
        };
        let first = !std::mem::replace(&mut self.looked, true);
        if !first && text == self.text {
            return None;
        }
        self.text.clone_from(&text);
        Some(match text {
            None => Ok(from_environment()),
            Some(text) => EnvFilter::builder()
                .parse(&text)
                .map(without_noise)
                .map_err(|error| format!("`{shown}` has no filter: {error}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_the_filter_when_its_text_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filter");
        let mut file = FilterFile::new(path.clone());
        let mut said = || {
            file.news()
                .map(|news| news.map(|filter| filter.to_string()))
        };
        let of_environment = from_environment().to_string();
        assert_eq!(said(), Some(Ok(of_environment.clone())), "there is none");
        assert_eq!(said(), None);
        fs::write(&path, "info,librdkafka=debug\n").unwrap();
        let filter = said().unwrap().unwrap();
        assert!(filter.contains("librdkafka=debug"), "{filter}");
        assert!(filter.contains("base_consumer=off"), "{filter}");
        assert_eq!(said(), None, "it says the same");
        fs::write(&path, "info,=nonsense=").unwrap();
        let why = said().unwrap().unwrap_err();
        assert!(why.contains("has no filter"), "{why}");
        assert_eq!(said(), None, "that is said once");
        fs::write(&path, "warn").unwrap();
        assert!(said().unwrap().unwrap().contains("warn"));
        fs::remove_file(&path).unwrap();
        assert_eq!(said(), Some(Ok(of_environment)), "it is gone");
    }
}
