//! The number of partitions that a topic had when a group began with it.

const PREFIX: &str = "partitions=";

/// The number of partitions that a topic had when its starts were first worked out. Every commit carries
/// it as metadata. `None`: the group's commits are older than this client.
#[derive(Clone, Copy, Debug, Default, Hash, PartialEq, Eq)]
pub(crate) struct PartitionCount(pub(crate) Option<i32>);

impl PartitionCount {
    pub(crate) fn new(partitions: i32) -> Self {
        Self(Some(partitions))
    }

    /// The number in the metadata of a commit, which may be another client's.
    pub(crate) fn parse(metadata: &str) -> Self {
        let number = metadata.strip_prefix(PREFIX);
        Self(number.and_then(|n| n.parse().ok()))
    }

    /// The metadata to commit.
    pub(crate) fn metadata(self) -> Option<String> {
        self.0.map(|n| format!("{PREFIX}{n}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_was_written_and_other_metadata_has_none() {
        let four = PartitionCount::new(4);
        assert_eq!(four.metadata().as_deref(), Some("partitions=4"));
        assert_eq!(PartitionCount::parse("partitions=4"), four);
        for foreign in ["", "of another client", "partitions=", "partitions=many"] {
            assert_eq!(PartitionCount::parse(foreign), PartitionCount::default());
        }
    }
}
