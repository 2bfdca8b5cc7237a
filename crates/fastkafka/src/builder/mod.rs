//! The builder of an app: names, settings, brokers, topics and state. Its hooks are in `lifespan.rs`.

mod lifespan;

use crate::app::{App, Inner, Life};
use crate::hook::Hooks;
use crate::overrides::Overrides;
use crate::topic::Topic;
use fastkafka_core::{
    AppContext, AppInfo, AppSpec, Around, Broker, Brokers, ConsumerSettings, Contact, Def,
    DefaultApp, License, ProducerSettings, Register, Registry, States,
};
use fastkafka_runtime::Handle;
use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Time is added to this moment, and must not overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Builds an [`App`]; made by [`App::builder`] and [`App::scoped`].
///
/// `S` is the app's type: it holds the functions under `app = S`, or those without `app` when it is
/// the default.
pub struct AppBuilder<S = DefaultApp> {
    info: AppInfo,
    group_id: Option<String>,
    client_id: Option<String>,
    consumer_defaults: ConsumerSettings,
    producer_defaults: ProducerSettings,
    config_file: Option<PathBuf>,
    brokers: Brokers,
    default_broker: Option<String>,
    topics: BTreeMap<String, Topic>,
    states: States,
    around: Option<Box<dyn Around>>,
    hooks: Hooks,
    registered: Vec<Def>,
    explicit: bool,
    start_timeout: Duration,
    shutdown_timeout: Duration,
    max_in_flight: usize,
    #[cfg(feature = "admin")]
    admin: crate::admin::Admin,
    scope: PhantomData<fn() -> S>,
}

impl<S> fmt::Debug for AppBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder")
            .field("title", &self.info.title)
            .field("brokers", &self.brokers)
            .finish_non_exhaustive()
    }
}

