//! What an app is doing, as data.

use super::App;
use super::life::Phase;
use fastkafka_runtime::{AppPhase, AppState, GroupState, Runtime};
use std::collections::BTreeMap;

impl App {
    /// What the app is doing: its groups with each partition, committed offset, position and lag, the records that
    /// wait or stand still, and its problems. It is as of a second ago at most, and waits for nobody: handlers that
    /// block their threads do not keep it.
    ///
    /// ```no_run
    /// # fn show(app: fastkafka::App) -> Result<(), serde_json::Error> {
    /// let state = app.snapshot();
    /// for (name, group) in &state.groups {
    ///     let members = group.members.values();
    ///     let partitions = members.flat_map(|member| member.partitions.values());
    ///     let lag: i64 = partitions.filter_map(|partition| partition.lag).sum();
    ///     println!("{name} is {lag} records behind");
    /// }
    /// println!("{}", serde_json::to_string(&state)?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn snapshot(&self) -> AppState {
        let runtime = self.inner.life.runtime.get();
        let groups = runtime.map(Runtime::groups);
        let mut state = self.in_groups(groups.unwrap_or_default());
        if let Some(runtime) = runtime {
            (state.in_flight_bytes, state.outputs) = runtime.outputs();
        }
        state
    }

    pub(super) fn in_groups(&self, groups: BTreeMap<String, GroupState>) -> AppState {
        let life = &self.inner.life;
        let is_over = life.end.borrow().is_some();
        let phase = match *life.phase.borrow() {
            _ if is_over => AppPhase::Stopped,
            Phase::New => AppPhase::New,
            Phase::Starting => AppPhase::Starting,
            Phase::Started => AppPhase::Started,
            Phase::Stopping | Phase::Never => AppPhase::Stopping,
        };
        let info = &self.inner.spec.info;
        let about = (&*info.title, &*info.version);
        AppState::new(about, phase, self.health(), groups)
    }
}
