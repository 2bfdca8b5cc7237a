//! The handler of the app that is searched: it returns when the search says so.

use fastkafka_core as fk;
use fastkafka_core::{Ack, EventMetadata, State};
use fastkafka_macros::consumes;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// It accepts the record and settles it.
    Done,
    /// It accepts the record and keeps its `Ack`.
    Keep,
    /// It does not accept the record.
    Fail,
}

/// What has become of calls since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    Begun(i32, i64),
    /// The record is settled by its handler.
    Settled(i32, i64),
    /// The call was dropped before its end.
    Cut(i32, i64),
    /// A call began while another one of its partition was at work.
    Overlaps(i32, i64),
}

/// The calls of the handler: shared by it and by the search.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    at_work: BTreeMap<i32, Call>,
    kept: Vec<(i32, i64, Ack)>,
    news: Vec<News>,
}

#[derive(Debug)]
struct Call {
    offset: i64,
    end: Option<End>,
    waker: Option<Waker>,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A violation is a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records at work, by partition.
    pub(super) fn at_work(&self) -> Vec<(i32, i64)> {
        let inner = self.lock();
        let at_work = inner.at_work.iter();
        at_work.map(|(p, call)| (*p, call.offset)).collect()
    }

    /// The records whose `Ack` is kept.
    pub(super) fn kept(&self) -> Vec<(i32, i64)> {
        self.lock()
            .kept
            .iter()
            .map(|(p, at, _)| (*p, *at))
            .collect()
    }

    /// Lets a call end.
    pub(super) fn end(&self, partition: i32, end: End) {
        let waker = {
            let mut inner = self.lock();
            let call = inner.at_work.get_mut(&partition).expect("it is at work");
            call.end = Some(end);
            call.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Settles the first record of a partition whose `Ack` is kept.
    pub(super) fn settle(&self, partition: i32) {
        let ack = {
            let mut inner = self.lock();
            let at = inner.kept.iter().position(|kept| kept.0 == partition);
            inner.kept.remove(at.expect("one is kept"))
        };
        let (partition, offset, ack) = ack;
        if ack.ack().is_ok() {
            self.lock().news.push(News::Settled(partition, offset));
        }
    }

    /// What has happened since the last call.
    pub(super) fn news(&self) -> Vec<News> {
        std::mem::take(&mut self.lock().news)
    }

    /// Drops what is kept.
    pub(super) fn clear(&self) {
        // Outside of the lock: its drop tells the driver.
        let kept = std::mem::take(&mut self.lock().kept);
        drop(kept);
    }
}

/// A call at work.
struct AtWork {
    calls: Calls,
    partition: i32,
    offset: i64,
}

impl AtWork {
    fn begin(calls: &Calls, partition: i32, offset: i64) -> Self {
        let mut inner = calls.lock();
        let call = Call {
            offset,
            end: None,
            waker: None,
        };
        let before = inner.at_work.insert(partition, call);
        inner.news.push(match before {
            None => News::Begun(partition, offset),
            Some(_) => News::Overlaps(partition, offset),
        });
        drop(inner);
        Self {
            calls: calls.clone(),
            partition,
            offset,
        }
    }

    async fn end(&self) -> End {
        poll_fn(|cx| {
            let mut inner = self.calls.lock();
            let Some(call) = inner.at_work.get_mut(&self.partition) else {
                return Poll::Pending;
            };
            match call.end {
                Some(end) => Poll::Ready(end),
                None => {
                    call.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut inner = self.calls.lock();
        if let Some(call) = inner.at_work.remove(&self.partition)
            && call.end.is_none()
        {
            let news = News::Cut(self.partition, self.offset);
            inner.news.push(news);
        }
    }
}

#[consumes(
    crate = fk,
    topic = "orders",
    enable_auto_commit = false,
    attempts = 1,
    auto_offset_reset = "earliest"
)]
pub(super) async fn on_order(
    _: u32,
    meta: EventMetadata,
    ack: Ack,
    State(calls): State<Calls>,
) -> Result<(), String> {
    let (partition, offset) = (meta.partition(), meta.offset());
    let call = AtWork::begin(&calls, partition, offset);
    match call.end().await {
        End::Done => {
            if ack.ack().is_ok() {
                calls.lock().news.push(News::Settled(partition, offset));
            }
            Ok(())
        }
        End::Keep => {
            calls.lock().kept.push((partition, offset, ack));
            Ok(())
        }
        End::Fail => Err("it fails".to_owned()),
    }
}
