//! The service without Kafka, and its contract.

mod contract;
mod service;
