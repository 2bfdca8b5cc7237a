//! What an app is doing, as server-sent events: the whole at first, then once a second what has changed.
//!
//! A change is a JSON merge patch (RFC 7396): what is null in it is gone or not known any more.

use super::source::Source;

use fastkafka_runtime::{AppPhase, AppState};
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// So many looks without news are followed by a sign of life: who has gone is seen by it.
const SILENT: u32 = 15;

/// The body of an answer that goes on.
pub(crate) type Events = StreamBody<BoxStream<'static, Result<Frame<Bytes>, Infallible>>>;

struct Feed<K> {
    source: Arc<dyn Source>,
    ticks: Interval,
    /// With the texts of errors.
    with_errors: bool,
    /// It ends when the app stops; else when it has stopped.
    ends_early: bool,
    told: Option<Value>,
    silent: u32,
    /// Held as long as somebody listens.
    _kept: K,
}

/// Events until the app has stopped. `kept` is dropped with them.
pub(crate) fn events<K: Send + 'static>(
    source: Arc<dyn Source>,
    with_errors: bool,
    ends_early: bool,
    kept: K,
) -> Events {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        source,
        ticks,
        with_errors,
        ends_early,
        told: None,
        silent: 0,
        _kept: kept,
    };
    let events = stream::unfold(feed, async |mut feed| {
        let text = feed.next().await?;
        Some((Ok(Frame::data(Bytes::from(text))), feed))
    });
    StreamBody::new(events.boxed())
}

impl<K> Feed<K> {
    async fn next(&mut self) -> Option<String> {
        loop {
            self.ticks.tick().await;
            let state = self.source.state();
            let is_over = match state.phase {
                AppPhase::Stopped => true,
                AppPhase::Stopping => self.ends_early,
                AppPhase::New | AppPhase::Starting | AppPhase::Started => false,
            };
            if is_over {
                return None;
            }
            let news = self.news(state);
            self.silent = if news.is_some() { 0 } else { self.silent + 1 };
            if news.is_none() && self.silent >= SILENT {
                self.silent = 0;
                return Some(": still there\n\n".to_owned());
            }
            if news.is_some() {
                return news;
            }
        }
    }

    fn news(&mut self, state: AppState) -> Option<String> {
        let state = if self.with_errors {
            state
        } else {
            state.without_errors()
        };
        let now = serde_json::to_value(state).ok()?;
        let (name, data) = match &self.told {
            None => ("state", now.clone()),
            Some(before) => ("patch", patch(before, &now)?),
        };
        self.told = Some(now);
        Some(format!("event: {name}\ndata: {data}\n\n"))
    }
}

/// What leads from one value to the other; `None` where they are the same.
fn patch(before: &Value, now: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, now) else {
        return (before != now).then(|| now.clone());
    };
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let gone = gone.map(|key| (key.clone(), Value::Null));
    let changed = new.iter().filter_map(|(key, value)| {
        let change = match old.get(key) {
            Some(before) => patch(before, value)?,
            None => value.clone(),
        };
        Some((key.clone(), change))
    });
    let all: Map<_, _> = gone.chain(changed).collect();
    (!all.is_empty()).then_some(Value::Object(all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_patch_has_what_changed_and_nothing_else() {
        let before = json!({"a": 1, "b": {"x": 1, "y": [1, 2]}, "c": {"z": 0}});
        assert_eq!(patch(&before, &before), None);
        let now = json!({"a": 1, "b": {"x": 2, "y": [1, 2]}, "d": {"new": true}});
        let expected = json!({"b": {"x": 2}, "c": null, "d": {"new": true}});
        assert_eq!(patch(&before, &now), Some(expected));
        let longer = json!({"a": 1, "b": {"x": 1, "y": [1, 2, 3]}, "c": {"z": 0}});
        let expected = json!({"b": {"y": [1, 2, 3]}});
        assert_eq!(patch(&before, &longer), Some(expected));
    }
}
