//! What holds of Kafka, by name.

mod groups;
