//! The way to a cluster.

use super::address;
use super::table::settings_of_a_client;

settings_of_a_client! {
    /// The connection to a cluster: addresses, encryption, login.
    Connection {}
}

impl Connection {
    /// The addresses as they may be printed: a login that was written into one is hidden.
    #[doc(hidden)]
    pub fn address(&self) -> String {
        let addresses = self.bootstrap_servers.as_deref().unwrap_or_default();
        address::masked(addresses).into_owned()
    }
}
