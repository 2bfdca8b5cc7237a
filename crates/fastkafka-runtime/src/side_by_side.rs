//! Questions that are asked side by side, as many as there is time for.

use crate::lock::lock;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Asks about each of these, so many at once: one whose answer takes its time keeps none of the others. They begin in
/// their order, and none does any more once the time is over; what was not asked for has no answer.
pub fn side_by_side<'q, Q: Sync, A: Send>(
    questions: &'q [Q],
    at_once: usize,
    is_over: impl Fn() -> bool + Sync,
    ask: impl Fn(&'q Q) -> A + Sync,
) -> Vec<Option<A>> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(questions.iter().map(|_| None).collect::<Vec<_>>());
    let work = || {
        while !is_over() {
            let at = next.fetch_add(1, Relaxed);
            let Some(question) = questions.get(at) else {
                break;
            };
            let answer = ask(question);
            lock(&answers)[at] = Some(answer);
        }
    };
    thread::scope(|threads| {
        // This thread is one of them. Where the system has no more, the others have more to do.
        for _ in 1..questions.len().min(at_once) {
            let thread = thread::Builder::new().name("question".to_owned());
            if thread.spawn_scoped(threads, work).is_err() {
                break;
            }
        }
        work();
    });
    answers
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn one_that_waits_keeps_none_of_the_others() {
        let (told, tells) = mpsc::channel();
        let tells = Mutex::new(tells);
        let questions: Vec<_> = (0..99).collect();
        let answers = side_by_side(
            &questions,
            16,
            || false,
            |n| {
                if *n == 0 {
                    // For the last of the others.
                    let tells = lock(&tells);
                    let waits = || tells.recv_timeout(Duration::from_secs(30)).unwrap();
                    while waits() != 98 {}
                } else {
                    told.send(*n).unwrap();
                }
                *n
            },
        );
        let expected: Vec<_> = questions.iter().copied().map(Some).collect();
        assert_eq!(answers, expected);
    }

    #[test]
    fn nothing_is_asked_for_when_the_time_is_over() {
        let over = AtomicBool::new(false);
        let questions: Vec<_> = (0..99).collect();
        let answers = side_by_side(
            &questions,
            16,
            || over.load(Relaxed),
            |n| {
                over.store(true, Relaxed);
                *n
            },
        );
        let asked = answers.iter().flatten().count();
        assert!((1..=16).contains(&asked), "{asked}");
        assert_eq!(answers[0], Some(0), "the first come first");
    }
}
