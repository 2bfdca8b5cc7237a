//! One function of an app as a test sees it: its mirror, its spy, its mock.

pub(crate) mod kind;
pub(crate) mod mirror;
pub(crate) mod mock;
pub(crate) mod producer_spy;
pub(crate) mod received;
pub(crate) mod sending;
pub(crate) mod spy;
