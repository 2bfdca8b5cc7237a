//! Everything that a driver is given beside its client.

use crate::control::pauses::Pauses;
use crate::handling::call::HandlerContext;
use crate::handling::few_lines::FewLines;
use crate::handling::handler::Handler;
use crate::handling::keyed::Keyed;
use crate::handling::lane::Lane;
use crate::handling::locks::OrderLocks;
use crate::measures::Meters;
use crate::shared::Shared;
use crate::transport::PartitionRef;
use fastkafka_core::AppContext;
use fastkafka_engine::{Limits, Order, PartIndex};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Setup {
    pub(crate) app: Arc<AppContext>,
    pub(crate) handlers: Vec<Arc<Handler>>,
    pub(crate) limits: Limits,
    pub(crate) rebalance_timeout: Duration,
    /// The longest time between two turns: each counts as a sign of life. [L3]
    pub(crate) keep_alive: Duration,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) tokio: tokio::runtime::Handle,
    pub(crate) locks: OrderLocks,
    pub(crate) pauses: Arc<Pauses>,
    /// True while the producers have room.
    pub(crate) has_room: Box<dyn Fn() -> bool + Send>,
    pub(crate) shared: Arc<Shared>,
}

impl Setup {
    pub(super) fn cluster(&self) -> &str {
        self.handlers.first().map_or("", |handler| &handler.cluster)
    }

    /// The cluster for the log, where the app's own goes without saying.
    pub(super) fn named_cluster(&self) -> Option<&str> {
        Some(self.cluster()).filter(|name| !name.is_empty())
    }

    pub(super) fn group(&self) -> &str {
        self.handlers.first().map_or("", |handler| &handler.group)
    }

    /// The lane of a partition in partition order.
    pub(super) fn lane(
        &self,
        part: PartIndex,
        place: PartitionRef,
        handler: &Arc<Handler>,
        meters: &Arc<Meters>,
    ) -> Lane {
        Lane {
            context: Arc::new(self.context(part, place, handler, meters)),
            lock: self.locks.lock(place),
        }
    }

    /// The counterpart of a lane in order by key and without order.
    pub(super) fn keyed(
        &self,
        part: PartIndex,
        place: PartitionRef,
        handler: &Arc<Handler>,
        meters: &Arc<Meters>,
    ) -> Option<Keyed> {
        matches!(handler.policy.order, Order::Key { .. }).then(|| {
            let context = Arc::new(self.context(part, place, handler, meters));
            Keyed::new(context, self.locks.clone(), self.tokio.clone())
        })
    }

    fn context(
        &self,
        part: PartIndex,
        place: PartitionRef,
        handler: &Arc<Handler>,
        meters: &Arc<Meters>,
    ) -> HandlerContext {
        HandlerContext {
            app: self.app.clone(),
            part,
            place,
            handler: handler.clone(),
            meters: meters.clone(),
            shared: self.shared.clone(),
            letter_lines: FewLines::default(),
        }
    }
}
