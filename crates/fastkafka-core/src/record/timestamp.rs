//! A record's time.

/// The side that set a record's timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The record has none.
    NotAvailable,
    /// The producer, when it made the record.
    CreateTime,
    /// The broker, when it appended the record (topic setting `message.timestamp.type`).
    LogAppendTime,
}

/// A record's time in milliseconds since 1970 and the side that set it, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// No time is known.
    pub const NONE: Self = Self(0);

    /// A time and the side that set it. Two bits hold the type, the rest some 70 million years.
    pub fn new(millis: i64, kind: TimestampType) -> Self {
        let bits = match kind {
            TimestampType::NotAvailable => return Self::NONE,
            TimestampType::CreateTime => 1,
            TimestampType::LogAppendTime => 2,
        };
        Self((millis << 2) | bits)
    }

    /// Milliseconds since 1970, or `None` when the record has no time.
    pub fn millis(self) -> Option<i64> {
        (self.0 & 3 != 0).then_some(self.0 >> 2)
    }

    /// The side that set it.
    pub fn kind(self) -> TimestampType {
        match self.0 & 3 {
            1 => TimestampType::CreateTime,
            2 => TimestampType::LogAppendTime,
            _ => TimestampType::NotAvailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_keeps_its_type_and_times_before_1970() {
        for kind in [TimestampType::CreateTime, TimestampType::LogAppendTime] {
            let t = Timestamp::new(-5, kind);
            assert_eq!((t.millis(), t.kind()), (Some(-5), kind));
        }
        assert_eq!(
            Timestamp::new(7, TimestampType::NotAvailable).millis(),
            None
        );
    }
}
