use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why the lab could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// A program that the lab needs is not installed.
    #[error("`{program}` can not be run: {source}; install {package} and put it on the PATH")]
    Missing {
        /// The command that was tried.
        program: &'static str,
        /// What brings it.
        package: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// Fetching Kafka or compiling the helper failed.
    #[error("`{program}` failed with {status}:\n{output}")]
    Install {
        /// The command that ran.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What it printed.
        output: String,
    },
    /// The broker process ended, or did not answer in time.
    #[error("the broker did not start: {reason}; the end of {}:\n{tail}", log.display())]
    NotStarted {
        /// What the helper saw.
        reason: String,
        /// The broker's log, which is kept.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// Kafka, or its Java client, refused a request.
    #[error("{request} failed: {message}")]
    Refused {
        /// The request and what it was about.
        request: String,
        /// The Java client's exception.
        message: String,
    },
    /// The Java helper ended on its own.
    #[error("the lab's Java helper is gone; {} may say why", log.display())]
    HelperGone {
        /// Its stderr.
        log: PathBuf,
    },
    /// The operating system refused something.
    #[error("can not {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
}

impl LabError {
    /// For `map_err`: names what was tried.
    pub(crate) fn io<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::Io {
            what,
            source: source.into(),
        }
    }
}
