//! Chaos with an app of each kind, and with mistakes that it has to find.

mod kinds;
mod members;

use self::kinds::{Tried, run};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::runtime::Builder;

/// Seeds as `FIRST..END`, in place of the few of every run.
const VARIABLE: &str = "FASTKAFKA_TESTER_SEEDS";
const SEEDS: std::ops::Range<u64> = 0..130;

/// Runs a seed. It also decides which app meets it. Returns the calls of its handler.
fn chaos(seed: u64) -> Vec<Tried> {
    macro_rules! of_kind {
        ($($kind:ident)*) => {{
            let kinds = [$(stringify!($kind)),*];
            let kind = kinds[usize::try_from(seed % kinds.len() as u64).unwrap()];
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.unwrap().block_on(async {
                match kind {
                    $(stringify!($kind) => run::<kinds::$kind::Shop, kinds::$kind::on_orders>(seed).await,)*
                    _ => unreachable!("it is one of them"),
                }
            })
        }};
    }
    of_kind!(by_partition at_once by_key unordered skipped skipped_by_key eager kip_848 kip_848_by_key
        batched batched_unordered settled_later across without_group)
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(seeds) = std::env::var(VARIABLE) else {
        return SEEDS;
    };
    let (first, end) = seeds
        .split_once("..")
        .expect("FASTKAFKA_TESTER_SEEDS is FIRST..END");
    first.parse().unwrap()..end.parse().unwrap()
}

#[test]
fn it_finds_nothing_in_apps_of_any_kind() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let red = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if catch_unwind(AssertUnwindSafe(|| chaos(seed))).is_err() {
                        red.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let red = red.into_inner().unwrap();
    assert!(
        red.is_empty(),
        "{} of {} seeds are red, each with its reason above: {red:?}; repeat one with {VARIABLE}=SEED..END",
        red.len(),
        seeds.end - seeds.start
    );
}

/// A red seed is of use only if it is red again.
#[test]
fn the_same_seed_does_the_same_again() {
    for seed in 0..14 {
        assert_eq!(chaos(seed), chaos(seed), "seed {seed}");
    }
}

#[test]
fn it_finds_nothing_where_it_once_did_wrongly() {
    // A lost output of a straggler, which its producer has not heard of when the app stops.
    let _ = chaos(6_267);
    // A run that stays open for a late report after its records were handled again.
    let _ = chaos(8_712);
}
