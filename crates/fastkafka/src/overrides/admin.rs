//! The variables of the admin listener, which are of one word.

use super::Overrides;

const ADMIN: &str = "FASTKAFKA_ADMIN";
const HOST: &str = "FASTKAFKA_ADMIN_HOST";
const TOKEN_FILE: &str = "FASTKAFKA_ADMIN_TOKEN_FILE";

/// Variables have no case.
fn known(name: &str) -> Option<&'static str> {
    let mut known = [ADMIN, HOST, TOKEN_FILE].into_iter();
    known.find(|known| name.eq_ignore_ascii_case(known))
}

impl Overrides {
    /// True when the variable is one of them.
    #[cfg(feature = "admin")]
    pub(super) fn read_admin(&mut self, name: &str, value: &str) -> bool {
        let Some(known) = known(name) else {
            return false;
        };
        if value.is_empty() {
            self.unreadable
                .push(format!("{known}: is empty; set it or leave it out"));
            return true;
        }
        let admin = &mut self.admin;
        match known {
            ADMIN => admin.address = Some(value.to_owned()),
            HOST => {
                let hosts = value.split(',').map(|host| host.trim().to_owned());
                admin.hosts = hosts.collect();
            }
            _ => admin.token_file = Some(value.into()),
        }
        true
    }

    #[cfg(not(feature = "admin"))]
    pub(super) fn read_admin(&mut self, name: &str, _: &str) -> bool {
        let known = known(name);
        self.unreadable.extend(known.map(|known| {
            format!("{known}: this build has no admin listener; it is the feature `admin` of `fastkafka`")
        }));
        known.is_some()
    }
}

#[cfg(all(test, feature = "admin"))]
mod tests {
    use super::*;
    use crate::admin::Admin;

    fn read(variables: &[(&str, &str)]) -> Overrides {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        Overrides::new(None, variables)
    }

    #[test]
    fn each_variable_is_read_and_no_other() {
        let found = read(&[
            ("FASTKAFKA_ADMIN", "127.0.0.1:9000"),
            ("fastkafka_admin_host", "shop, shop.internal"),
            ("FASTKAFKA_ADMIN_TOKEN_FILE", "/run/token"),
        ]);
        let expected = Admin::new("127.0.0.1:9000")
            .host("shop")
            .host("shop.internal");
        assert_eq!(found.admin, expected.token_file("/run/token"));
        assert_eq!(found.unreadable, [""; 0]);
        let wrong = read(&[("FASTKAFKA_ADMIN_PORT_X", "1"), ("FASTKAFKA_ADMIN", "")]);
        assert_eq!(wrong.unreadable.len(), 2, "{:?}", wrong.unreadable);
        assert_eq!(wrong.admin, Admin::default());
    }
}
