//! Places to write to that take nothing.

use std::io::{PipeReader, Write, pipe};
use std::process::Stdio;

/// A pipe without a reader.
pub(super) fn unread() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A full disk.
#[cfg(target_os = "linux")]
pub(super) fn full() -> Stdio {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    full.unwrap().into()
}

/// A pipe that is full, and whose reader does not read.
pub(super) fn stalled() -> (PipeReader, Stdio) {
    let (reader, mut writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 512]).is_ok() {}
    // Whoever writes there is to wait, as ever.
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer.into())
}
