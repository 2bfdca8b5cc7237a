//! A corner of the proof that is searched in a moment, and walks; the binary searches the rest.

mod quick;
mod walks;
