//! A group around its members.

use super::super::cluster::{Cluster, Locked, lock, place};
use super::super::outbox::Outbox;
use super::state::HandlerState;
use crate::control::pauses::Pauses;
use crate::handling::locks::OrderLocks;
use fastkafka_core::{
    AppContext, AppInfo, AppSpec, Around, DefaultApp, Register, Registry, States,
};
use fastkafka_engine::Limits;
use std::sync::Arc;
use tokio::sync::Notify;

/// Everything that the members of a group have in common.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) cluster: Locked<Cluster>,
    pub(crate) state: HandlerState,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) limits: Limits,
    pub(super) spec: Arc<AppSpec>,
    pub(super) app: Arc<AppContext>,
    pub(super) locks: OrderLocks,
    pub(super) pauses: Arc<Pauses>,
    pub(super) woken: Arc<Notify>,
}

impl World {
    pub(crate) fn new<C: Register>() -> Self {
        Self::around::<C>(None)
    }

    /// With a hook around the handlers.
    pub(crate) fn around<C: Register>(hook: Option<Box<dyn Around>>) -> Self {
        let state = HandlerState::new();
        let mut states = States::default();
        states.insert(state.clone());
        let registry = Registry::new([C::ENTRY]);
        let spec = AppSpec::new(AppInfo::default(), registry, &states);
        let app = AppContext::new::<DefaultApp>(&spec.registry, states).with_around(hook);
        let (app, outbox) = (Arc::new(app), Outbox::new());
        assert!(app.connect(outbox.clone()).is_ok());
        Self {
            cluster: Locked::default(),
            state,
            outbox,
            limits: Limits::default(),
            spec: Arc::new(spec),
            app,
            locks: OrderLocks::default(),
            pauses: Arc::default(),
            woken: Arc::default(),
        }
    }

    pub(crate) fn fill(&self, partition: i32, n: i64) {
        lock(&self.cluster).fill(partition, n);
        self.woken.notify_one();
    }

    pub(crate) fn committed(&self, partition: i32) -> Option<i64> {
        lock(&self.cluster).committed.get(place(partition)).copied()
    }
}
