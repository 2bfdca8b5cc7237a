//! A real Apache Kafka for tests.
//!
//! [`Kafka::start`] brings up a broker in one process on free loopback ports. The value owns it: dropping
//! it, or the end of the process that holds it, SIGKILL included, ends the broker and removes its data.
//! What a test writes and reads through it goes through Kafka's own Java clients, so that FastKafka is
//! never its own witness.
//!
//! ```no_run
//! use kafka_lab::{Kafka, NewRecord};
//!
//! let kafka = Kafka::start()?;
//! kafka.create_topic("orders", 4, &[("min.insync.replicas", "1")])?;
//! kafka.produce("orders", &[NewRecord::new("3 apples").key("alice")])?;
//! // .. run the application against kafka.bootstrap() ..
//! assert_eq!(kafka.consume("orders")?.len(), 1);
//! # Ok::<(), kafka_lab::LabError>(())
//! ```
//!
//! It needs a JDK (17 or later) and Maven. The first start downloads Kafka, 43 MB, into
//! `target/kafka-lab`, or the directory that `FASTKAFKA_LAB_CACHE` names.

mod admin;
mod error;
mod helper;
mod install;
mod kafka;
mod port;
mod record;
pub mod security;
mod toxiproxy;

pub use admin::{Group, Member};
pub use error::LabError;
pub use install::{cache, python};
pub use kafka::{Builder, Kafka};
pub use record::{NewRecord, Record};
pub use toxiproxy::{Proxy, Toxic};
