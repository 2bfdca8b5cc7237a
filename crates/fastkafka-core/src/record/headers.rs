//! The headers of a record.

use super::Header;

/// The headers of a record, in their order. A parameter of handlers.
///
/// ```
/// # use fastkafka_core::Headers;
/// let headers = Headers::from(vec![("trace", Some(&b"7"[..])), ("trace", None)]);
/// assert_eq!(headers.get("trace"), None); // the last one counts, as in Kafka's own clients
/// assert_eq!(headers.iter().count(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers<'r>(Vec<Header<'r>>);

impl<'r> Headers<'r> {
    /// The value of the last header of that name; `None` if there is none or its value is null.
    pub fn get(&self, name: &str) -> Option<&'r [u8]> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| *n == name)
            .and_then(|(_, value)| *value)
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Header<'r>> + '_ {
        self.0.iter().copied()
    }
}

impl<'r> From<Vec<Header<'r>>> for Headers<'r> {
    fn from(headers: Vec<Header<'r>>) -> Self {
        Self(headers)
    }
}
