//! Records that are sent again alone, because the broker has refused them together with others of their batch.
//!
//! A broker judges a batch as a whole. What it refuses for one record, or for the size of them all, comes back as
//! a refusal of each, and only the broker knows which of them it would take alone. So each is set aside and
//! goes through a second client, whose batches have one record. What is refused there fails; the rest has
//! never been refused.
//!
//! Order holds by *class*: records of a topic with one key, or those without a key. While some of a class are
//! set aside, those that come later stand behind them. Those that came before that, and are on their way, are
//! waited for. One of them may be written meanwhile: see [`Aside`].

mod aside;
mod owed;

use self::aside::{Aside, Kept, Next, class};
use self::owed::Owed;
use crate::lock::lock;
use crate::names::ClusterNames;
use crate::producer::clients::{Client, Recipe, Role};
use crate::producer::delivery_reports::{Follower, not_delivered};
use crate::producer::in_flight::InFlight;
use fastkafka_core::{DeliveryToken, Failure, FailureKind, OutRecord};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::types::RDKafkaErrorCode;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

/// The way of refused records, beside the client that they came from.
pub(crate) struct Again {
    /// Of the second client, which is made when it is needed.
    recipe: Recipe,
    in_flight: Arc<InFlight>,
    owed: Owed,
    aside: Mutex<State>,
    first: OnceLock<Weak<Client>>,
    me: Weak<Self>,
}

#[derive(Default)]
struct State {
    aside: Aside,
    client: Option<Arc<Client>>,
    closed: bool,
}

/// True for a refusal that may be that of another record of the batch.
pub(crate) fn is_of_the_batch(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::InvalidRecord
            | RDKafkaErrorCode::InvalidDifferentRecord
            | RDKafkaErrorCode::InvalidTimestamp
            | RDKafkaErrorCode::InvalidMessage
            | RDKafkaErrorCode::InvalidMessageSize
            | RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::MessageBatchTooLarge
    )
}

fn class_of(message: &BorrowedMessage<'_>, names: &ClusterNames) -> usize {
    class(names.topic(message.topic()), message.key())
}

impl Follower for Role {
    fn written(&self, message: &BorrowedMessage<'_>, names: &ClusterNames, token: &DeliveryToken) {
        match self {
            Self::First(again) => again.written(message, names, token),
            Self::Again(again) => {
                if let Some(again) = again.upgrade() {
                    again.reported_again(class_of(message, names));
                }
            }
        }
    }

    fn lost(
        &self,
        message: &BorrowedMessage<'_>,
        names: &ClusterNames,
        (code, bytes): (RDKafkaErrorCode, usize),
        token: DeliveryToken,
    ) -> Option<DeliveryToken> {
        match self {
            Self::First(again) if is_of_the_batch(code) => {
                let topic = names.topic(message.topic());
                again.refused(topic, message, code, token, bytes);
                return None;
            }
            Self::First(again) => again.reported(class_of(message, names), |_| Vec::new()),
            Self::Again(again) => {
                if let Some(again) = again.upgrade() {
                    again.reported_again(class_of(message, names));
                }
            }
        }
        Some(token)
    }
}

