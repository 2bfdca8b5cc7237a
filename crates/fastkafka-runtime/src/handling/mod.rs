//! Calling handlers: in the lane of a partition, or by key in a task per record.

pub(crate) mod call;
pub(crate) mod dead_letter;
pub(crate) mod few_lines;
pub(crate) mod handler;
pub(crate) mod job;
pub(crate) mod keyed;
pub(crate) mod lane;
pub(crate) mod locks;
pub(crate) mod spawned;
