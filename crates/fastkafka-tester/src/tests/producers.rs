//! What health says of producers, as on Kafka.

use crate::{ProduceFault, Tester};
use fastkafka::health::ProblemCode;
use fastkafka::{App, KafkaEvent, ProduceError, produces};
use std::time::Duration;

struct Shop;

#[produces(app = Shop, topic = "prices")]
async fn to_prices(n: u32) -> Result<KafkaEvent<u32>, ProduceError> {
    Ok(KafkaEvent::new(n).partition(0))
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_away_is_told_of_an_app_that_only_writes_and_until_it_is_back() {
    let app = App::scoped::<Shop>().title("shop").build();
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.advance(SECOND * 100).await;
    tester.broker_down();
    tester.advance(SECOND * 29).await;
    assert!(app.health().is_ready(), "it may pass by itself");
    tester.advance(SECOND * 2).await;
    let health = app.health();
    assert_eq!(
        health.to_string(),
        "not ready: producer `to_prices`: no broker is reached for 31 s: the broker is down"
    );
    tester.broker_up();
    assert!(app.health().is_ready(), "{}", app.health());
    // Another time is another problem.
    tester.broker_down();
    tester.advance(SECOND * 30).await;
    assert_eq!(app.health().problems()[0].since, SECOND * 30);
    tester.broker_up();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_records_are_lost_is_told_until_one_arrives() {
    let app = App::scoped::<Shop>().title("shop").build();
    let tester = Tester::start(app.clone()).await.unwrap();
    tester.fail_next_produce("prices", ProduceFault::Lost);
    to_prices(1).await.unwrap_err();
    tester.advance(SECOND * 31).await;
    let problems = app.health().problems();
    let [problem] = &*problems else {
        panic!("{problems:?}")
    };
    assert_eq!(problem.code, ProblemCode::OutputsWait);
    assert_eq!(
        (problem.topic.as_deref(), problem.partition),
        (Some("prices"), Some(0))
    );
    to_prices(2).await.unwrap();
    assert!(app.health().is_ready(), "{}", app.health());
    tester.stop().await;
}