impl Again {
    /// Beside the client of this recipe.
    pub(crate) fn beside(recipe: &Recipe, in_flight: &Arc<InFlight>) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            recipe: recipe.clone(),
            in_flight: in_flight.clone(),
            owed: Owed::default(),
            aside: Mutex::default(),
            first: OnceLock::new(),
            me: me.clone(),
        })
    }

    /// This is the client that records come from.
    pub(crate) fn follow(&self, first: &Arc<Client>) {
        self.first.get_or_init(|| Arc::downgrade(first));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.aside)
    }

    /// A record is about to go through the first client, which owes a report of it from here on. `None` when it
    /// was taken here, behind those of its class that are set aside.
    #[inline]
    pub(crate) fn begin(
        &self,
        record: &OutRecord<'_>,
        token: DeliveryToken,
    ) -> Option<DeliveryToken> {
        let class = class(record.topic, record.key);
        // Before the look: who sets the class aside then waits for this one, or is seen here.
        self.owed.begin(class);
        match self.owed.is_aside(class) {
            false => Some(token),
            true => self.stand_behind(class, record, token),
        }
    }

    #[cold]
    fn stand_behind(
        &self,
        class: usize,
        record: &OutRecord<'_>,
        token: DeliveryToken,
    ) -> Option<DeliveryToken> {
        let mut state = self.state();
        if !self.owed.is_aside(class) {
            return Some(token);
        }
        self.owed.not_begun(class);
        state.aside.stand_behind(class, Kept::new(record, token));
        drop(state);
        self.send(class);
        None
    }

    /// The first client has written a record, which belongs to a unit of order if a handler has made it.
    fn written(&self, message: &BorrowedMessage<'_>, names: &ClusterNames, token: &DeliveryToken) {
        let (topic, key) = (names.topic(message.topic()), message.key());
        self.reported(class(topic, key), |aside| match token.order_unit() {
            Some(unit) => aside.overtaken((topic, message.partition(), key), unit),
            None => Vec::new(),
        });
    }

    /// The first client has not taken a record.
    pub(crate) fn not_taken(&self, record: &OutRecord<'_>) {
        self.reported(class(record.topic, record.key), |_| Vec::new());
    }

    /// One report less is owed; `overtaken` is asked only while some of the class are set aside.
    #[inline]
    fn reported(&self, class: usize, overtaken: impl FnOnce(&mut Aside) -> Vec<Kept>) {
        if self.owed.is_aside(class) {
            return self.reported_aside(class, overtaken);
        }
        self.owed.reported(class);
        if self.owed.is_aside(class) {
            // Another thread has just set the class aside, and may wait for this one.
            self.send(class);
        }
    }

    #[cold]
    fn reported_aside(&self, class: usize, overtaken: impl FnOnce(&mut Aside) -> Vec<Kept>) {
        let mut state = self.state();
        let late = overtaken(&mut state.aside);
        self.owed.reported(class);
        drop(state);
        for kept in late {
            self.fail(kept, FailureKind::Transient { after: None });
        }
        self.send(class);
    }

    /// The broker has refused a record with its batch.
    #[cold]
    fn refused(
        &self,
        topic: &str,
        message: &BorrowedMessage<'_>,
        code: RDKafkaErrorCode,
        token: DeliveryToken,
        bytes: usize,
    ) {
        let class = class(topic, message.key());
        let kept = Kept::refused(topic, message, code, token, bytes);
        let mut state = self.state();
        self.owed.set_aside(class, true);
        self.owed.reported(class);
        state.aside.refuse(class, kept);
        drop(state);
        self.send(class);
    }

    /// The second client has reported a record.
    fn reported_again(&self, class: usize) {
        self.state().aside.reported(class, 1);
        self.send(class);
    }

    /// Sends of a class what is due. One thread at a time, and without the lock: a partitioner of the user's
    /// may call a producer.
    fn send(&self, class: usize) {
        loop {
            let mut state = self.state();
            let (batch, together) = match state.aside.next(class, self.owed.some(class)) {
                Next::Nothing => return,
                Next::Over => {
                    self.owed.set_aside(class, false);
                    return;
                }
                Next::Alone(batch) => (batch, false),
                Next::Together(batch) => (batch, true),
            };
            let client = match together {
                false => self.client(&mut state),
                true => self.first.get().and_then(Weak::upgrade),
            };
            drop(state);
            for kept in batch {
                if together {
                    self.owed.begin(class);
                }
                let taken = self.send_one(client.as_deref(), kept);
                match (taken, together) {
                    (true, _) => {}
                    (false, true) => self.owed.not_begun(class),
                    (false, false) => self.state().aside.reported(class, 1),
                }
            }
            self.state().aside.sent(class);
        }
    }

    /// The second client; `None` at the end of the app, or when it cannot be made.
    fn client(&self, state: &mut State) -> Option<Arc<Client>> {
        if state.closed {
            return None;
        }
        if state.client.is_none() {
            let made = Client::new(
                self.recipe.clone(),
                self.in_flight.clone(),
                Role::Again(self.me.clone()),
            );
            match made {
                Ok(client) => state.client = Some(client),
                Err(error) => tracing::error!(
                    "no client can be made that sends alone what was refused with its batch: {error}"
                ),
            }
        }
        state.client.clone()
    }

    /// False when it is not taken: it has failed then.
    fn send_one(&self, client: Option<&Client>, kept: Kept) -> bool {
        let live = client.map(Client::live);
        let Some(live) = live.as_ref().and_then(|live| live.as_ref()) else {
            self.fail(kept, FailureKind::Transient { after: None });
            return false;
        };
        let Kept {
            record,
            token,
            bytes,
            ..
        } = kept;
        let topic = live.other(&record.topic);
        let sent = match topic {
            Ok(topic) => topic.produce(&record.sent(), token),
            Err(code) => Err((code, token)),
        };
        let Err((code, token)) = sent else {
            return true;
        };
        self.count_lost();
        token.fail(not_delivered(&record.topic, code).into());
        self.in_flight.leave(bytes);
        false
    }

    /// Of an app that is gone nobody reads the counts.
    fn count_lost(&self) {
        if let Some(first) = self.first.get().and_then(Weak::upgrade) {
            first.watch.lost();
        }
    }

    /// It is not sent any more.
    fn fail(&self, kept: Kept, kind: FailureKind) {
        let code = kept.refused.unwrap_or(RDKafkaErrorCode::PurgeQueue);
        let error = not_delivered(&kept.record.topic, code);
        self.count_lost();
        kept.token.fail(Failure::from(error).with_kind(kind));
        self.in_flight.leave(kept.bytes);
    }

    /// The second client, if it was made.
    pub(crate) fn second(&self) -> Option<Arc<Client>> {
        self.state().client.clone()
    }

    /// Takes nothing more, and gives up what is not sent.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let client = state.client.clone();
        let left = state.aside.give_up();
        drop(state);
        for kept in left {
            self.fail(kept, FailureKind::Transient { after: None });
        }
        if let Some(client) = client {
            client.close();
        }
    }
}