impl<S: 'static> AppBuilder<S> {
    pub(crate) fn new() -> Self {
        Self {
            info: AppInfo {
                title: "FastKafka".to_owned(),
                version: "0.1.0".to_owned(),
                ..AppInfo::default()
            },
            group_id: None,
            client_id: None,
            consumer_defaults: ConsumerSettings::default(),
            producer_defaults: ProducerSettings::default(),
            config_file: None,
            brokers: Brokers::default(),
            default_broker: None,
            topics: BTreeMap::new(),
            states: States::default(),
            around: None,
            hooks: Hooks::default(),
            registered: Vec::new(),
            explicit: false,
            start_timeout: Duration::from_secs(30),
            shutdown_timeout: Duration::from_secs(25),
            max_in_flight: 30_000,
            #[cfg(feature = "admin")]
            admin: crate::admin::Admin::default(),
            scope: PhantomData,
        }
    }

    /// The app's name. A slug of it is the group id of consumers without one.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.info.title = title.into();
        self
    }

    /// The app's version; default `0.1.0`.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.info.version = version.into();
        self
    }

    /// A description of the app, for its AsyncAPI document.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = description.into();
        self
    }

    /// The contact that answers for the app.
    #[must_use]
    pub fn contact(mut self, contact: Contact) -> Self {
        self.info.contact = Some(contact);
        self
    }

    /// The licence of the app.
    #[must_use]
    pub fn license(mut self, license: License) -> Self {
        self.info.license = Some(license);
        self
    }

    /// The address of the terms of service.
    #[must_use]
    pub fn terms_of_service(mut self, url: impl Into<String>) -> Self {
        self.info.terms_of_service = Some(url.into());
        self
    }

    /// A broker of the app's own cluster, under a name. The first one is used without a choice;
    /// `embedded`, a broker in the process, is always there.
    #[must_use]
    pub fn broker(mut self, name: impl Into<String>, broker: Broker) -> Self {
        self.brokers = self.brokers.broker(name.into(), broker);
        self
    }

    /// The app's own cluster, when it has a name: other apps, or functions of this one, may be on it by
    /// `brokers = ..`. It takes the place of what [`broker`](Self::broker) has added before.
    ///
    /// ```
    /// # use fastkafka::cluster::Brokers;
    /// # use fastkafka::{App, Broker};
    /// fn payments() -> Brokers {
    ///     Brokers::new("payments").broker("localhost", Broker::new("localhost:9093"))
    /// }
    /// let app = App::builder().title("Payments").brokers(payments).build();
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn brokers(mut self, brokers: impl Into<Brokers>) -> Self {
        self.brokers = brokers.into();
        self
    }

    /// The broker to use without a choice: one of the names, or `embedded`. It is chosen in every
    /// cluster of the app.
    #[must_use]
    pub fn default_broker(mut self, name: impl Into<String>) -> Self {
        self.default_broker = Some(name.into());
        self
    }

    /// The partitions, replicas and settings of a topic that `run --create-topics` or the embedded broker makes:
    /// on every cluster where a function has it, on the app's own if none has.
    #[must_use]
    pub fn topic(mut self, name: impl Into<String>, topic: Topic) -> Self {
        self.topics.insert(name.into(), topic);
        self
    }

    /// The group of consumers without `group_id`; default a slug of the title.
    #[must_use]
    pub fn group_id(mut self, group_id: impl Into<String>) -> Self {
        self.group_id = Some(group_id.into());
        self
    }

    /// The clients' id at the broker; default a slug of the title.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Settings of all consumers; the keys of `#[consumes]` win over them.
    ///
    /// ```
    /// # use fastkafka::App;
    /// # use fastkafka::settings::{ConsumerSettings, OffsetReset};
    /// let app = App::builder()
    ///     .consumer_defaults(
    ///         ConsumerSettings::default()
    ///             .auto_offset_reset(OffsetReset::Earliest)
    ///             .attempts(5),
    ///     )
    ///     .build();
    /// # let _ = app;
    /// ```
    #[must_use]
    pub fn consumer_defaults(mut self, settings: ConsumerSettings) -> Self {
        self.consumer_defaults = settings;
        self
    }

    /// Settings of all producers; the keys of `#[produces]` win over them.
    #[must_use]
    pub fn producer_defaults(mut self, settings: ProducerSettings) -> Self {
        self.producer_defaults = settings;
        self
    }

    /// A TOML file with settings, which come before those in the code. The variable `FASTKAFKA_CONFIG`
    /// names another one. A file that is missing is a problem of the start.
    #[must_use]
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// A value for `State<T>` parameters. One per type; a second one takes the first one's place.
    #[must_use]
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// The hook around every handler call; a second one takes the first one's place.
    #[must_use]
    pub fn around(mut self, around: impl Around) -> Self {
        self.around = Some(Box::new(around));
        self
    }

    /// Ignores what the linker found: the app holds only what [`register`](Self::register) names.
    #[must_use]
    pub fn explicit(mut self) -> Self {
        self.explicit = true;
        self
    }

    /// Adds a function by name; for apps that are [`explicit`](Self::explicit).
    #[must_use]
    pub fn register<F: Register<App = S>>(mut self) -> Self {
        self.registered.push(F::ENTRY);
        self
    }

    /// Keeps a function of a library crate: without a reference the linker drops the whole crate.
    #[must_use]
    pub fn expect<F: Register<App = S>>(self) -> Self {
        self.register::<F>()
    }

    /// The longest time that the start may take; default 30 s. More than a year counts as a year.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout.min(LONGEST);
        self
    }

    /// The longest time that the stop may take; default 25 s, since Kubernetes ends a pod after 30.
    /// More than a year counts as a year.
    #[must_use]
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout.min(LONGEST);
        self
    }

    /// Records sent and not yet reported at which producers wait; default 30,000.
    #[must_use]
    pub fn max_in_flight(mut self, records: usize) -> Self {
        self.max_in_flight = records;
        self
    }

    /// Opens the [admin listener](crate::admin) at this address while the app runs: health, metrics and state over
    /// HTTP. Without it, and without one from outside, no port is opened. The tester opens none.
    #[cfg(feature = "admin")]
    #[must_use]
    pub fn admin(mut self, admin: impl Into<crate::admin::Admin>) -> Self {
        self.admin = admin.into();
        self
    }

    /// Reads the environment and the file of settings, and builds the app. It never fails: [`App::check`]
    /// and the start name every mistake at once.
    pub fn build(mut self) -> App {
        let handle = Handle::default();
        self.states.insert(handle.clone());
        let registry = if self.explicit {
            Registry::new(self.registered)
        } else {
            Registry::linked_and(TypeId::of::<S>(), self.registered)
        };
        let mut spec = AppSpec::new(self.info, registry, &self.states);
        spec.brokers = self.brokers;
        spec.consumer_defaults = self.consumer_defaults;
        spec.producer_defaults = self.producer_defaults;
        let overrides = Overrides::read(self.config_file.as_deref());
        spec.overrides = overrides.found;
        spec.unreadable = overrides.unreadable;
        let client_id = self.client_id.unwrap_or_else(|| spec.group_id.clone());
        if let Some(group_id) = self.group_id {
            spec.group_id = group_id;
        }
        let context = AppContext::new::<S>(&spec.registry, self.states).with_around(self.around);
        let inner = Inner {
            spec,
            context: Arc::new(context),
            client_id,
            default_broker: self.default_broker,
            topics: self.topics,
            hooks: self.hooks,
            start_timeout: self.start_timeout,
            shutdown_timeout: self.shutdown_timeout,
            max_in_flight: self.max_in_flight,
            handle,
            #[cfg(feature = "admin")]
            admin: overrides.admin.or(self.admin),
            life: Life::default(),
        };
        App::new(Arc::new(inner))
    }
}
