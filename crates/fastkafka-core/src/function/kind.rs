//! The kinds of annotated functions, as types: [`Register::Kind`](crate::Register::Kind).

/// A function under `#[consumes]`.
#[derive(Debug)]
pub enum Consumes {}

/// A function under `#[produces]`.
#[derive(Debug)]
pub enum Produces {}

/// A function under `#[run_in_background]`.
#[derive(Debug)]
pub enum RunsInBackground {}
