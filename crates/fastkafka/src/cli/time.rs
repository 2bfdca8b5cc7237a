//! Times on the command line.

use jiff::{SpanRelativeTo, Timestamp};
use std::time::SystemTime;

/// RFC 3339, or a duration before now.
pub(super) fn parse(text: &str) -> Result<SystemTime, String> {
    parse_at(text, Timestamp::now())
}

fn parse_at(text: &str, now: Timestamp) -> Result<SystemTime, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.into());
    }
    let ago = text.parse::<jiff::Span>();
    let ago = ago.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let time = ago.and_then(|ago| now.checked_sub(ago.abs()));
    time.map(SystemTime::from)
        .map_err(|_| "write a time as `2026-01-31T08:00:00Z`, or so long ago as `2h`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rfc_3339_or_a_duration_ago() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        let time = |text: &str| {
            parse_at(text, now).map(|time| Timestamp::try_from(time).unwrap().to_string())
        };
        for (text, expected) in [
            ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z"),
            ("2026-01-31T08:00:00+02:00", "2026-01-31T06:00:00Z"),
            ("2h", "2026-01-31T10:00:00Z"),
            ("1h 30m", "2026-01-31T10:30:00Z"),
            ("7d", "2026-01-24T12:00:00Z"),
        ] {
            assert_eq!(time(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", "yesterday", "2026-01-31T08:00:00", "1 month"] {
            assert!(time(text).unwrap_err().contains("`2h`"), "{text}");
        }
    }
}
