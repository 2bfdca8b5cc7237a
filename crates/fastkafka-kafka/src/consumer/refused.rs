//! The offsets of a batch that the client did not take.

use super::raw::Stored;
use fastkafka_runtime::platform::PartitionRef;

/// The partitions whose offsets are not stored, and why. With a single success the call succeeds: so the
/// error of each offset counts, and the one of the call where there is no other.
pub(crate) fn refused(
    offsets: &[(PartitionRef, i64)],
    stored: Stored,
) -> Vec<(PartitionRef, String)> {
    let mut refused: Vec<_> = offsets
        .iter()
        .zip(stored.refused)
        .filter_map(|((place, _), why)| Some((*place, why?)))
        .collect();
    if let (Some(why), true) = (stored.failure, refused.is_empty()) {
        refused.extend(offsets.iter().map(|(place, _)| (*place, why.clone())));
    }
    refused
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_core::TopicPartition;

    #[test]
    fn each_offset_has_its_own_error_and_that_of_the_call_only_without_one() {
        let place = |partition| TopicPartition::intern("orders", partition);
        let offsets = [(place(0), 7), (place(1), 8)];
        let error = |why: &str| Some(why.to_owned());
        type Case<'a> = (
            &'a str,
            Option<String>,
            [Option<String>; 2],
            &'a [(i32, &'a str)],
        );
        let cases: [Case<'_>; 4] = [
            ("all taken", None, [None, None], &[]),
            (
                "one refused",
                None,
                [None, error("unknown")],
                &[(1, "unknown")],
            ),
            (
                "all refused, each for its own reason",
                error("no offset is stored"),
                [error("lost"), error("unknown")],
                &[(0, "lost"), (1, "unknown")],
            ),
            (
                "the call fails as a whole",
                error("fatal"),
                [None, None],
                &[(0, "fatal"), (1, "fatal")],
            ),
        ];
        for (what, failure, each, expected) in cases {
            let stored = Stored {
                failure,
                refused: each.to_vec(),
            };
            let expected = expected.iter();
            let expected: Vec<_> = expected
                .map(|(partition, why)| (place(*partition), (*why).to_owned()))
                .collect();
            assert_eq!(refused(&offsets, stored), expected, "{what}");
        }
    }
}
