//! Records with keys, and the least time in which handlers can be done with them.

use crate::data::write;
use anyhow::{Context, ensure};
use rand::SeedableRng;
use rand::distr::Distribution;
use rand::rngs::StdRng;
use rand_distr::Zipf;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::*};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Keys drawn by Zipf's law with exponent 1: the first of 10,000 has a tenth of the records.
pub(crate) const ZIPF: &str = "bench-zipf";
/// Each record has a key of its own.
pub(crate) const EACH: &str = "bench-each";
pub(crate) const PARTITIONS: i32 = 6;
pub(crate) const CONCURRENCY: u32 = 64;
/// What a handler waits for.
pub(crate) const WAIT: Duration = Duration::from_millis(5);

const KEYS: u32 = 10_000;
const SEED: u64 = 4;

/// Writes `records` to both topics. A payload is the number of its key.
pub(crate) fn fill(bootstrap: &str, records: u64) -> anyhow::Result<()> {
    let zipf = Zipf::new(f64::from(KEYS), 1.0).context("not a distribution")?;
    let mut rng = StdRng::seed_from_u64(SEED);
    let drawn = (0..records).map(|_| zipf.sample(&mut rng).to_string());
    write(bootstrap, ZIPF, drawn.map(record))?;
    let each = 0..records;
    write(bootstrap, EACH, each.map(|n| record(n.to_string())))
}

fn record(key: String) -> (String, Vec<u8>) {
    (format!("key-{key}"), key.into_bytes())
}

/// What the handlers of one program did. One per process.
pub(crate) struct Work {
    records: u64,
    keys: Box<[Key]>,
    handled: AtomicU64,
    began: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    done: Notify,
}

#[derive(Default)]
struct Key {
    records: AtomicU64,
    nanos: AtomicU64,
    busy: AtomicBool,
    overlapped: AtomicBool,
}

/// How long it took, and how long it had to take.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Times {
    /// From the begin of the first handler to the end of the last.
    pub(crate) measured: f64,
    /// In the handlers of the key with the most.
    pub(crate) hottest: f64,
    /// In all handlers together.
    pub(crate) total: f64,
    /// Records of the key with the most.
    pub(crate) hottest_records: u64,
    pub(crate) records: u64,
}

impl Work {
    pub(crate) fn new(records: u64) -> Self {
        let keys = records.max(KEYS.into()) + 1;
        Self {
            records,
            keys: (0..keys).map(|_| Key::default()).collect(),
            handled: AtomicU64::new(0),
            began: OnceLock::new(),
            ended: OnceLock::new(),
            done: Notify::new(),
        }
    }

    /// The handler.
    pub(crate) async fn handle(&self, key: u64) {
        let began = Instant::now();
        self.began.get_or_init(|| began);
        let key = &self.keys[usize::try_from(key).expect("a key is small")];
        if key.busy.swap(true, AcqRel) {
            key.overlapped.store(true, Relaxed);
        }
        tokio::time::sleep(WAIT).await;
        key.busy.store(false, Release);
        key.records.fetch_add(1, Relaxed);
        let nanos = u64::try_from(began.elapsed().as_nanos()).expect("less than centuries");
        key.nanos.fetch_add(nanos, Relaxed);
        if self.handled.fetch_add(1, AcqRel) + 1 == self.records {
            self.ended.get_or_init(Instant::now);
            self.done.notify_one();
        }
    }

    /// Waits until all records are handled.
    ///
    /// # Errors
    /// When two of one key were handled at once though `ordered`.
    pub(crate) async fn times(&self, ordered: bool) -> anyhow::Result<Times> {
        self.done.notified().await;
        let overlapped = |key: &&Key| key.overlapped.load(Relaxed);
        ensure!(
            !ordered || self.keys.iter().find(overlapped).is_none(),
            "two records of one key were handled at once"
        );
        let nanos = |key: &Key| Duration::from_nanos(key.nanos.load(Relaxed)).as_secs_f64();
        let began = self.began.get().context("no record came")?;
        let ended = self.ended.get().context("no record came")?;
        let records = self.keys.iter().map(|key| key.records.load(Relaxed));
        Ok(Times {
            measured: ended.duration_since(*began).as_secs_f64(),
            hottest: self.keys.iter().map(nanos).fold(0.0, f64::max),
            total: self.keys.iter().map(nanos).sum(),
            hottest_records: records.max().unwrap_or_default(),
            records: self.records,
        })
    }
}

impl Times {
    /// The least time with the handlers as slow as they were.
    pub(crate) fn bound(&self, ordered: bool) -> f64 {
        bound(self.total, if ordered { self.hottest } else { 0.0 })
    }

    /// The least time if each handler had taken [`WAIT`] exactly; a timer of tokio's takes up to a
    /// millisecond longer.
    pub(crate) fn nominal(&self, ordered: bool) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a time has fewer digits")]
        let time = |records: u64| records as f64 * WAIT.as_secs_f64();
        let hottest = if ordered { self.hottest_records } else { 0 };
        bound(time(self.records), time(hottest))
    }
}

fn bound(total: f64, hottest: f64) -> f64 {
    hottest.max(total / f64::from(CONCURRENCY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_bound_is_that_of_the_hottest_key_or_of_the_concurrency() {
        let work = Work::new(4);
        for key in [7, 7, 1, 7] {
            work.handle(key).await;
        }
        let times = work.times(true).await.unwrap();
        assert_eq!((times.records, times.hottest_records), (4, 3));
        assert!((times.nominal(true) - 0.015).abs() < 1e-9);
        assert!((times.nominal(false) - 0.020 / 64.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_handled_twice_at_once_is_seen() {
        let work = Work::new(2);
        tokio::join!(work.handle(7), work.handle(7));
        assert!(work.times(true).await.is_err());
    }
}
