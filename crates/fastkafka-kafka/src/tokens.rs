//! OAuth tokens: fetched ahead in the background, since librdkafka asks for one and can not wait.

use crate::lock::lock;
use fastkafka_core::{CatchRun, OauthToken, TokenProvider};
use rdkafka::client::OAuthToken;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Between two questions to a provider that failed.
const AGAIN: Duration = Duration::from_secs(2);

/// For the answer to a later question: one that never comes must not be the last.
const PATIENCE: Duration = Duration::from_secs(30);

/// The token that clients get.
pub(super) struct CurrentToken {
    token: Mutex<OauthToken>,
    /// Why there is no newer one.
    failure: Mutex<Option<String>>,
    /// Dropped when nobody needs another one.
    needed: Mutex<Option<oneshot::Sender<Infallible>>>,
}

impl CurrentToken {
    /// Fetches the first token, and the following ones as long as somebody has the value, or until its
    /// [`end`](Self::end). The first one has to come by the deadline, which is that of `start_timeout`.
    ///
    /// # Errors
    /// When there is no first one.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(super) async fn keep(
        provider: Arc<dyn TokenProvider>,
        deadline: Instant,
        start_timeout: Duration,
    ) -> Result<Arc<Self>, String> {
        let token = ask(&*provider, deadline).await.map_err(|why| match why {
            Refusal::Late => format!(
                "`sasl_oauth_token_provider` has not answered within {start_timeout:?} (`start_timeout`)"
            ),
            Refusal::Failed(why) => format!("`sasl_oauth_token_provider` has no token: {why}"),
        })?;
        if remaining(&token).is_zero() {
            return Err("`sasl_oauth_token_provider` gave a token that has ended".to_owned());
        }
        let (needed, mut over) = oneshot::channel();
        let current = Arc::new(Self {
            token: Mutex::new(token),
            failure: Mutex::default(),
            needed: Mutex::new(Some(needed)),
        });
        let renewed = Arc::downgrade(&current);
        tokio::spawn(async move {
            tokio::select! {
                () = renew(provider, renewed) => {}
                _ = &mut over => {}
            }
        });
        Ok(current)
    }

    /// The last client that needs tokens has ended.
    pub(super) fn end(&self) {
        lock(&self.needed).take();
    }

    /// The token in the form that librdkafka takes.
    pub(super) fn token(&self) -> Result<OAuthToken, String> {
        let token = self.lock();
        if remaining(&token).is_zero() {
            let failure = lock(&self.failure);
            return Err(match &*failure {
                Some(why) => format!("the token has ended, and there is no new one: {why}"),
                None => "the token has ended".to_owned(),
            });
        }
        let until = token.expires_at.duration_since(SystemTime::UNIX_EPOCH);
        let millis = until.unwrap_or_default().as_millis();
        Ok(OAuthToken {
            token: token.token.expose().to_owned(),
            principal_name: token.principal.clone(),
            lifetime_ms: i64::try_from(millis).unwrap_or(i64::MAX),
        })
    }

    fn lock(&self) -> MutexGuard<'_, OauthToken> {
        lock(&self.token)
    }

    fn put(&self, token: OauthToken) {
        *self.lock() = token;
        self.fail(None);
    }

    fn fail(&self, why: Option<String>) {
        *lock(&self.failure) = why;
    }
}

fn remaining(token: &OauthToken) -> Duration {
    let left = token.expires_at.duration_since(SystemTime::now());
    left.unwrap_or_default()
}

/// Why there is no token.
enum Refusal {
    Failed(String),
    Late,
}

/// Asks once. The code is a user's: it may hang and panic.
async fn ask(provider: &dyn TokenProvider, deadline: Instant) -> Result<OauthToken, Refusal> {
    let asked = CatchRun::new(Box::pin(async { provider.token().await }));
    match tokio::time::timeout_at(deadline, asked).await {
        Ok(Ok(token)) => token.map_err(|error| Refusal::Failed(error.to_string())),
        Ok(Err(panic)) => Err(Refusal::Failed(format!("a panic: {panic}"))),
        Err(_) => Err(Refusal::Late),
    }
}

/// librdkafka asks when four fifths of a token's life are over: by then there is a new one.
async fn renew(provider: Arc<dyn TokenProvider>, current: Weak<CurrentToken>) {
    let left = || Some(remaining(&current.upgrade()?.lock()));
    let Some(mut wait) = left().map(|left| left * 3 / 4) else {
        return;
    };
    loop {
        tokio::time::sleep(wait).await;
        let token = ask(&*provider, Instant::now() + PATIENCE).await;
        let Some(current) = current.upgrade() else {
            return;
        };
        let why = match token {
            Ok(token) => {
                let left = remaining(&token) * 3 / 4;
                current.put(token);
                wait = left.max(Duration::from_millis(100));
                continue;
            }
            Err(Refusal::Failed(why)) => why,
            Err(Refusal::Late) => format!("it has not answered within {PATIENCE:?}"),
        };
        tracing::warn!("`sasl_oauth_token_provider` has no new token: {why}");
        current.fail(Some(why));
        wait = AGAIN;
    }
}

