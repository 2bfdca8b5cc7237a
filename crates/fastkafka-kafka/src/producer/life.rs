//! The life of a client: a thread serves its reports and looks how it is, and puts another client in its
//! place when it has ended.
//!
//! librdkafka gives a client up for good where it cannot tell any more which records the broker has: that is
//! a *fatal* error. Everything that is sent through it afterwards is refused. A new one knows nothing of the
//! past, so it may go on as soon as nothing of the old one is on its way; what that had lost is sent again
//! by whoever waits for it.

use crate::client_context::ended;
use crate::ffi;
use crate::producer::clients::Client;
use crate::producer::delivery_reports::Producer;
use fastkafka_runtime::platform::ClientError;
use rdkafka::producer::{Producer as _, PurgeConfig};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// How long the thread waits for a report. rdkafka's `poll` serves reports as they come, but spins through
/// the last millisecond of its time-out.
const REPORTS: Duration = Duration::from_millis(200);
/// A broker that does not answer within this time is not reached.
const PROBE: Duration = Duration::from_secs(1);
/// How long a client that has ended may wait for answers to what it has sent.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// The waits before another client is made, where one ends soon after the other.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Starts the thread. It ends after the client and takes the last one of librdkafka with it. Records without
/// a report get one by then that says so: rdkafka purges a client that it drops, and serves the reports of
/// that.
///
/// # Panics
/// If the system cannot start a thread.
pub(super) fn begin(client: &Arc<Client>, producer: Arc<Producer>) {
    let life = Life {
        client: Arc::downgrade(client),
        producer,
        made: Instant::now(),
        pause: Duration::ZERO,
    };
    thread::Builder::new()
        .name("delivery-reports".into())
        .spawn(move || life.run())
        .expect("the system can start a thread");
}

struct Life {
    client: Weak<Client>,
    producer: Arc<Producer>,
    made: Instant,
    /// The wait before the next one is made.
    pause: Duration,
}

impl Life {
    fn run(mut self) {
        while let Some(error) = self.serve() {
            if self.replace(&error).is_none() {
                return;
            }
        }
    }

    /// Serves until the client has ended, and says why; `None` when nobody needs it any more.
    fn serve(&self) -> Option<ClientError> {
        loop {
            self.producer.poll(REPORTS);
            let client = self.client.upgrade()?;
            if let Some(error) = ended(self.producer.client()) {
                return Some(error);
            }
            let on_their_way = self.producer.in_flight_count();
            let watch = &client.watch;
            if watch.look(on_their_way > 0) && ffi::is_reached(&self.producer, PROBE) {
                watch.answered();
            }
        }
    }

    /// Puts another client in the place of one that has ended. `None` when nobody needs it any more.
    fn replace(&mut self, error: &ClientError) -> Option<()> {
        let client = self.client.upgrade()?;
        let users = client.recipe.users();
        let on = self.producer.context().events.names.clone();
        tracing::error!(
            "the client of {users}{on} cannot go on: {error}; another takes its place, and what it had not delivered fails"
        );
        client.watch.ended(error);
        drop(client);
        self.end()?;
        loop {
            self.wait()?;
            let client = self.client.upgrade()?;
            match client.make_anew() {
                Ok(producer) => {
                    client.watch.made();
                    self.made = Instant::now();
                    destroy(std::mem::replace(&mut self.producer, producer));
                    return Some(());
                }
                Err(error) => {
                    tracing::error!("no new client can be made for {users}{on}: {error}");
                    client.watch.ended(&error);
                }
            }
        }
    }

    /// Until each record has its report. What the broker has not got is given up at once; of the rest it may
    /// still tell.
    fn end(&self) -> Option<()> {
        let deadline = Instant::now() + LAST_ANSWERS;
        while self.producer.in_flight_count() > 0 {
            let all = PurgeConfig::default().queue();
            let late = Instant::now() >= deadline;
            // A record may come in between librdkafka's look whether it has ended, and its own purge.
            self.producer.purge(if late { all.inflight() } else { all });
            self.producer.poll(REPORTS / 10);
            self.client.upgrade()?;
        }
        Some(())
    }

    /// The first one is made at once.
    fn wait(&mut self) -> Option<()> {
        if self.made.elapsed() > LONGEST_PAUSE * 2 {
            self.pause = Duration::ZERO;
        }
        let until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        while Instant::now() < until {
            thread::sleep(REPORTS.min(until.saturating_duration_since(Instant::now())));
            self.client.upgrade()?;
        }
        Some(())
    }
}

/// Ends a client of librdkafka, which takes its time, and not on the thread of a call that holds it still.
fn destroy(producer: Arc<Producer>) {
    let ending = thread::Builder::new().name("producer-end".into());
    let ended = ending.spawn(move || {
        while Arc::strong_count(&producer) > 1 {
            thread::sleep(REPORTS / 10);
        }
    });
    if let Err(error) = ended {
        tracing::warn!("no thread for the end of a producer's client: {error}");
    }
}
