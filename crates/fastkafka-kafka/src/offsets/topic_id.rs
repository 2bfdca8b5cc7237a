//! The id of a topic, which a topic that is deleted and made anew does not keep.

use std::fmt;

/// The digits of base64 for URLs: the way in which Kafka's tools write an id.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// So many digits of six bits hold 128 bits, and four more that are zero.
const LEN: usize = 22;

/// The id of a topic (KIP-516): one name may belong to several, one after the other.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) struct TopicId(u128);

impl TopicId {
    /// `None` for zero: the broker knows no ids.
    pub(crate) fn new(id: u128) -> Option<Self> {
        (id != 0).then_some(Self(id))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (last, digits) = text.as_bytes().split_last()?;
        if text.len() != LEN {
            return None;
        }
        let value = |digit: &u8| DIGITS.iter().position(|d| d == digit);
        let mut id = 0_u128;
        for digit in digits {
            id = id << 6 | value(digit)? as u128;
        }
        let last = value(last)?;
        if last % 16 != 0 {
            return None;
        }
        Self::new(id << 2 | last as u128 >> 4)
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for at in (0..LEN).rev() {
            // The last digit has the last two bits, ahead of four zeros.
            let bits = match at {
                0 => self.0 << 4,
                at => self.0 >> (6 * at - 4),
            };
            let digit = DIGITS[(bits % 64) as usize];
            write!(f, "{}", char::from(digit))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_kafka_writes_it_and_read_again() {
        // Of Kafka's own documentation and of its extremes.
        let cases = [
            (1, "AAAAAAAAAAAAAAAAAAAAAQ"),
            (u128::MAX, "_____________________w"),
            (
                0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f,
                "AAECAwQFBgcICQoLDA0ODw",
            ),
        ];
        for (id, text) in cases {
            let id = TopicId::new(id).unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(TopicId::parse(text), Some(id));
        }
    }

    #[test]
    fn what_is_no_id_is_not_read() {
        for text in [
            "",
            "AAAAAAAAAAAAAAAAAAAAAA",
            "AAECAwQFBgcICQoLDA0OD",
            "AAECAwQFBgcICQoLDA0OD!",
            "AAECAwQFBgcICQoLDA0ODx",
        ] {
            assert_eq!(TopicId::parse(text), None, "{text}");
        }
    }
}
