//! What the search says to a simulated client, and what it hears.

use crate::consumer::simulated::late::Wrong;
use crate::error::{client_error, fatal};
use fastkafka_runtime::ControlError;
use fastkafka_runtime::platform::{ClientError, StartError};
use rdkafka::types::RDKafkaErrorCode as Code;

/// When an event of the client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum When {
    /// The next poll serves it.
    Now,
    /// Behind the next poll, before whatever the driver does in that turn.
    AfterPoll,
    /// Inside the next call that gives up or takes partitions.
    InCall,
}

/// A call of the client that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// That takes partitions.
    Assign,
    /// That gives up partitions.
    Unassign,
    /// That pauses one.
    Pause,
    /// That resumes one.
    Resume,
}

/// What the client is asked, first of all that it was asked and that is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Where these start.
    Starts(Vec<i32>),
    /// Where the user's seek leads.
    Found(i32, i64),
    /// A commit of its own: of a seek.
    Commit(i32, i64),
    /// What the log still has.
    Range(i32),
    /// The ends of the logs of partitions that stand, by their leaders.
    Leaders(Vec<i32>),
    /// Whether a broker answers.
    Reached,
    /// The partitions of its topics.
    Listed,
    /// Whether anything is refused.
    Checked,
    /// Whether these can be read.
    Ends(Vec<i32>),
    /// Something about a partition that was given away since: the client answers by itself.
    GivenAway,
}

/// An error of a position that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    /// It was not in the log.
    OutOfRange {
        /// It stops reading at the position where the partition is now.
        stops: bool,
    },
    /// The log was cut at its beginning, and has grown again. Reading stops.
    Truncated,
}

impl Late {
    pub(super) fn wrong(self) -> (Wrong, bool) {
        match self {
            Self::OutOfRange { stops } => (Wrong::OutOfRange, stops),
            Self::Truncated => (Wrong::Truncated(0), true),
        }
    }
}

/// An error of broker or client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// No broker is reached.
    Away,
    /// Another client has the name of this one.
    Fenced,
    /// The group may not be used.
    GroupRefused,
    /// The topic may not be read.
    TopicRefused,
    /// The group does not know the member.
    Unknown,
}

impl Trouble {
    pub(super) fn error(self) -> ClientError {
        match self {
            Self::Away => client_error(Code::AllBrokersDown, "all brokers are down"),
            Self::Fenced => fatal("fenced: another client has its name"),
            Self::GroupRefused => client_error(Code::GroupAuthorizationFailed, "no right"),
            Self::TopicRefused => client_error(Code::TopicAuthorizationFailed, "no right"),
            Self::Unknown => client_error(Code::UnknownMemberId, "unknown member"),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub enum Given {
    /// The starts of the partitions.
    Starts {
        /// These are committed.
        known: Vec<(i32, i64)>,
        /// These are not known, and why.
        unknown: Vec<(i32, StartError)>,
    },
    /// The offset of the seek.
    Found(Result<i64, ControlError>),
    /// The commit is done, or was refused.
    Moved(Result<(), Trouble>),
    /// Whether topic and group are refused.
    Checked(Result<(), Trouble>, Result<(), Trouble>),
    /// The first offset of the log and its end.
    Range(i64, i64),
    /// The ends of logs, each if its leader answers.
    Leaders(Vec<Result<i64, StartError>>),
    /// A broker answers.
    Connected,
    /// These can be read.
    Reads(Vec<i32>),
    /// There will be no answer, or none of the broker.
    Nothing,
}
