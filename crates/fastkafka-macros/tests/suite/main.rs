//! What the compiler makes of the attributes: every form of them, and every mistake.
#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod every_form;
mod ui;
