//! The partition that a producer chooses for a key: Kafka's murmur2.

/// The partition of a key among `partitions`, as the Java client chooses it, and librdkafka with
/// `partitioner = murmur2_random`. Records without a key go anywhere: that choice is the caller's.
///
/// # Panics
/// There are no partitions.
///
/// ```
/// assert_eq!(fastkafka_sim::partition_of(b"kafka", 6), 4);
/// ```
pub fn partition_of(key: &[u8], partitions: usize) -> usize {
    // Java's hash is signed; the client clears the sign.
    (murmur2(key) & 0x7fff_ffff) as usize % partitions
}

/// 32 bits of `MurmurHash2` with Kafka's seed, little-endian.
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    // Keys are shorter than 2^31 bytes: so is a record.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(M);
        word ^= word >> 24;
        hash = hash.wrapping_mul(M) ^ word.wrapping_mul(M);
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        hash = (hash ^ u32::from_le_bytes(last)).wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of Apache Kafka's `UtilsTest`, and two of librdkafka's.
    #[test]
    fn murmur2_is_that_of_the_java_client() {
        for (key, hash) in [
            (&b"21"[..], -973_932_308_i32),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (
                b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
                -58_897_971,
            ),
            (b"abc", 479_470_107),
            (b"kafka", 0xd067_cf64_u32.cast_signed()),
            (b"giberish123456789", 0x8f55_2b0c_u32.cast_signed()),
        ] {
            assert_eq!(murmur2(key).cast_signed(), hash, "{key:?}");
        }
    }

    #[test]
    fn every_key_has_a_partition() {
        for key in 0..1_000_u32 {
            let key = key.to_string();
            assert!(partition_of(key.as_bytes(), 7) < 7);
        }
        assert_eq!(partition_of(b"", 1), 0);
    }
}
