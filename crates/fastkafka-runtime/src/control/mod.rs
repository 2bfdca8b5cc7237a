//! The controls of a running app: pause, resume, seek.

pub(crate) mod command;
pub(crate) mod error;
pub(crate) mod handle;
pub(crate) mod pauses;
pub(crate) mod target;

pub use self::command::{Position, Seek};
pub use self::error::ControlError;
pub use self::handle::Handle;
pub use self::target::Target;
