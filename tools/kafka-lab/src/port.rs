//! Ports that a broker can keep over a restart.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below what Linux and macOS hand out to outgoing connections (32768 and 49152 on): a client that
/// reconnects to a broker which is down could otherwise be given that very port, and hold it.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// Different ports that are free now. Another process may take one first: whoever starts a server there tries again.
pub(crate) fn free(count: usize) -> Vec<u16> {
    let span = u64::from(PORTS.end - PORTS.start);
    // The keys of a `RandomState` are the standard library's only randomness.
    let first = RandomState::new().hash_one(()) % span;
    (0..span)
        .map(|step| PORTS.start + u16::try_from((first + step) % span).expect("less than the span"))
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .take(count)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ_and_are_not_for_outgoing_connections() {
        let ports = free(3);
        assert_eq!(ports.len(), 3);
        assert!(ports.is_sorted_by(|one, other| one != other), "{ports:?}");
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }
}
