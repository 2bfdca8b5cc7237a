//! Work on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does `work` for each item on `threads` threads, those with the largest `size` first, and
/// returns the results in the order of the items.
///
/// # Panics
///
/// If `work` does.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&item| std::cmp::Reverse(size(&items[item])));
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(&item) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(&items[item]);
                    *results[item].lock().expect("written once") = Some(result);
                }
            });
        }
    });
    let done = results.into_iter().map(Mutex::into_inner);
    done.map(|result| result.ok().flatten().expect("each item is worked on"))
        .collect()
}
