//! Problems that show without a broker: of one function, of the functions of a group, and of the
//! settings outside the code.

mod functions;
mod groups;
mod overrides;

pub(super) use functions::{handler, meter, names, producer, task};
pub(super) use groups::{conflicts, topics};
pub(super) use overrides::overrides;
