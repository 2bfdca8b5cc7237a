//! The life of a client: a thread serves its reports and looks how it is, and puts another client in its
//! place when it has ended.
//!
//! librdkafka gives a client up for good where it cannot tell any more which records the broker has: that is
//! a *fatal* error. Everything that is sent through it afterwards is refused. A new one knows nothing of the
//! past, so it may go on as soon as nothing of the old one is on its way; what that had lost is sent again
//! by whoever waits for it.

use crate::addresses::Addresses;
use crate::client_context::ended;
use crate::error::client_error;
use crate::ffi;
use crate::producer::clients::Client;
use crate::producer::delivery_reports::Producer;
use fastkafka_runtime::platform::ClientError;
use rdkafka::producer::{Producer as _, PurgeConfig};
use rdkafka::types::RDKafkaErrorCode;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;

/// How long the thread waits for a report. rdkafka's `poll` serves reports as they come, but spins through
/// the last millisecond of its time-out.
const REPORTS: Duration = Duration::from_millis(200);
/// The same where an end is near.
const ROUND: Duration = Duration::from_millis(20);
/// A broker that does not answer within this time is not reached.
const PROBE: Duration = Duration::from_secs(1);
/// How long a client that has ended may wait for answers to what it has sent.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// The waits before another client is made, where one ends soon after the other.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(crate) struct Life {
    client: Weak<Client>,
    producer: Arc<Producer>,
    made: Instant,
    /// The wait before the next one is made.
    pause: Duration,
    /// Dropped with the last client of librdkafka.
    alive: Sender<Infallible>,
}

impl Life {
    pub(crate) fn new(
        client: &Arc<Client>,
        producer: Arc<Producer>,
        alive: Sender<Infallible>,
    ) -> Self {
        Self {
            client: Arc::downgrade(client),
            producer,
            made: Instant::now(),
            pause: Duration::ZERO,
            alive,
        }
    }

    /// Starts the thread. It ends after the client and takes the last one of librdkafka with it. Records
    /// without a report get one by then that says so: rdkafka purges a client that it drops, and serves the
    /// reports of that.
    ///
    /// # Errors
    /// If the system cannot start a thread.
    pub(super) fn begin(self) -> Result<(), ClientError> {
        let thread = thread::Builder::new().name("delivery-reports".into());
        let begun = thread.spawn(move || self.run());
        begun.map(drop).map_err(|error| {
            let what = format!("no thread can be started for the reports of a producer: {error}");
            client_error(RDKafkaErrorCode::CriticalSystemResource, what)
        })
    }

    fn run(mut self) {
        while let Some(error) = self.serve() {
            if self.replace(&error).is_none() {
                break;
            }
        }
        destroy(self.producer, self.alive);
    }

    /// `None` when nobody needs it any more.
    fn client(&self) -> Option<Arc<Client>> {
        let client = self.client.upgrade();
        client.filter(|client| !client.is_closed())
    }

    /// Serves until the client has ended, and says why; `None` when nobody needs it any more.
    fn serve(&self) -> Option<ClientError> {
        loop {
            self.producer.poll(REPORTS);
            let client = self.client()?;
            if let Some(error) = ended(self.producer.client()) {
                return Some(error);
            }
            let on_their_way = self.producer.in_flight_count();
            let watch = &client.watch;
            if !watch.look(on_their_way > 0) {
                continue;
            }
            if ffi::is_reached(&self.producer, PROBE) {
                watch.answered();
            } else if watch.unanswered() {
                self.begin_again(&client);
            }
        }
    }

    /// It may have lost all brokers that it knew.
    fn begin_again(&self, client: &Client) {
        let (recipe, on) = (&client.recipe, &self.producer.context().events.names);
        let users = recipe.users();
        tracing::warn!(
            "no broker{on} answers the client of {users}: it begins again with the configured addresses"
        );
        Addresses::new(&recipe.access.config()).begin_again(self.producer.client());
    }

    /// Puts another client in the place of one that has ended. `None` when nobody needs it any more.
    fn replace(&mut self, error: &ClientError) -> Option<()> {
        let client = self.client()?;
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
            let client = self.client()?;
            match client.make_anew() {
                Ok(producer) => {
                    client.watch.made();
                    self.made = Instant::now();
                    let former = std::mem::replace(&mut self.producer, producer);
                    destroy_elsewhere(former, self.alive.clone());
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
            self.give_up(Instant::now() >= deadline);
            self.producer.poll(ROUND);
            self.client()?;
        }
        Some(())
    }

    /// Gives up what is not sent, or all.
    fn give_up(&self, all: bool) {
        let queue = PurgeConfig::default().queue();
        self.producer
            .purge(if all { queue.inflight() } else { queue });
    }

    /// The first one is made at once.
    fn wait(&mut self) -> Option<()> {
        if self.made.elapsed() > LONGEST_PAUSE * 2 {
            self.pause = Duration::ZERO;
        }
        let until = Instant::now() + self.pause;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            // A record may have come in between librdkafka's look whether it has ended, and the purge.
            self.give_up(true);
            let left = until.saturating_duration_since(Instant::now());
            self.producer.poll(REPORTS.min(left));
            self.client()?;
            if left.is_zero() {
                return Some(());
            }
        }
    }

    /// As if others had ended before.
    #[cfg(test)]
    pub(crate) fn wait_long(&mut self) -> Option<()> {
        self.pause = LONGEST_PAUSE;
        self.wait()
    }
}

/// Ends a client of librdkafka, which takes its time, once no call holds it still: not on the thread of that.
/// A record that the call hands over is reported.
fn destroy(producer: Arc<Producer>, alive: Sender<Infallible>) {
    while Arc::strong_count(&producer) > 1 {
        producer.poll(ROUND);
    }
    drop(producer);
    drop(alive);
}

fn destroy_elsewhere(producer: Arc<Producer>, alive: Sender<Infallible>) {
    let ending = thread::Builder::new().name("producer-end".into());
    let ended = ending.spawn(move || destroy(producer, alive));
    if let Err(error) = ended {
        tracing::warn!("no thread for the end of a producer's client: {error}");
    }
}
