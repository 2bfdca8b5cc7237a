//! The macros of `tracing`, for threads that a log line must not end.
//!
//! A subscriber may panic. That of `tracing-subscriber` does by default where the standard error cannot be
//! written: its reader is gone, or the disk is full. Such a panic would end whatever thread has something to
//! say: the driver of a consumer, the one that hears signals, a thread of librdkafka's, where it aborts the
//! process. Here the line is lost instead, and the thread goes on.
//!
//! The workspace has this crate under the name `tracing`, so no line can be written past it.
#![forbid(unsafe_code)]

#[doc(hidden)]
pub use tracing as inner;
pub use tracing::subscriber;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Writes a line, or loses it.
#[doc(hidden)]
pub fn write(line: impl FnOnce()) {
    // Nothing of the caller's is left half done: the macros only read what they are given.
    if let Err(panic) = catch_unwind(AssertUnwindSafe(line)) {
        // It may panic where it is dropped, too.
        std::mem::forget(panic);
    }
}

macro_rules! levels {
    ($dollar:tt $($level:ident)*) => {
        $(
            #[doc = concat!("`tracing::", stringify!($level), "!`, of which a panic is a lost line.")]
            #[macro_export]
            macro_rules! $level {
                ($dollar($dollar line:tt)*) => {
                    $crate::write(|| $crate::inner::$level!($dollar($dollar line)*))
                };
            }
        )*
    };
}

levels!($ error warn info debug trace);
