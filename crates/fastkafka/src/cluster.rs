//! Clusters of Kafka: their brokers by name, and how a client logs in.
//!
//! A [`Broker`](crate::Broker) with an address needs none of these. You need the module for TLS, passwords and
//! tokens (guide: [Authentication](crate::guide::authentication)), and for an app whose functions are on
//! several clusters ([Several clusters](crate::guide::clusters)).

#[doc(inline)]
pub use fastkafka_core::{
    Brokers, EMBEDDED, OauthToken, SaslMechanism, Secret, SecurityProtocol, Tls, TokenFuture,
    TokenProvider, Tokens,
};
