//! One function of an app as a test sees it: what sends to it, what it has sent, its calls, its mock.

pub(crate) mod kind;
pub(crate) mod mirror;
pub(crate) mod mock;
pub(crate) mod received;
pub(crate) mod spy;
