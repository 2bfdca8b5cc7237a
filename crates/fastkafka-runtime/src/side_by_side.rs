//! Work that waits, for several at a time.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// So many at once.
const AT_ONCE: usize = 16;

/// Does the work for each: one that waits keeps none of the others. None begins any more once it does not go on.
pub(crate) fn side_by_side<T: Sync>(
    all: &[T],
    goes_on: &(dyn Fn() -> bool + Sync),
    work: impl Fn(&T) + Sync,
) {
    let next = AtomicUsize::new(0);
    let some = || {
        while goes_on()
            && let Some(one) = all.get(next.fetch_add(1, Relaxed))
        {
            work(one);
        }
    };
    thread::scope(|threads| {
        // This thread is one of them. Where the system has no more, it has more to do.
        for _ in 1..all.len().min(AT_ONCE) {
            let thread = thread::Builder::new().name("fk-lag".to_owned());
            if thread.spawn_scoped(threads, some).is_err() {
                break;
            }
        }
        some();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::lock;
    use std::sync::Mutex;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn one_that_waits_keeps_none_of_the_others() {
        let (told, tells) = mpsc::channel();
        let tells = Mutex::new(tells);
        let all: Vec<_> = (0..40).collect();
        side_by_side(&all, &|| true, |one| match one {
            0 => {
                let tells = lock(&tells);
                for _ in 1..40 {
                    tells.recv_timeout(Duration::from_secs(30)).unwrap();
                }
            }
            one => told.send(*one).unwrap(),
        });
    }

    #[test]
    fn none_begins_when_it_does_not_go_on() {
        let done = AtomicUsize::new(0);
        let goes_on = || done.load(Relaxed) == 0;
        side_by_side(&[(); 99], &goes_on, |()| {
            done.fetch_add(1, Relaxed);
        });
        let done = done.load(Relaxed);
        assert!((1..=AT_ONCE).contains(&done), "{done}");
    }
}
