//! Room for open files, asked for where a library ends the process that has none.

use std::io;
use std::net::UdpSocket;

/// `EMFILE` and `ENFILE` of Unix: the process, or the machine, has as many as it may.
const TOO_MANY: [i32; 2] = [24, 23];

/// Opens so many sockets and closes them again.
///
/// # Errors
/// When the system has no descriptors for them.
pub fn room_for_sockets(count: usize) -> io::Result<()> {
    let sockets = (0..count).map(|_| UdpSocket::bind(("127.0.0.1", 0)));
    match sockets.collect::<io::Result<Vec<_>>>() {
        Err(error)
            if error
                .raw_os_error()
                .is_some_and(|code| TOO_MANY.contains(&code)) =>
        {
            Err(error)
        }
        // What else is wrong is told where it matters.
        _ => Ok(()),
    }
}
