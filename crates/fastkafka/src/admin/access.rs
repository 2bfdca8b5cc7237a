//! Who asks: for a name that is ours, and with the token or without.

use crate::host::is_meant;
use hyper::Request;
use hyper::header::AUTHORIZATION;

/// Who may see what.
pub(crate) struct Access {
    hosts: Vec<String>,
    token: Option<String>,
}

/// What the one who asks may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sees {
    /// Everything but texts that may quote a record.
    Figures,
    /// The texts of errors as well.
    Errors,
    /// Nothing: the token is wrong.
    Nothing,
    /// Nothing: it asks for a name of somebody else.
    Misdirected,
}

impl Access {
    pub(crate) fn new(hosts: Vec<String>, token: Option<String>) -> Self {
        Self { hosts, token }
    }

    pub(crate) fn look<B>(&self, request: &Request<B>) -> Sees {
        if !is_meant(request, &self.hosts) {
            return Sees::Misdirected;
        }
        let said = request.headers().get(AUTHORIZATION);
        match (said.and_then(|said| bearer(said.as_bytes())), &self.token) {
            (None, _) | (Some(_), None) => Sees::Figures,
            (Some(said), Some(token)) if same(said, token.as_bytes()) => Sees::Errors,
            (Some(_), Some(_)) => Sees::Nothing,
        }
    }
}

/// The token that a request brings. Another scheme is the login of a proxy in front, and none of ours.
fn bearer(said: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = said.split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}

/// Takes as long wherever two of one length differ: a guess tells nothing but the length.
fn same(a: &[u8], b: &[u8]) -> bool {
    let different = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && std::hint::black_box(different) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_token_sees_errors() {
        let access = Access::new(Vec::new(), Some("s3cret".to_owned()));
        let look = |said: Option<&str>| {
            let mut request = Request::get("/");
            if let Some(said) = said {
                request = request.header(AUTHORIZATION, said);
            }
            access.look(&request.body(()).unwrap())
        };
        assert_eq!(look(None), Sees::Figures);
        assert_eq!(look(Some("Bearer s3cret")), Sees::Errors);
        assert_eq!(look(Some("bearer s3cret")), Sees::Errors);
        for said in ["Bearer s3cres", "Bearer s3cret2", "Bearer "] {
            assert_eq!(look(Some(said)), Sees::Nothing, "{said}");
        }
        for said in ["s3cret", "Basic s3cret", "Negotiate s3cret", ""] {
            assert_eq!(look(Some(said)), Sees::Figures, "{said}");
        }
    }

    #[test]
    fn without_a_token_nobody_sees_errors() {
        let access = Access::new(Vec::new(), None);
        let request = Request::get("/").header(AUTHORIZATION, "Bearer ");
        assert_eq!(access.look(&request.body(()).unwrap()), Sees::Figures);
    }
}
