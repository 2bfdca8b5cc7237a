//! A consumer for each group, or as many as there are workers.

use super::patience::Patience;
use super::{Running, Runtime, broker};
use crate::control::handle::GroupControl;
use crate::control::pauses::Pauses;
use crate::driver::setup::Setup;
use crate::handling::handler::Handler;
use crate::handling::locks::OrderLocks;
use crate::platform::NewConsumer;
use fastkafka_core::{Group, Plan, Problems};
use fastkafka_engine::Limits;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Shared by the workers of a group.
#[derive(Debug, Default)]
struct Common {
    locks: OrderLocks,
    pauses: Arc<Pauses>,
}

impl Runtime {
    pub(super) fn join_groups(&mut self, plan: &Plan) -> Result<Vec<GroupControl>, Problems> {
        let mut controls = Vec::with_capacity(plan.groups.len());
        for group in &plan.groups {
            let common = Common::default();
            let mut workers = Vec::new();
            // Without a group every consumer would read everything.
            let most = if group.standalone {
                1
            } else {
                self.options.workers.get()
            };
            for worker in 0..most {
                let running = self.join_as(group, worker, &common)?;
                workers.push(running.shared.clone());
                self.groups.push(running);
            }
            controls.push(GroupControl {
                cluster: group.cluster.clone(),
                id: group.id.clone(),
                handlers: group.handlers.iter().map(|handler| handler.def).collect(),
                pauses: common.pauses,
                workers,
            });
        }
        Ok(controls)
    }

    fn join_as(&self, group: &Group, worker: usize, common: &Common) -> Result<Running, Problems> {
        let handlers: Vec<_> = group
            .handlers
            .iter()
            .map(|handler| Arc::new(Handler::new(group, handler)))
            .collect();
        let settings = &group.settings;
        let topics = handlers.iter().flat_map(|h| h.def.subscription()).collect();
        let mut limits = Limits::default();
        if let Some(most) = handlers
            .iter()
            .filter_map(|handler| handler.max_uncommitted)
            .min()
        {
            limits.max_uncommitted = i64::from(most);
        }
        let producers = self.producers.clone();
        let wanted = NewConsumer::new(group, topics, worker, |shared, wake| {
            producers.on_room(wake);
            Setup {
                app: self.app.clone(),
                handlers,
                limits,
                rebalance_timeout: Duration::from_millis(
                    settings.rebalance_timeout_ms.unwrap_or(10_000),
                ),
                keep_alive: keep_alive(settings.max_poll_interval_ms),
                shutdown_timeout: self.options.shutdown_timeout,
                tokio: tokio::runtime::Handle::current(),
                locks: common.locks.clone(),
                pauses: common.pauses.clone(),
                has_room: Box::new({
                    let producers = producers.clone();
                    move || producers.has_room()
                }),
                shared,
            }
        });
        let shared = wanted.setup.shared.clone();
        let serving = self.platform.serve(wanted).map_err(broker)?;
        Ok(Running {
            shared,
            patience: Patience::from_settings(group.standalone, settings),
            serving: Mutex::new(Some(serving)),
        })
    }
}

/// Often enough for the group to see that we live.
fn keep_alive(max_poll_interval_ms: Option<u64>) -> Duration {
    let third = max_poll_interval_ms.map_or(Duration::MAX, |ms| Duration::from_millis(ms / 3));
    third.min(Duration::from_secs(1))
}
