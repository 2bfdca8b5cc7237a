//! Flights that left New York City come in, the legs that were flown go out.
#![forbid(unsafe_code)]

pub mod data;
pub mod flight;
