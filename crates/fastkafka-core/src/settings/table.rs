//! A settings struct from its table: one row per key gives the field, the method that sets it, what
//! reads it from text and shows it, and whether the handlers of a group must agree on it.

/// `[client]` keys reach the one consumer of a group, `[handler]` keys stay with the function. The
/// text after `=` is the default, as the guide and `check --explain` show it.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$doc:meta])* [$reach:ident] $key:ident: $ty:ty = $default:literal, )* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $( $(#[$doc])* pub $key: Option<$ty>, )*
        }

        /// What is set; a login in an address is hidden.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut all = f.debug_struct(stringify!($name));
                $(if let Some(value) = &self.$key {
                    match stringify!($key) {
                        key @ "bootstrap_servers" => {
                            let text = $crate::settings::value::Value::show(value);
                            all.field(key, &Some($crate::settings::address::shown(key, text)))
                        }
                        key => all.field(key, &Some(value)),
                    };
                })*
                all.finish_non_exhaustive()
            }
        }

        impl $name {
            /// Every key with its default.
            pub const KEYS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($key), $default)),*];

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $key(mut self, value: impl Into<$ty>) -> Self {
                    self.$key = Some(value.into());
                    self
                }
            )*

            /// These settings, and those of `below` where these say nothing.
            #[must_use]
            pub fn over(self, below: &Self) -> Self {
                Self {
                    $( $key: match (self.$key, &below.$key) {
                        (Some(above), Some(below)) => Some($crate::settings::value::Value::over(above, below)),
                        (above, below) => above.or_else(|| below.clone()),
                    }, )*
                }
            }

            /// Sets a key from text.
            ///
            /// # Errors
            /// When the key does not exist, or the text is none of its values.
            pub fn set(&mut self, key: &str, text: &str) -> Result<(), String> {
                match key {
                    $( stringify!($key) => {
                        let value = $crate::settings::value::Value::read(text).map_err(|takes| format!("`{key}` takes {takes}"))?;
                        // Of one place: properties add up.
                        self.$key = Some(match self.$key.take() {
                            Some(before) => $crate::settings::value::Value::over(value, &before),
                            None => value,
                        });
                    } )*
                    _ => return Err($crate::settings::value::unknown(key, Self::KEYS)),
                }
                Ok(())
            }

            /// What is wrong with the values, wherever they come from; each begins with a verb.
            pub fn wrong(&self) -> Vec<String> {
                let all = [$(self.$key.as_ref().and_then(|value| $crate::settings::value::Value::wrong(value, stringify!($key)))),*];
                all.into_iter().flatten().collect()
            }

            /// The settings that are set, as text; secrets are masked.
            pub fn shown(&self) -> Vec<(&'static str, String)> {
                let all = [$((stringify!($key), self.$key.as_ref().map($crate::settings::value::Value::show))),*];
                let set = all.into_iter().filter_map(|(key, text)| Some((key, text?)));
                set.map(|(key, text)| (key, $crate::settings::address::shown(key, text))).collect()
            }

            /// The keys that one client cannot have both as here and as there.
            #[allow(dead_code, reason = "producers with other settings have another client")]
            pub(crate) fn conflicts(&self, other: &Self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(
                    if $crate::settings::table::settings!(@is_client $reach)
                        && let (Some(a), Some(b)) = (&self.$key, &other.$key)
                        && !$crate::settings::value::Value::agrees(a, b)
                    {
                        keys.push(stringify!($key));
                    }
                )*
                keys
            }

            /// The settings that reach the client.
            #[allow(dead_code, reason = "as above")]
            #[must_use]
            pub(crate) fn of_client(&self) -> Self {
                Self { $( $key: self.$key.clone().filter(|_| $crate::settings::table::settings!(@is_client $reach)), )* }
            }
        }
    };
    (@is_client client) => { true };
    (@is_client handler) => { false };
}

/// The same, with the keys of the connection to a cluster.
macro_rules! settings_of_a_client {
    ($(#[$meta:meta])* $name:ident { $($rows:tt)* }) => {
        $crate::settings::table::settings! {
            $(#[$meta])*
            $name {
                $($rows)*
                /// Addresses of some brokers, `host:port`, joined by commas; default those of the app's broker.
                /// The embedded broker ignores this and the following.
                [client] bootstrap_servers: $crate::settings::Text = "the app's broker",
                /// The protocol between clients and brokers; default that of the app's broker, else
                /// [`SecurityProtocol::Plaintext`](crate::SecurityProtocol::Plaintext).
                [client] security_protocol: $crate::settings::SecurityProtocol = "plaintext",
                /// Certificates for TLS; default the system's authorities, and none of the client's own.
                [client] ssl_context: $crate::settings::Tls = "none",
                /// The mechanism of the login; default none.
                [client] sasl_mechanism: $crate::settings::SaslMechanism = "none",
                /// The user of PLAIN and SCRAM; default none.
                [client] sasl_plain_username: $crate::settings::Text = "none",
                /// The password of PLAIN and SCRAM; default none.
                [client] sasl_plain_password: $crate::settings::Secret = "none",
                /// The brokers' Kerberos name; default `kafka`.
                [client] sasl_kerberos_service_name: $crate::settings::Text = "kafka",
                /// The provider of OAUTHBEARER tokens; default none.
                [client] sasl_oauth_token_provider: $crate::settings::Tokens = "none",
            }
        }

        impl $name {
            /// These settings with this connection to the cluster.
            #[allow(dead_code, reason = "a connection is nothing else")]
            #[must_use]
            pub(crate) fn reached_by(mut self, connection: $crate::settings::Connection) -> Self {
                self.bootstrap_servers = connection.bootstrap_servers;
                self.security_protocol = connection.security_protocol;
                self.ssl_context = connection.ssl_context;
                self.sasl_mechanism = connection.sasl_mechanism;
                self.sasl_plain_username = connection.sasl_plain_username;
                self.sasl_plain_password = connection.sasl_plain_password;
                self.sasl_kerberos_service_name = connection.sasl_kerberos_service_name;
                self.sasl_oauth_token_provider = connection.sasl_oauth_token_provider;
                self
            }

            /// The connection to the cluster, as far as these settings have it.
            pub fn connection(&self) -> $crate::settings::Connection {
                $crate::settings::Connection {
                    bootstrap_servers: self.bootstrap_servers.clone(),
                    security_protocol: self.security_protocol,
                    ssl_context: self.ssl_context.clone(),
                    sasl_mechanism: self.sasl_mechanism,
                    sasl_plain_username: self.sasl_plain_username.clone(),
                    sasl_plain_password: self.sasl_plain_password.clone(),
                    sasl_kerberos_service_name: self.sasl_kerberos_service_name.clone(),
                    sasl_oauth_token_provider: self.sasl_oauth_token_provider.clone(),
                }
            }
        }
    };
}

pub(super) use {settings, settings_of_a_client};
