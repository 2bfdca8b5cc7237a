//! Consuming: payload, key, headers, place and state. `docs/guide/consuming.md` tells about it.

use fastkafka::{
    App, EventMetadata, Headers, KafkaEvent, Key, ProduceError, State, consumes, produces,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Price {
    cents: u64,
}

/// The last price of every article.
type Prices = Arc<Mutex<BTreeMap<String, u64>>>;

/// Keeps the prices, and says which one has changed. A tombstone takes the article away.
#[consumes(topic = "prices", auto_offset_reset = "earliest")]
async fn on_prices(
    price: Option<Price>,
    Key(article): Key<String>,
    headers: Headers<'_>,
    meta: EventMetadata,
    State(prices): State<Prices>,
) -> Result<(), ProduceError> {
    let source = headers.get("source").unwrap_or(b"nobody").escape_ascii();
    println!("offset {} by {source}: {article} {price:?}", meta.offset());
    let before = {
        let mut prices = prices.lock().expect("nobody panics with it");
        match &price {
            Some(price) => prices.insert(article.clone(), price.cents),
            None => prices.remove(&article),
        }
    };
    to_changes(&article, before, price).await?;
    Ok(())
}

#[produces(topic = "changes")]
async fn to_changes(
    article: &str,
    before: Option<u64>,
    now: Option<Price>,
) -> Result<KafkaEvent<String>, ProduceError> {
    let change = match (before, now) {
        (Some(before), Some(now)) => format!("from {before} to {} cents", now.cents),
        (None, Some(now)) => format!("new, {} cents", now.cents),
        (_, None) => "sold out".to_owned(),
    };
    Ok(KafkaEvent::new(change).key(article))
}

fn app() -> App {
    App::builder()
        .title("Prices")
        .default_broker("embedded")
        .state(Prices::default())
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "prices")]
async fn to_prices(article: &str, cents: Option<u64>) -> Result<KafkaEvent<Price>, ProduceError> {
    let Some(cents) = cents else {
        return Ok(KafkaEvent::tombstone(article));
    };
    let price = KafkaEvent::new(Price { cents }).key(article);
    Ok(price.header("source", "shop"))
}

fn main() -> ExitCode {
    guide::main(app, 6, async |_| {
        to_prices("tea", Some(250)).await?;
        to_prices("tea", Some(240)).await?;
        to_prices("tea", None).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn a_new_price_is_told_from_a_changed_one() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_prices(Price { cents: 250 }).key("tea").await;
        let cheaper = tester.to_prices(Price { cents: 240 }).key("tea");
        cheaper.header("source", "shop").await;
        let changes = tester.on_changes().messages();
        assert_eq!(changes, ["new, 250 cents", "from 250 to 240 cents"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_price_without_an_article_is_refused() {
        let tester = Tester::start(app()).await.unwrap();
        let keyless = tester.to_prices(Price { cents: 250 });
        keyless.unsettled().await;
        tester.on_changes().assert_not_awaited().await;
        let refused = tester.spy::<on_prices>().refused();
        assert!(refused[0].1.contains("key"), "{refused:?}");
    }
}
