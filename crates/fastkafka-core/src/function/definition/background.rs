//! The definition of a background task.

use super::location::Location;
use crate::app::States;
use crate::delivery::failure::Failure;
use crate::settings::BackgroundSettings;
use std::any::TypeId;
use std::pin::Pin;
use std::sync::Arc;

/// A background task under way.
pub type BackgroundFuture = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// A function under `#[run_in_background]`.
#[derive(Debug)]
pub struct BackgroundDef {
    /// The function's name.
    pub name: &'static str,
    /// Its module.
    pub module: &'static str,
    /// Its place in the source.
    pub location: Location,
    /// The attribute's settings, each an expression of the user's.
    pub settings: fn() -> BackgroundSettings,
    /// Names the types of states that its parameters need.
    pub requires: fn(&mut dyn FnMut(TypeId, &'static str)),
    /// Runs it once.
    pub run: fn(Arc<States>) -> BackgroundFuture,
}

impl BackgroundDef {
    /// `module::name`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}
