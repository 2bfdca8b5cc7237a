//! What the process does at a signal, which is known in C alone.

use std::mem::MaybeUninit;
use std::ptr;

/// Whether SIGHUP would end the process: nobody handles it, and it is not ignored, as it is in a process that was
/// started by `nohup`.
pub fn hangup_ends_the_process() -> bool {
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one; all zeros are one as well.
    unsafe {
        libc::sigaction(libc::SIGHUP, ptr::null(), present.as_mut_ptr()) == 0
            && present.assume_init().sa_sigaction == libc::SIG_DFL
    }
}
