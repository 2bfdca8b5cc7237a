//! Bad networks: [toxiproxy](https://github.com/Shopify/toxiproxy) between a client and the broker.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Request;

use crate::LabError;

/// A way to the broker that can be made slow, narrow or dead: [`Builder::proxied`](crate::Builder::proxied).
///
/// Clients that bootstrap here stay here: the broker has a listener of its own behind each proxy, and tells
/// them the proxy's address.
#[derive(Clone, Debug)]
pub struct Proxy {
    name: String,
    /// Where clients connect.
    listen: String,
    control: Control,
}

/// What ails a connection until it is [cured](Proxy::cure).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toxic {
    /// Everything arrives later, by `delay` plus or minus up to `jitter`, in both directions.
    Latency {
        /// The delay of each direction.
        delay: Duration,
        /// How much it varies.
        jitter: Duration,
    },
    /// The answers of the broker come at so many kilobytes per second.
    Bandwidth {
        /// Kilobytes per second.
        rate: u32,
    },
    /// Connections stay open and nothing arrives.
    Silence {
        /// The share of connections that it hits, each direction of each for itself, by chance.
        percent: u8,
    },
    /// Every connection, also a new one, is reset (RST) as soon as something is sent.
    Reset,
    /// All connections are closed, new ones refused.
    Cut,
}

/// Toxiproxy's HTTP interface.
#[derive(Clone)]
pub(crate) struct Control {
    agent: Agent,
    address: String,
}

impl Proxy {
    pub(crate) fn create(
        control: &Control,
        name: String,
        listen: String,
        upstream: &str,
    ) -> Result<Self, LabError> {
        let proxy = json!({"name": name, "listen": listen, "upstream": upstream, "enabled": true});
        control.post("/proxies", &proxy)?;
        Ok(Self {
            name,
            listen,
            control: control.clone(),
        })
    }

    /// `127.0.0.1:PORT`, for clients.
    #[must_use]
    pub fn bootstrap(&self) -> &str {
        &self.listen
    }

    /// Makes the connection ail, beside what ails it already.
    ///
    /// # Errors
    ///
    /// Toxiproxy refuses: the same [`Toxic`] is there already.
    pub fn ail(&self, toxic: Toxic) -> Result<(), LabError> {
        let toxics = format!("/proxies/{}/toxics", self.name);
        let share = match toxic {
            Toxic::Silence { percent } => f64::from(percent) / 100.0,
            _ => 1.0,
        };
        let add = |kind: &str, stream: &str, attributes: Value| {
            let toxic = json!({
                "name": format!("{kind}-{stream}"), "type": kind, "stream": stream, "toxicity": share,
                "attributes": attributes,
            });
            self.control.post(&toxics, &toxic)
        };
        match toxic {
            Toxic::Latency { delay, jitter } => {
                let (delay, jitter) = (milliseconds(delay), milliseconds(jitter));
                let attributes = json!({"latency": delay, "jitter": jitter});
                add("latency", "upstream", attributes.clone())?;
                add("latency", "downstream", attributes)
            }
            Toxic::Bandwidth { rate } => add("bandwidth", "downstream", json!({"rate": rate})),
            Toxic::Silence { .. } => {
                // Without an end of its own it lasts until it is removed.
                add("timeout", "upstream", json!({"timeout": 0}))?;
                add("timeout", "downstream", json!({"timeout": 0}))
            }
            Toxic::Reset => add("reset_peer", "upstream", json!({"timeout": 0})),
            Toxic::Cut => self.enable(false),
        }
    }

    /// Removes all that ails it. Connections that were silent are closed: what was swallowed is gone.
    ///
    /// # Errors
    ///
    /// Toxiproxy does not answer.
    pub fn cure(&self) -> Result<(), LabError> {
        let path = format!("/proxies/{}/toxics", self.name);
        let toxics = self.control.get(&path)?;
        for toxic in toxics.as_array().into_iter().flatten() {
            let name = toxic["name"].as_str().unwrap_or_default();
            self.control.delete(&format!("{path}/{name}"))?;
        }
        self.enable(true)
    }

    fn enable(&self, enabled: bool) -> Result<(), LabError> {
        let path = format!("/proxies/{}", self.name);
        self.control.post(&path, &json!({"enabled": enabled}))
    }
}

impl Control {
    pub(crate) fn new(port: u16) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            // The answer says more than its status.
            .http_status_as_error(false)
            .build();
        Self {
            agent: config.into(),
            address: format!("http://127.0.0.1:{port}"),
        }
    }

    pub(crate) fn answers(&self) -> bool {
        self.get("/proxies").is_ok()
    }

    fn get(&self, path: &str) -> Result<Value, LabError> {
        self.call("GET", path, None)
    }

    fn post(&self, path: &str, body: &Value) -> Result<(), LabError> {
        self.call("POST", path, Some(body)).map(drop)
    }

    fn delete(&self, path: &str) -> Result<(), LabError> {
        self.call("DELETE", path, None).map(drop)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, LabError> {
        let refused = |message: String| LabError::Refused {
            request: format!("toxiproxy {method} {path}"),
            message,
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .body(body)
            .map_err(|error| refused(error.to_string()))?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| refused(error.to_string()))?;
        let text = response
            .body_mut()
            .read_to_string()
            .map_err(|error| refused(error.to_string()))?;
        if !response.status().is_success() {
            return Err(refused(text));
        }
        // A deletion has no answer.
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| refused(error.to_string()))
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
