//! FastKafka's tutorial: the measurements of an iris flower come in, its species goes out.
#![forbid(unsafe_code)]

pub mod model;
