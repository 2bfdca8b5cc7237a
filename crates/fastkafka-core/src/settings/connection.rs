//! The way to a cluster.

use super::table::settings_of_a_client;

settings_of_a_client! {
    /// How a cluster is reached.
    Connection {}
}
