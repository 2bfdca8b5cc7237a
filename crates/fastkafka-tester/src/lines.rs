//! Records in one line, for reports.

use crate::record::TopicRecord;

/// The longest part of a payload that a line shows, in characters.
const PAYLOAD: usize = 200;

/// The cluster as it follows a partition; empty for the app's own cluster.
pub(crate) fn on(cluster: &str) -> String {
    match cluster {
        "" => String::new(),
        cluster => format!(" on `{cluster}`"),
    }
}

/// A record of a topic in one line.
pub(crate) fn record_line(record: &TopicRecord) -> String {
    let on = on(record.cluster);
    let position = format!(
        "{}[{}]{on} offset {}",
        record.topic, record.partition, record.offset
    );
    content_line(&position, record.key.as_deref(), record.payload.as_deref())
}

/// Key and payload in one line, after the position of the record.
pub(crate) fn content_line(position: &str, key: Option<&[u8]>, payload: Option<&[u8]>) -> String {
    let key = key.map_or_else(String::new, |key| format!(", key {:?}", shown(key)));
    let payload = payload.map_or_else(|| "tombstone".to_owned(), shown);
    format!("{position}{key}: {payload}")
}

/// Text as it is, other bytes escaped; the beginning of a long payload.
fn shown(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.escape_debug().to_string().replace("\\\"", "\""),
        Err(_) => bytes.escape_ascii().to_string(),
    };
    match text.char_indices().nth(PAYLOAD) {
        Some((end, _)) => format!("{}.. ({} bytes)", &text[..end], bytes.len()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_shown_as_text_and_not_at_length() {
        assert_eq!(shown(br#"{"a":1}"#), r#"{"a":1}"#);
        assert_eq!(shown(b"a\nb"), "a\\nb");
        assert_eq!(shown(b"\xff\x01"), "\\xff\\x01");
        assert!(shown(&[b'a'; 1000]).ends_with("a.. (1000 bytes)"));
    }
}
