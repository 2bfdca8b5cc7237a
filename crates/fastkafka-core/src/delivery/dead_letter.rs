//! The headers of a dead letter: part of the contract of its topic.

/// All headers that are added to a dead letter begin with this.
pub const DEAD_LETTER_PREFIX: &str = "fastkafka-dead-letter-";

/// The added headers without the prefix, and what is in them. All are UTF-8 of at most 1,024 bytes.
pub const DEAD_LETTER_HEADERS: [(&str, &str); 8] = [
    ("topic", "The topic it was read from."),
    ("partition", "Its partition there, in decimal digits."),
    ("offset", "Its offset there, in decimal digits."),
    (
        "timestamp",
        "Its timestamp there, in milliseconds since 1970; empty when it had none.",
    ),
    ("group", "The consumer group that read it."),
    (
        "handler",
        "The function that could not handle it, with its module.",
    ),
    ("error", "Why the last attempt failed."),
    ("attempts", "How often it was tried, in decimal digits."),
];

/// Headers of a dead letter that the broker has found too large as it was, beside the others, and without the
/// prefix. What was left out lies where `topic`, `partition` and `offset` say.
pub const DEAD_LETTER_LEFT_OUT: [(&str, &str); 2] = [
    // `payload`, or `payload, key, headers`.
    (
        "left-out",
        "What was left out of a record that was too large.",
    ),
    (
        "size",
        "The bytes of payload, key and headers of the record, in decimal digits; only where something was left out.",
    ),
];
