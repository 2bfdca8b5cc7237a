//! What an app holds beside its functions.

use crate::delivery::error::ProduceError;
use crate::function::around::Around;
use crate::function::meter::{Tally, tallies};
use crate::function::producer::RecordSink;
use crate::function::registry::Registry;
use crate::plan::overrides::Override;
use crate::settings::{Brokers, ConsumerSettings, ProducerSettings};
use crate::testing::Interceptor;
use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

/// Title, version and the like: what the app says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppInfo {
    /// Its name; a slug of it is the default group id.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What it does.
    pub description: String,
    /// Who answers for it.
    pub contact: Option<Contact>,
    /// Under which licence it may be used.
    pub license: Option<License>,
    /// Where the terms of service are.
    pub terms_of_service: Option<String>,
}

/// Who answers for an app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    /// A person or a team.
    pub name: Option<String>,
    /// Where to read on.
    pub url: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
}

/// A licence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct License {
    /// Its name, such as `Apache-2.0`.
    pub name: String,
    /// Its text.
    pub url: Option<String>,
}

type Value = Box<dyn Any + Send + Sync>;

struct StateEntry {
    id: TypeId,
    type_name: &'static str,
    value: OnceLock<Value>,
}

/// The values that `State<T>` parameters are cloned from: one per type.
#[derive(Default)]
pub struct States(Vec<StateEntry>);

impl States {
    /// Adds a value. A second one of the same type takes the place of the first.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.declare::<T>();
        self.set(value);
    }

    /// Announces a value that is made when the app starts.
    pub fn declare<T: Send + Sync + 'static>(&mut self) {
        let id = TypeId::of::<T>();
        self.0.retain(|entry| entry.id != id);
        self.0.push(StateEntry {
            id,
            type_name: type_name::<T>(),
            value: OnceLock::new(),
        });
    }

    /// Fills in an announced value, once.
    pub fn set<T: Send + Sync + 'static>(&self, value: T) {
        if let Some(entry) = self.entry(TypeId::of::<T>()) {
            // A second start of the same app keeps the first value.
            let _ = entry.value.set(Box::new(value));
        }
    }

    /// The value of a type.
    #[inline]
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.entry(TypeId::of::<T>())?.value.get()?.downcast_ref()
    }

    /// A handful of entries: a scan beats hashing.
    #[inline]
    fn entry(&self, id: TypeId) -> Option<&StateEntry> {
        self.0.iter().find(|entry| entry.id == id)
    }

    /// True when a value of this type was given or announced.
    pub fn has(&self, id: TypeId) -> bool {
        self.entry(id).is_some()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|entry| entry.type_name))
            .finish()
    }
}

/// An app as core and runtime see it. Users hold it as `fastkafka::App`.
pub struct AppCore {
    scope: TypeId,
    /// What it says of itself.
    pub info: AppInfo,
    /// The group of consumers without `group_id`.
    pub group_id: String,
    /// Its own cluster, of functions without `brokers` and `bootstrap_servers`.
    pub brokers: Brokers,
    /// What `#[consumes]` does not say.
    pub consumer_defaults: ConsumerSettings,
    /// What `#[produces]` does not say.
    pub producer_defaults: ProducerSettings,
    /// What the environment and the file say, the winner first.
    pub overrides: Vec<Override>,
    /// What of them could not be read.
    pub unreadable: Vec<String>,
    /// Its functions.
    pub registry: Registry,
    /// Its state.
    pub states: States,
    /// The hook around its handlers.
    pub around: Option<Box<dyn Around>>,
    tallies: Vec<Tally>,
    sink: OnceLock<Arc<dyn RecordSink>>,
    watch: OnceLock<Arc<dyn Interceptor>>,
}

impl AppCore {
    /// An app of the type `S`.
    pub fn new<S: 'static>(info: AppInfo, registry: Registry, states: States) -> Self {
        let group_id = slug(&info.title);
        Self {
            scope: TypeId::of::<S>(),
            info,
            group_id,
            brokers: Brokers::default(),
            consumer_defaults: ConsumerSettings::default(),
            producer_defaults: ProducerSettings::default(),
            overrides: Vec::new(),
            unreadable: Vec::new(),
            tallies: tallies(registry.defs()),
            registry,
            states,
            around: None,
            sink: OnceLock::new(),
            watch: OnceLock::new(),
        }
    }

    /// The app's type.
    #[inline]
    pub fn scope(&self) -> TypeId {
        self.scope
    }

    /// A value of `State<T>`.
    #[inline]
    pub fn state<T: 'static>(&self) -> Option<&T> {
        self.states.get()
    }

    /// What is counted of its functions under `#[benchmark]`.
    #[inline]
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    /// Where its records go once it is connected.
    #[inline]
    pub fn sink(&self) -> Option<&Arc<dyn RecordSink>> {
        self.sink.get()
    }

    /// Who sees its calls and outputs: a tester.
    #[doc(hidden)]
    #[inline]
    pub fn watch(&self) -> Option<&dyn Interceptor> {
        self.watch.get().map(|watch| &**watch)
    }

    /// Lets `watch` see all calls and outputs.
    ///
    /// # Errors
    /// Gives it back when the app is watched already.
    #[doc(hidden)]
    pub fn watch_by(&self, watch: Arc<dyn Interceptor>) -> Result<(), Arc<dyn Interceptor>> {
        self.watch.set(watch)
    }

    /// Connects the app and makes it one of the running apps, for calls outside handlers.
    ///
    /// # Errors
    /// Gives the sink back when the app is connected already: an app is started once.
    pub fn connect(self: &Arc<Self>, sink: Arc<dyn RecordSink>) -> Result<(), Arc<dyn RecordSink>> {
        self.sink.set(sink)?;
        let mut all = RUNNING.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|app| app.strong_count() > 0);
        all.push(Arc::downgrade(self));
        Ok(())
    }

    /// The app is no longer one of the running apps.
    pub fn disconnect(self: &Arc<Self>) {
        let me = Arc::downgrade(self);
        RUNNING
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|app| !app.ptr_eq(&me));
    }
}

static RUNNING: RwLock<Vec<Weak<AppCore>>> = RwLock::new(Vec::new());

/// The one running app of the type `scope`.
pub(crate) fn running(scope: TypeId, producer: &'static str) -> Result<Arc<AppCore>, ProduceError> {
    let all = RUNNING.read().unwrap_or_else(PoisonError::into_inner);
    let mut found = all
        .iter()
        .filter_map(Weak::upgrade)
        .filter(|app| app.scope == scope);
    match (found.next(), found.count()) {
        (None, _) => Err(ProduceError::NoApp { producer }),
        (Some(app), 0) => Ok(app),
        (Some(_), more) => Err(ProduceError::AmbiguousApp {
            producer,
            running: more + 1,
        }),
    }
}

/// Lower case, words joined by `-`: what a title looks like as a group id.
fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() || matches!(c, '.' | '_') {
            slug.push(c);
        } else if !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_matches('-').to_owned()
}

impl fmt::Debug for AppCore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppCore")
            .field("title", &self.info.title)
            .field("functions", &self.registry.defs().len())
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_group_id() {
        assert_eq!(slug("  Iris predictions (v2)! "), "iris-predictions-v2");
    }
}
