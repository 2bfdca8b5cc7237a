//! The clusters of an app, and the one that a function uses.
//!
//! A function is on the app's own cluster, on that of its `brokers = ..`, or on one that has only an
//! address, its `bootstrap_servers`.

use crate::function::definition::Location;
use crate::plan::problem::Problem;
use crate::settings::address::masked;
use crate::settings::{Brokers, ConsumerSettings, ProducerSettings, Text};

/// A cluster that an app uses.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name: that of its [`Brokers`], which the app's own may lack, or its address.
    pub name: Text,
    /// Its brokers; none where an address is all there is.
    pub brokers: Brokers,
    /// The cluster is known only by the `bootstrap_servers` of a function.
    pub is_address: bool,
    /// The first function that uses it; an app without functions has none.
    pub used_by: Option<(&'static str, Location)>,
    /// The settings for dead letters there.
    pub dead_letters: ProducerSettings,
}

impl Cluster {
    /// A cluster without a description.
    pub(crate) fn new(name: impl Into<Text>) -> Self {
        let name = name.into();
        Self {
            brokers: Brokers::new(name.clone()),
            name,
            is_address: false,
            used_by: None,
            dead_letters: ProducerSettings::default(),
        }
    }
}

/// The settings of a function that decide on its cluster.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    brokers: Option<&'a Brokers>,
    address: Option<&'a Text>,
}

impl<'a> From<&'a ConsumerSettings> for Site<'a> {
    fn from(settings: &'a ConsumerSettings) -> Self {
        Self {
            brokers: settings.brokers.as_ref(),
            address: settings.bootstrap_servers.as_ref(),
        }
    }
}

impl<'a> From<&'a ProducerSettings> for Site<'a> {
    fn from(settings: &'a ProducerSettings) -> Self {
        Self {
            brokers: settings.brokers.as_ref(),
            address: settings.bootstrap_servers.as_ref(),
        }
    }
}

impl Site<'_> {
    /// The name of the cluster; `own` is the app's own.
    pub(crate) fn cluster(self, own: &Brokers) -> Text {
        match (self.brokers, self.address) {
            (Some(brokers), _) => brokers.name().to_owned().into(),
            // A name is printed; with a login in its address an app does not start.
            (None, Some(address)) => masked(address).into_owned().into(),
            (None, None) => own.name().to_owned().into(),
        }
    }

    /// Both settings are there, and each names a cluster.
    pub(crate) fn is_twofold(self) -> bool {
        self.brokers.is_some() && self.address.is_some()
    }
}

/// The clusters of an app while its plan is made.
pub(crate) struct Clusters<'a> {
    own: &'a Brokers,
    found: Vec<Cluster>,
}

impl<'a> Clusters<'a> {
    pub(crate) fn new(own: &'a Brokers) -> Self {
        Self {
            own,
            found: Vec::new(),
        }
    }

    /// Adds the cluster of a function, and returns its name.
    pub(crate) fn add(
        &mut self,
        site: Site<'_>,
        function: (&'static str, Location),
        problems: &mut Vec<Problem>,
    ) -> Text {
        let name = site.cluster(self.own);
        let brokers = match site.brokers {
            // Functions may name the app's own cluster, too.
            Some(brokers) => brokers.clone(),
            None if site.address.is_some() => Brokers::new(name.clone()),
            None => self.own.clone(),
        };
        let known = self.found.iter().find(|cluster| cluster.name == name);
        let described = match known {
            Some(known) => Some((&known.brokers, known.used_by)),
            None if self.own.name() == name => Some((self.own, None)),
            None => None,
        };
        // An address describes no brokers that could differ from others.
        if let Some((first, used_by)) = described
            && site.address.is_none()
            && !first.is_like(&brokers)
        {
            problems.push(Problem::TwoClusters {
                name: name.clone(),
                first: used_by,
                second: function,
            });
        }
        if let Some(brokers) = site.brokers
            && !brokers.has_a_good_name()
        {
            problems.push(Problem::Setting {
                handler: function.0,
                what: format!(
                    "has `brokers` of cluster `{}`, which is no name: it takes ASCII letters, digits, `.`, `_` and `-`",
                    brokers.name()
                ),
                at: function.1,
            });
        }
        if known.is_none() {
            self.found.push(Cluster {
                brokers,
                is_address: site.brokers.is_none() && site.address.is_some(),
                used_by: Some(function),
                ..Cluster::new(name.clone())
            });
        }
        name
    }

    /// All clusters, the app's own first. That one is in the list where no other is, and where a function
    /// has only an address: the function logs in there as at the app's broker.
    pub(crate) fn end(self) -> Vec<Cluster> {
        let own = self.own.name();
        let mut found = self.found;
        let addressed = found.iter().find(|cluster| cluster.is_address);
        let needs_own = found.is_empty() || addressed.is_some();
        if needs_own && !found.iter().any(|cluster| cluster.name == own) {
            found.push(Cluster {
                brokers: self.own.clone(),
                used_by: addressed.and_then(|cluster| cluster.used_by),
                ..Cluster::new(own.to_owned())
            });
        }
        found.sort_by(|a, b| (a.name != own, &a.name).cmp(&(b.name != own, &b.name)));
        found
    }
}
