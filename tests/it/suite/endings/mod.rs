//! How a process ends, with which status and words. Needs no broker but its own.

mod few_files;
mod hanging;
mod log;
mod prints;
mod service;
mod signals;
mod sinks;
