//! Commands to a driver, and their answers.

use super::error::ControlError;
use super::target::Target;
use std::time::SystemTime;
use tokio::sync::mpsc::UnboundedSender;

/// The position where a partition goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// At this offset: that of the next record to handle.
    Offset(i64),
    /// At the first record the log still has.
    Beginning,
    /// Behind the last record that can be read now.
    End,
    /// At the first record that is not older than this; at the end if there is none.
    Timestamp(SystemTime),
}

/// The next offset to handle of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Position {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// A request to a driver.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Apply the pauses: they have changed.
    Pause,
    /// Apply the pauses, and try again what has stopped.
    Resume(Target),
    /// Answered by each partition of the target that is assigned.
    Seek(Target, Seek),
}

/// The sender of answers. The command is done when no sender is left.
pub(crate) type Reply = UnboundedSender<Result<Position, ControlError>>;
