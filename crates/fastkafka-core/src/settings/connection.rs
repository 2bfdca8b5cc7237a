//! The way to a cluster.

use super::table::settings_of_a_client;

settings_of_a_client! {
    /// The connection to a cluster: addresses, encryption, login.
    Connection {}
}
