//! Tokens that nobody signs, for brokers that take such.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastkafka::cluster::OauthToken;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

/// A token that is good for three seconds, or as `ORDERS_TOKEN` says.
pub(crate) async fn unsigned_token() -> Result<OauthToken, String> {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let wrong = std::env::var("ORDERS_TOKEN").unwrap_or_default();
    if wrong == "none" {
        return Err("the token server is away".to_owned());
    }
    let now = SystemTime::now();
    let expires_at = now + Duration::from_secs(3);
    let seconds = |at: SystemTime| {
        at.duration_since(SystemTime::UNIX_EPOCH)
            .map(|d| d.as_secs())
    };
    let (Ok(iat), Ok(exp)) = (seconds(now), seconds(expires_at)) else {
        return Err("it is before 1970".to_owned());
    };
    // What a broker takes ends before it says.
    let exp = if wrong == "old" { 1 } else { exp + 1 };
    let claims = format!(r#"{{"sub":"orders","iat":{iat},"exp":{exp}}}"#);
    let [header, claims] = [r#"{"alg":"none"}"#, &claims].map(|json| URL_SAFE_NO_PAD.encode(json));
    tracing::info!("token {} made", MADE.fetch_add(1, Ordering::Relaxed) + 1);
    Ok(OauthToken {
        token: format!("{header}.{claims}.").into(),
        principal: "orders".to_owned(),
        expires_at,
    })
}
