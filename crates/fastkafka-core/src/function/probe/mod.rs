//! The questions that an expansion asks of the types in a function's signature.
//!
//! An attribute sees names, not types: an alias of `Vec`, `Option` or `Result` would deceive it. So its
//! expansion asks the compiler. A probe is a type with an inherent item for the types that it knows;
//! a trait has the same item for all others, and the inherent one wins.

pub(crate) mod codec;
pub(crate) mod emit;
pub(crate) mod encode;
pub(crate) mod key;
pub(crate) mod records;
pub(crate) mod returned;
pub(crate) mod settles;
pub(crate) mod shape;
