//! What holds of Kafka and librdkafka, by name.

mod commits;
mod exhaustive;
mod groups;
mod kit;
mod logs;
mod random;
mod reading;
mod renumber;
