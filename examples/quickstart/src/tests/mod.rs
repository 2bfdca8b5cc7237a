//! The service without Kafka, its contract, and the demonstration.

mod contract;
mod demo;
mod service;
