//! What may happen at a step, and schedules as they are written.

use std::fmt;
use std::str::FromStr;

/// What an exploration may do that does not happen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Deviation {
    /// A process crashes and is started again, as by [`Tester::crash_and_restart`](crate::Tester::crash_and_restart).
    Crash,
    /// Every partition is taken away and given back, as by [`Tester::rebalance`](crate::Tester::rebalance).
    Rebalance,
    /// A commit does not arrive.
    CommitLost,
    /// A record that an app sends does not arrive, or it does and the acknowledgement is lost.
    OutputLost,
    /// The brokers of a cluster are away for five seconds.
    Outage,
    /// A call of a handler with a `handler_timeout` does everything, and does not return in time.
    TimeOut,
    /// Of several tasks that could go on, another one does than that which was ready first.
    Order,
}

impl Deviation {
    pub(crate) const ALL: [Self; 7] = [
        Self::Crash,
        Self::Rebalance,
        Self::CommitLost,
        Self::OutputLost,
        Self::Outage,
        Self::TimeOut,
        Self::Order,
    ];
}

/// What happens at a step in the place of what would happen by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Choice {
    Crash,
    Rebalance,
    CommitLost,
    OutputLost,
    OutputUnacknowledged,
    /// Of the cluster with this number.
    Outage(usize),
    TimeOut,
    /// The task goes on that was ready as the one of this number, counted from 0.
    Task(usize),
}

impl Choice {
    pub(crate) fn deviation(self) -> Deviation {
        match self {
            Self::Crash => Deviation::Crash,
            Self::Rebalance => Deviation::Rebalance,
            Self::CommitLost => Deviation::CommitLost,
            Self::OutputLost | Self::OutputUnacknowledged => Deviation::OutputLost,
            Self::Outage(_) => Deviation::Outage,
            Self::TimeOut => Deviation::TimeOut,
            Self::Task(_) => Deviation::Order,
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash => f.write_str("crash"),
            Self::Rebalance => f.write_str("rebalance"),
            Self::CommitLost => f.write_str("commit-lost"),
            Self::OutputLost => f.write_str("output-lost"),
            Self::OutputUnacknowledged => f.write_str("output-unacknowledged"),
            Self::Outage(cluster) => write!(f, "outage{cluster}"),
            Self::TimeOut => f.write_str("time-out"),
            Self::Task(number) => write!(f, "task{number}"),
        }
    }
}

impl FromStr for Choice {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |rest: &str| {
            let number = rest.parse();
            number.map_err(|_| format!("`{text}` has no number"))
        };
        Ok(match text {
            "crash" => Self::Crash,
            "rebalance" => Self::Rebalance,
            "commit-lost" => Self::CommitLost,
            "output-lost" => Self::OutputLost,
            "output-unacknowledged" => Self::OutputUnacknowledged,
            "time-out" => Self::TimeOut,
            _ => {
                if let Some(rest) = text.strip_prefix("outage") {
                    Self::Outage(number(rest)?)
                } else if let Some(rest) = text.strip_prefix("task") {
                    Self::Task(number(rest)?)
                } else {
                    return Err(format!("`{text}` is nothing that may happen at a step"));
                }
            }
        })
    }
}

/// The deviations of a run, in order: at which step what. Written as `17:crash,42:rebalance`; without a
/// deviation as `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule(pub(crate) Vec<(usize, Choice)>);

impl Schedule {
    /// This one, and one deviation more.
    pub(crate) fn with(&self, step: usize, choice: Choice) -> Self {
        let mut all = self.0.clone();
        all.push((step, choice));
        Self(all)
    }
}

/// A schedule without deviations.
const NONE: &str = "none";

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(NONE);
        }
        for (at, (step, choice)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{step}:{choice}")?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == NONE {
            return Ok(Self::default());
        }
        let deviation = |part: &str| {
            let (step, choice) = part
                .split_once(':')
                .ok_or_else(|| format!("`{part}` is not of the form `17:crash`"))?;
            let step = step
                .parse()
                .map_err(|_| format!("`{step}` is no number of a step"))?;
            Ok((step, choice.parse()?))
        };
        let all: Result<Vec<_>, String> = text.split(',').map(deviation).collect();
        let all = all?;
        if !all.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("the steps are not in order".to_owned());
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_read_as_it_is_written() {
        let choices = [
            Choice::Crash,
            Choice::Rebalance,
            Choice::CommitLost,
            Choice::OutputLost,
            Choice::OutputUnacknowledged,
            Choice::Outage(1),
            Choice::TimeOut,
            Choice::Task(2),
        ];
        let mut schedule = Schedule::default();
        assert_eq!(
            schedule.to_string().parse::<Schedule>(),
            Ok(schedule.clone())
        );
        for (step, choice) in (3..).step_by(7).zip(choices) {
            schedule = schedule.with(step, choice);
            assert!(Deviation::ALL.contains(&choice.deviation()));
        }
        assert_eq!(
            schedule.to_string(),
            "3:crash,10:rebalance,17:commit-lost,24:output-lost,31:output-unacknowledged,38:outage1,45:time-out,52:task2"
        );
        assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule));
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let why = |text: &str| text.parse::<Schedule>().unwrap_err();
        assert_eq!(why("crash"), "`crash` is not of the form `17:crash`");
        assert_eq!(why("x:crash"), "`x` is no number of a step");
        assert_eq!(
            why("1:flood"),
            "`flood` is nothing that may happen at a step"
        );
        assert_eq!(why("1:task"), "`task` has no number");
        assert_eq!(why("2:crash,1:crash"), "the steps are not in order");
    }
}