impl fmt::Debug for CurrentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CurrentToken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn first(provider: Arc<dyn TokenProvider>) -> Result<Arc<CurrentToken>, String> {
        let start_timeout = Duration::from_secs(30);
        CurrentToken::keep(provider, Instant::now() + start_timeout, start_timeout).await
    }

    fn token(text: String, life: Duration) -> OauthToken {
        OauthToken {
            token: text.into(),
            principal: "me".to_owned(),
            expires_at: SystemTime::now() + life,
        }
    }

    /// Turns until `done`; the tokens' ends are on the system's clock.
    async fn until(done: impl Fn() -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while !done() {
            assert!(std::time::Instant::now() < deadline, "not in time");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn a_token_is_renewed_before_it_ends_and_after_a_failure() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        async fn mine() -> Result<OauthToken, String> {
            match ASKED.fetch_add(1, Ordering::Relaxed) {
                1 => Err("the server is away".to_owned()),
                n => Ok(token(format!("token {n}"), Duration::from_millis(1_500))),
            }
        }
        let current = first(Arc::new(mine)).await.unwrap();
        assert_eq!(current.token().unwrap().token, "token 0");
        // The old one has ended, and the reason is known.
        until(|| current.token().is_err()).await;
        let why = current.token().err().unwrap();
        assert!(why.ends_with("the server is away"), "{why}");
        until(|| current.token().is_ok_and(|t| t.token != "token 0")).await;
    }

    #[tokio::test]
    async fn without_a_first_token_there_is_a_reason() {
        async fn none() -> Result<OauthToken, String> {
            Err("no such client".to_owned())
        }
        let why = first(Arc::new(none)).await.unwrap_err();
        assert_eq!(
            why,
            "`sasl_oauth_token_provider` has no token: no such client"
        );
        async fn old() -> Result<OauthToken, String> {
            Ok(token(String::new(), Duration::ZERO))
        }
        assert!(first(Arc::new(old)).await.is_err());
    }

    /// Though the first one lasts for an hour, also while the provider is asked, and whoever has the last one.
    #[tokio::test]
    async fn nobody_asks_for_tokens_that_nobody_needs() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        async fn mine() -> Result<OauthToken, String> {
            match ASKED.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(token(String::new(), Duration::from_secs(3_600))),
                1 => Ok(token(String::new(), Duration::from_millis(200))),
                _ => std::future::pending().await,
            }
        }
        for (n, is_dropped) in [(1, true), (3, false)] {
            let provider: Arc<dyn TokenProvider> = Arc::new(mine);
            let current = first(provider.clone()).await.unwrap();
            until(|| ASKED.load(Ordering::Relaxed) == n).await;
            let mut held = Some(current);
            if is_dropped {
                held = None;
            }
            held.iter().for_each(|current| current.end());
            // The task lets go of the provider when it ends.
            until(|| Arc::strong_count(&provider) == 1).await;
            assert_eq!(ASKED.load(Ordering::Relaxed), n);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_hangs_or_panics_is_a_reason_too() {
        async fn never() -> Result<OauthToken, String> {
            std::future::pending().await
        }
        async fn panics() -> Result<OauthToken, String> {
            panic!("no server is named");
        }
        let why = first(Arc::new(never)).await.unwrap_err();
        assert_eq!(
            why,
            "`sasl_oauth_token_provider` has not answered within 30s (`start_timeout`)"
        );
        let why = first(Arc::new(panics)).await.unwrap_err();
        assert_eq!(
            why,
            "`sasl_oauth_token_provider` has no token: a panic: no server is named"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_hangs_once_or_panics_once_is_asked_again() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        async fn mine() -> Result<OauthToken, String> {
            let life = Duration::from_secs(3_600);
            match ASKED.fetch_add(1, Ordering::Relaxed) {
                1 => std::future::pending().await,
                2 => panic!("no server is named"),
                n => Ok(token(format!("token {n}"), life)),
            }
        }
        let current = first(Arc::new(mine)).await.unwrap();
        let reason = || lock(&current.failure).clone();
        until(|| reason().is_some()).await;
        assert_eq!(reason().unwrap(), "it has not answered within 30s");
        until(|| current.token().is_ok_and(|t| t.token == "token 3")).await;
        assert_eq!(reason(), None);
    }
}
