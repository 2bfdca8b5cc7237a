//! The faults of a chaos.

use std::fmt;

/// One step of a chaos.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    Nothing,
    Rebalance,
    MemberJoins,
    MemberLeaves,
    Crash,
    OutputLost,
    OutputUnacknowledged,
    CommitsLost,
    CommitsBack,
    BrokerDown,
}

impl Fault {
    /// It meets one cluster. The others meet all clusters, or processes.
    pub(super) fn is_of_a_cluster(self) -> bool {
        match self {
            Self::Nothing
            | Self::MemberJoins
            | Self::MemberLeaves
            | Self::Crash
            | Self::CommitsBack => false,
            Self::Rebalance
            | Self::OutputLost
            | Self::OutputUnacknowledged
            | Self::CommitsLost
            | Self::BrokerDown => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Rebalance => "rebalance",
            Self::MemberJoins => "a member joins",
            Self::MemberLeaves => "a member leaves",
            Self::Crash => "a process crashes and is started again",
            Self::OutputLost => "the next output is lost",
            Self::OutputUnacknowledged => "the next output is written and not acknowledged",
            Self::CommitsLost => "commits are lost from here on",
            Self::CommitsBack => "commits arrive again",
            Self::BrokerDown => "the broker is away for a while",
        })
    }
}
