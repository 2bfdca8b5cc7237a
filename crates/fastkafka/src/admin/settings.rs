//! What is set of the admin listener, and from where.

use crate::host::is_name;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Bytes of a token file. A token is a line.
const LONGEST: u64 = 4_096;

/// Settings of the admin listener, for [`AppBuilder::admin`](crate::app::AppBuilder::admin).
///
/// ```
/// use fastkafka::App;
/// use fastkafka::admin::Admin;
///
/// let admin = Admin::new("0.0.0.0:9000").host("shop.internal").token_file("/run/secrets/admin");
/// let app = App::builder().title("Shop").admin(admin).build();
/// # let _ = app;
/// ```
///
/// The variables `FASTKAFKA_ADMIN`, `FASTKAFKA_ADMIN_HOST` (names with commas between them) and
/// `FASTKAFKA_ADMIN_TOKEN_FILE` win over it, and the options of `run` over both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admin {
    pub(crate) address: Option<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) token_file: Option<PathBuf>,
}

impl Admin {
    /// Listens at this address, `127.0.0.1:9000` or `[::1]:9000`. Port 0 takes any that is free;
    /// [`App::admin_address`](crate::App::admin_address) says which.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: Some(address.into()),
            ..Self::default()
        }
    }

    /// A name by which it is asked. It answers to addresses and to `localhost` without being told: the page of a
    /// stranger can let its own name lead here, and no address.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// A file with a token. Whoever sends it as `Authorization: Bearer ..` sees the texts of errors, which may quote
    /// what records have; others do not.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// What is set here, and for the rest what is set there.
    pub(crate) fn or(self, other: Self) -> Self {
        let hosts = match self.hosts.is_empty() {
            true => other.hosts,
            false => self.hosts,
        };
        Self {
            address: self.address.or(other.address),
            hosts,
            token_file: self.token_file.or(other.token_file),
        }
    }

    /// Where it listens, and to whom.
    ///
    /// # Errors
    /// A sentence for each mistake.
    pub(crate) fn read(&self) -> Result<Opened, Vec<String>> {
        let mut wrong = Vec::new();
        let address = self.address.as_deref().and_then(|address| {
            let read = address.parse();
            if read.is_err() {
                let shown = address.escape_debug();
                wrong.push(format!(
                    "the admin listener's address `{shown}` is not an address with a port, such as `127.0.0.1:9000` or `[::]:9000`"
                ));
            }
            read.ok()
        });
        for host in self.hosts.iter().filter(|host| !is_name(host)) {
            let shown = host.escape_debug();
            wrong.push(format!(
                "`--admin-host {shown}` is not a name; write it without scheme and port, such as `shop.internal`"
            ));
        }
        let token = self.token_file.as_deref().map(token).transpose();
        match (token, wrong.is_empty()) {
            (Ok(token), true) => Ok(Opened {
                address,
                hosts: self.hosts.clone(),
                token,
            }),
            (token, _) => {
                wrong.extend(token.err());
                Err(wrong)
            }
        }
    }
}

/// An address alone.
impl From<&str> for Admin {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}

/// An address alone.
impl From<String> for Admin {
    fn from(address: String) -> Self {
        Self::new(address)
    }
}

/// An address alone.
impl From<SocketAddr> for Admin {
    fn from(address: SocketAddr) -> Self {
        Self::new(address.to_string())
    }
}

/// The settings as they are used.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) address: Option<SocketAddr>,
    pub(crate) hosts: Vec<String>,
    pub(crate) token: Option<String>,
}

/// Without the token.
impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("address", &self.address)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// The token in a file: its text without the end of the line.
fn token(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot =
        |error: io::Error| format!("the admin token cannot be read from `{shown}`: {error}");
    if fs::metadata(path).map_err(cannot)?.len() > LONGEST {
        return Err(format!(
            "`{shown}` is too long for an admin token: it has at most {LONGEST} bytes"
        ));
    }
    let text = fs::read_to_string(path).map_err(cannot)?;
    let token = text.trim();
    let is_sendable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_sendable {
        Ok(token.to_owned())
    } else {
        Err(format!(
            "`{shown}` has no admin token: it is a word of ASCII characters"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(admin: &Admin) -> String {
        admin.read().unwrap_err().join("\n")
    }

    #[test]
    fn an_address_has_a_port_and_may_be_of_either_family() {
        for address in ["127.0.0.1:9000", "[::1]:0", "0.0.0.0:9000"] {
            let read = Admin::new(address).read().unwrap();
            assert_eq!(read.address, address.parse().ok());
        }
        for address in [
            "",
            "9000",
            "localhost",
            "127.0.0.1",
            "::1:9000",
            "a:99999",
            "x\n:1",
        ] {
            let said = wrong(&Admin::new(address));
            assert!(said.contains("is not an address with a port"), "{said}");
            assert!(!said.contains('\n'));
        }
        assert_eq!(Admin::default().read().unwrap().address, None);
    }

    #[test]
    fn a_host_is_a_name_alone() {
        let hosts = |name: &str| Admin::default().host(name).read();
        assert!(hosts("shop.internal").is_ok());
        for name in ["http://shop", "shop:9000", "", "a b", "shop/"] {
            assert!(
                hosts(name).unwrap_err()[0].contains("is not a name"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_token_file_has_one_word() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            Admin::default().token_file(&file).read()
        };
        assert_eq!(read("s3cret\n").unwrap().token.as_deref(), Some("s3cret"));
        for text in ["", "\n", "two words", "ü"] {
            assert!(read(text).unwrap_err()[0].contains("has no admin token"));
        }
        assert!(read(&"x".repeat(5_000)).unwrap_err()[0].contains("too long"));
        let missing = Admin::default().token_file(folder.path().join("none"));
        assert!(wrong(&missing).contains("cannot be read"));
        assert!(!format!("{:?}", read("s3cret").unwrap()).contains("s3cret"));
    }

    #[test]
    fn what_is_set_nearer_wins_one_by_one() {
        let near = Admin::new("127.0.0.1:1").host("near");
        let far = Admin::new("127.0.0.1:2").host("far").token_file("token");
        let both = near.clone().or(far.clone());
        assert_eq!(both, near.token_file("token"));
        assert_eq!(Admin::default().or(far.clone()), far);
    }
}
