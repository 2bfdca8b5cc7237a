//! The board on the wall: the orders that this process has taken or seen answered.

use crate::order::{Order, Receipt};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use tokio::sync::watch;

/// Orders that the board remembers; older ones are forgotten.
const MOST: usize = 1_000;

/// The board. Cheap to clone; all clones are one board.
#[derive(Clone, Debug, Default)]
pub struct Board(watch::Sender<Slips>);

#[derive(Debug, Default)]
struct Slips {
    by_id: HashMap<String, Slip>,
    /// The ids, the oldest first.
    ids: VecDeque<String>,
}

/// What the board says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Slip {
    /// It was sent.
    Ordered {
        /// The order.
        order: Order,
    },
    /// Its receipt has come.
    Answered(Receipt),
}

impl Board {
    /// Puts up an order that was sent. Its receipt may have been faster.
    pub fn ordered(&self, order: Order) {
        let id = order.id.clone();
        self.0.send_modify(|slips| {
            if !slips.by_id.contains_key(&id) {
                slips.put(id, Slip::Ordered { order });
            }
        });
    }

    /// Puts up a receipt.
    pub fn answered(&self, receipt: Receipt) {
        let id = receipt.order.id.clone();
        self.0
            .send_modify(|slips| slips.put(id, Slip::Answered(receipt)));
    }

    /// What is known of an order.
    pub fn find(&self, id: &str) -> Option<Slip> {
        self.0.borrow().by_id.get(id).cloned()
    }

    /// Waits for the receipt of an order; `None` if the order is not on the board.
    pub async fn receipt(&self, id: &str) -> Option<Receipt> {
        let mut slips = self.0.subscribe();
        let waits = |slips: &Slips| matches!(slips.by_id.get(id), Some(Slip::Ordered { .. }));
        let slips = slips.wait_for(|slips| !waits(slips)).await.ok()?;
        match slips.by_id.get(id) {
            Some(Slip::Answered(receipt)) => Some(receipt.clone()),
            _ => None,
        }
    }
}

impl Slips {
    fn put(&mut self, id: String, slip: Slip) {
        if self.by_id.insert(id.clone(), slip).is_some() {
            return;
        }
        self.ids.push_back(id);
        if self.ids.len() > MOST
            && let Some(oldest) = self.ids.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }
}
