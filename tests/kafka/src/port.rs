//! Ports that a broker can keep over a restart.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below what Linux and macOS hand out to outgoing connections (32768 and 49152 on): a client that
/// reconnects to a broker which is down could otherwise be given that very port, and hold it.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// Two ports that are free now. Another process may take one first: whoever starts a server there tries again.
pub(crate) fn two_free() -> [u16; 2] {
    let span = u64::from(PORTS.end - PORTS.start);
    // The keys of a `RandomState` are the standard library's only randomness.
    let first = RandomState::new().hash_one(()) % span;
    let mut free = (0..span).filter_map(|step| {
        let port = PORTS.start + u16::try_from((first + step) % span).expect("less than the span");
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map(|_| port)
            .ok()
    });
    std::array::from_fn(|_| free.next().expect("17,000 ports are not all in use"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ports_differ_and_are_not_for_outgoing_connections() {
        let [one, other] = two_free();
        assert_ne!(one, other);
        assert!(PORTS.contains(&one) && PORTS.contains(&other));
    }
}
