//! The brokers that an app can run on, and how its clients get in.

use super::sorted;
use crate::model::{Named, Ref, Server, Variable};
use crate::names;
use crate::source::{Broker, Security};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The servers, and the security schemes that they refer to.
pub(super) struct Servers {
    pub(super) all: Named<Server>,
    pub(super) schemes: Named<Value>,
    /// By cluster.
    names: BTreeMap<String, Vec<String>>,
}

impl Servers {
    pub(super) fn new(brokers: &[Broker]) -> Self {
        let mut servers = Self {
            all: Named::new(),
            schemes: Named::new(),
            names: BTreeMap::new(),
        };
        let mut taken = BTreeSet::new();
        for broker in brokers {
            // Of several clusters with brokers of the same names.
            let title = match (&*broker.cluster, &*broker.name) {
                ("", name) => name.to_owned(),
                (cluster, "") => cluster.to_owned(),
                (cluster, name) => format!("{cluster}-{name}"),
            };
            let name = names::unused(names::server(&title), &mut taken);
            let cluster = servers.names.entry(broker.cluster.clone());
            cluster.or_default().push(name.clone());
            if let Some(security) = &broker.security {
                let scheme = sorted(scheme(security));
                servers.schemes.insert(name.clone(), scheme);
            }
            let title = (name != title).then_some(title);
            servers
                .all
                .insert(name.clone(), server(broker, &name, title));
        }
        servers
    }

    /// Those of a cluster; none where all are, which is what no list means.
    pub(super) fn of_cluster(&self, cluster: &str) -> Vec<Ref> {
        if self.names.len() < 2 {
            return Vec::new();
        }
        let names = self.names.get(cluster).into_iter().flatten();
        names.map(|name| Ref::to("servers", name)).collect()
    }
}

fn server(broker: &Broker, name: &str, title: Option<String>) -> Server {
    let certificate = broker.security == Some(Security::Certificate);
    let (host, variables) = host(&broker.bootstrap);
    Server {
        host,
        protocol: if broker.tls || certificate {
            "kafka-secure".to_owned()
        } else {
            "kafka".to_owned()
        },
        title,
        description: broker.description.clone(),
        variables,
        security: broker
            .security
            .iter()
            .map(|_| Ref::to("components/securitySchemes", name))
            .collect(),
        bindings: None,
    }
}

/// A host is one address; several are a variable that lists them.
fn host(bootstrap: &str) -> (String, Named<Variable>) {
    let addresses: Vec<String> = bootstrap
        .split(',')
        .map(|address| address.trim().to_owned())
        .filter(|address| !address.is_empty())
        .collect();
    match &*addresses {
        [] => (bootstrap.to_owned(), Named::new()),
        [only] => (only.clone(), Named::new()),
        [first, ..] => {
            let variable = Variable {
                default: Some(first.clone()),
                description: Some("Any of these brokers names all others.".to_owned()),
                values: addresses,
            };
            let variables = Named::from([("bootstrap".to_owned(), variable)]);
            ("{bootstrap}".to_owned(), variables)
        }
    }
}

fn scheme(security: &Security) -> Value {
    let plain = |kind: &str, description: &str| json!({ "type": kind, "description": description });
    match security {
        Security::Plain => plain("plain", "SASL PLAIN"),
        Security::ScramSha256 => plain("scramSha256", "SASL SCRAM-SHA-256"),
        Security::ScramSha512 => plain("scramSha512", "SASL SCRAM-SHA-512"),
        Security::Gssapi => plain("gssapi", "SASL GSSAPI (Kerberos)"),
        Security::Certificate => plain("X509", "A TLS certificate of the client"),
        Security::OAuthBearer { token_url, scopes } => json!({
            "type": "oauth2",
            "description": "SASL OAUTHBEARER",
            "flows": { "clientCredentials": { "tokenUrl": token_url, "availableScopes": scopes } },
            "scopes": scopes.keys().collect::<Vec<_>>(),
        }),
    }
}
