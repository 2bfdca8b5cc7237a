//! Problems that show without a broker: of one function, of the functions of a group, and of the
//! settings outside the code; values that no setting of their key has.

mod functions;
mod groups;
mod overrides;
mod values;

pub(super) use functions::{handler, meter, names, producer, task};
pub(super) use groups::{conflicts, patterns, topics};
pub(super) use overrides::overrides;
pub(super) use values::{builder, values};
