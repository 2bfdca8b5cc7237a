//! Apps as processes on Apache Kafka. Input is written and output read by Kafka's own Java clients.

mod bad_input;
mod chaos;
mod clusters;
mod control;
mod fixture;
mod flights;
mod incarnations;
mod late_starts;
mod latest;
mod liveness;
mod members;
mod not_authorised;
mod outages;
mod process;
mod prometheus;
mod python;
mod refusals;
mod refused_outputs;
mod scraped;
mod security;
mod shutdown;
mod sources;
mod start;
mod watching;
