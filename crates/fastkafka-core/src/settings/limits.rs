//! What a value must be, wherever it comes from: attribute, builder, file, environment. Each function says
//! what is wrong in words that follow the place: "has `linger_ms = 9999999999`, ..".

use super::address;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// librdkafka keeps numbers in an `int`, and cuts a larger one off without a word.
const MOST: u64 = i32::MAX as u64;
/// Numbers that it is not given.
const OURS: [&str; 3] = ["concurrency", "max_poll_records", "max_uncommitted"];
/// Times are added to the present, and must not overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// The length of text in requests to a broker is 16 bits.
pub(crate) const LONGEST_TEXT: usize = i16::MAX as usize;
/// The most of a value that a message repeats.
const SHOWN: usize = 100;

/// Keys that mean something else at 0 than what is asked for: nothing is ever committed, looked for, read
/// or given up.
const NOT_ZERO: [&str; 5] = [
    "auto_commit_interval_ms",
    "delivery_timeout_ms",
    "max_poll_interval_ms",
    "max_uncommitted",
    "metadata_max_age_ms",
];

pub(super) fn number(key: &str, value: u64) -> Option<String> {
    if value == 0 && NOT_ZERO.contains(&key) {
        return Some(format!("has `{key} = 0`; it must be at least 1"));
    }
    (value > MOST && !OURS.contains(&key))
        .then(|| format!("has `{key} = {value}`; it must be at most {MOST}"))
}

pub(super) fn time(key: &str, value: Duration) -> Option<String> {
    let must_pass = matches!(key, "handler_timeout" | "stall_after");
    if value.is_zero() && must_pass {
        return Some(format!("has `{key} = 0s`; it must be longer than nothing"));
    }
    (value > LONGEST).then(|| format!("has a `{key}` of more than a year; make it shorter"))
}

pub(super) fn moment(key: &str, value: SystemTime) -> Option<String> {
    let since = value.duration_since(SystemTime::UNIX_EPOCH);
    let millis = since.ok().map(|since| i64::try_from(since.as_millis()));
    match millis {
        Some(Ok(_)) => None,
        _ => Some(format!(
            "has a time in `{key}` that Kafka cannot write; it counts milliseconds since 1970"
        )),
    }
}

/// Text that is not a secret.
pub fn text(key: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(empty(key));
    }
    if let Some(c) = value.chars().find(|c| c.is_control()) {
        return Some(format!(
            "has `{key}` with the character {c:?} in it; remove that"
        ));
    }
    // Addresses are trimmed one by one.
    if key != "bootstrap_servers"
        && let Some(why) = cut(key, value)
    {
        return Some(why);
    }
    if value.len() > LONGEST_TEXT {
        return Some(format!(
            "has a `{key}` of {} bytes; it must be at most {LONGEST_TEXT}",
            value.len()
        ));
    }
    match key {
        "bootstrap_servers" => address::wrong(value),
        "dead_letter" => {
            let why = topic_name(value)?;
            Some(format!("has `{key} = {}`: {why}", quoted(value)))
        }
        _ => None,
    }
}

/// What is wrong with a secret does not tell the secret.
pub(super) fn secret(key: &str, value: &str) -> Option<String> {
    if value.is_empty() {
        return Some(empty(key));
    }
    cut(key, value)
}

/// What librdkafka is given begins behind the first spaces, and ends at the first NUL.
pub(super) fn cut(key: &str, value: &str) -> Option<String> {
    if value.starts_with(char::is_whitespace) {
        return Some(format!(
            "has a `{key}` that begins with a space, which librdkafka cuts off"
        ));
    }
    nul(key, value)
}

pub(super) fn nul(key: &str, value: &str) -> Option<String> {
    let has_nul = value.contains('\0');
    has_nul.then(|| format!("has `{key}` with the character '\\0' in it; remove that"))
}

/// As a variable that is set to nothing: it is rarely meant.
fn empty(key: &str) -> String {
    format!("has an empty `{key}`; give it a value or leave it out")
}

/// Kafka's rule for names of topics.
pub fn topic_name(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        return Some("a topic's name must not be empty".to_owned());
    }
    if name.len() > 249 {
        return Some("a topic's name has at most 249 characters".to_owned());
    }
    let is_one = !matches!(name, "." | "..") && name.chars().all(allowed);
    (!is_one).then(|| {
        "it is no topic's name, which takes ASCII letters, digits, `.`, `_` and `-`".to_owned()
    })
}

/// Text from outside as a message repeats it: on one line, and not for pages.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("`");
    for (i, c) in text.chars().enumerate() {
        if i == SHOWN {
            quoted.push_str("..");
            break;
        }
        if c.is_control() {
            let _ = write!(quoted, "{}", c.escape_default());
        } else {
            quoted.push(c);
        }
    }
    quoted.push('`');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_librdkafka_would_cut_off_is_refused() {
        // 2^32 + 5 would arrive as 5.
        assert_eq!(
            number("linger_ms", 4_294_967_301).unwrap(),
            "has `linger_ms = 4294967301`; it must be at most 2147483647"
        );
        assert_eq!(number("linger_ms", MOST), None);
        assert_eq!(number("linger_ms", 0), None);
        assert_eq!(number("max_uncommitted", u64::from(u32::MAX)), None);
    }

    #[test]
    fn nothing_is_a_value_only_where_it_means_nothing() {
        for key in NOT_ZERO {
            assert_eq!(
                number(key, 0),
                Some(format!("has `{key} = 0`; it must be at least 1"))
            );
        }
        assert!(time("handler_timeout", Duration::ZERO).is_some());
        assert_eq!(time("backoff", Duration::ZERO), None);
        assert!(time("backoff", Duration::MAX).is_some());
    }

    #[test]
    fn a_time_is_one_that_kafka_can_write() {
        let at = |millis| {
            moment(
                "auto_offset_reset",
                SystemTime::UNIX_EPOCH + Duration::from_millis(millis),
            )
        };
        assert_eq!(at(1_700_000_000_000), None);
        assert!(at(u64::MAX).is_some());
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert!(moment("auto_offset_reset", before).is_some());
    }

    #[test]
    fn text_is_not_empty_and_has_no_control_characters() {
        assert_eq!(
            text("group_id", "").unwrap(),
            "has an empty `group_id`; give it a value or leave it out"
        );
        assert!(text("group_id", "a\nb").unwrap().contains("'\\n'"));
        assert!(text("client_id", "a\0b").unwrap().contains("'\\0'"));
        assert!(text("client_id", &"x".repeat(40_000)).is_some());
        assert_eq!(text("group_id", "Größe 1"), None);
        for password in ["hush\0hush", " hush"] {
            let told = secret("sasl_plain_password", password).unwrap();
            assert!(!told.contains("hush"), "{told}");
        }
        assert_eq!(
            text("client_id", " a").unwrap(),
            "has a `client_id` that begins with a space, which librdkafka cuts off"
        );
        assert_eq!(text("client_id", "a "), None);
        assert_eq!(text("bootstrap_servers", " a:1, b:1"), None);
    }

    #[test]
    fn a_dead_letter_is_the_name_of_a_topic() {
        for wrong in ["a b", "ü", "..", "a/b", &"x".repeat(250)] {
            assert!(text("dead_letter", wrong).is_some(), "{wrong}");
        }
        assert_eq!(text("dead_letter", "orders.dead-1_x"), None);
    }

    #[test]
    fn text_from_outside_is_repeated_on_one_line_and_not_for_pages() {
        assert_eq!(quoted("a\nb"), "`a\\nb`");
        assert!(quoted(&"x".repeat(1_000_000)).len() < 110);
    }
}
