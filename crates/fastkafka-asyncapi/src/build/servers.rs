//! The clusters that an app can run on, and how its clients get in.

use super::sorted;
use crate::model::{Named, Ref, Server, Variable};
use crate::names;
use crate::source::{Cluster, Security};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The servers, and the security schemes that they refer to.
pub(super) fn describe(clusters: &[Cluster]) -> (Named<Server>, Named<Value>) {
    let (mut servers, mut schemes) = (Named::new(), Named::new());
    let mut taken = BTreeSet::new();
    for cluster in clusters {
        let name = names::unused(names::server(&cluster.name), &mut taken);
        let certificate = cluster.security == Some(Security::Certificate);
        let (host, variables) = host(&cluster.bootstrap);
        let server = Server {
            host,
            protocol: if cluster.tls || certificate {
                "kafka-secure".to_owned()
            } else {
                "kafka".to_owned()
            },
            title: (name != cluster.name).then(|| cluster.name.clone()),
            description: cluster.description.clone(),
            variables,
            security: cluster
                .security
                .iter()
                .map(|_| Ref::to("components/securitySchemes", &name))
                .collect(),
            bindings: None,
        };
        if let Some(security) = &cluster.security {
            schemes.insert(name.clone(), sorted(scheme(security)));
        }
        servers.insert(name, server);
    }
    (servers, schemes)
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
