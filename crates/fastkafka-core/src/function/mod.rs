//! Annotated functions: their definitions, the registry, and each kind of function seen as a type.

pub(crate) mod around;
pub(crate) mod background;
pub(crate) mod call;
pub(crate) mod catch;
pub(crate) mod consumer;
pub(crate) mod count;
pub(crate) mod definition;
pub(crate) mod dispatch;
pub(crate) mod event;
pub(crate) mod extract;
pub(crate) mod interceptor;
pub(crate) mod key;
pub(crate) mod kind;
pub(crate) mod meter;
pub(crate) mod mirror;
pub(crate) mod probe;
pub(crate) mod producer;
pub(crate) mod registry;
pub(crate) mod shape;
