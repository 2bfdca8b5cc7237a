//! The questions that an expansion asks of the types in a function's signature.

pub(crate) mod emit;
pub(crate) mod shape;
