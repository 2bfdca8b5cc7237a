//! One output of many goes to a topic that the app may not write to: it alone fails.

use std::time::Duration;

use fastkafka::{App, Broker, Key, ProduceError, consumes, produces};
use kafka_lab::{Kafka, NewRecord};

use crate::kafka::process::eventually;

const RECORDS: usize = 1_000;
/// The one whose output nobody may write.
const BAD: usize = 500;

struct NotAuthorised;

#[consumes(
    app = NotAuthorised,
    topic = "rights.in",
    group_id = "rights",
    auto_offset_reset = "earliest",
    auto_commit_interval_ms = 200,
    order = "key",
    attempts = 3,
    dead_letter = "rights.dead"
)]
async fn on_right(n: usize, _: Key<&str>) -> Result<(), ProduceError> {
    match n {
        BAD => to_forbidden(n).await.map(drop),
        _ => to_allowed(n).await.map(drop),
    }
}

#[produces(app = NotAuthorised, topic = "rights.allowed")]
async fn to_allowed(n: usize) -> Result<usize, ProduceError> {
    Ok(n)
}

#[produces(app = NotAuthorised, topic = "rights.forbidden")]
async fn to_forbidden(n: usize) -> Result<usize, ProduceError> {
    Ok(n)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_is_not_authorised_is_the_only_dead_letter_and_the_others_arrive_once() {
    let kafka = Kafka::builder().authorized().start().unwrap();
    for topic in ["in", "allowed", "forbidden", "dead"] {
        kafka
            .create_topic(&format!("rights.{topic}"), 1, &[])
            .unwrap();
    }
    kafka.deny_writes("rights.forbidden").unwrap();
    let records: Vec<_> = (0..RECORDS)
        .map(|n| NewRecord::new(n.to_string()).key(format!("key {n}")))
        .collect();
    kafka.produce("rights.in", &records).unwrap();
    let app = App::scoped::<NotAuthorised>()
        .title("rights")
        .broker("lab", Broker::new(kafka.bootstrap().to_owned()))
        .start_timeout(Duration::from_secs(60))
        .build();
    app.start().await.unwrap();
    let end = i64::try_from(RECORDS).unwrap();
    let committed = || {
        let committed = kafka.committed("rights", "rights.in").unwrap();
        (committed.get(&0) == Some(&end)).then_some(())
    };
    tokio::task::block_in_place(|| eventually("everything is committed", committed));
    app.stop().await.unwrap();
    let [letter] = &kafka.consume("rights.dead").unwrap()[..] else {
        panic!("one record is to blame");
    };
    let header = |name: &str| {
        let mut headers = letter.headers.iter();
        let value = headers.find(|header| header.0 == format!("fastkafka-dead-letter-{name}"));
        String::from_utf8(value.unwrap().1.clone().unwrap()).unwrap()
    };
    assert_eq!(letter.value.as_deref(), Some(BAD.to_string().as_bytes()));
    // No repetition can help.
    assert_eq!(header("attempts"), "1");
    let error = header("error");
    assert!(
        error.contains("rights.forbidden") && error.contains("uthoriz"),
        "{error}"
    );
    assert!(kafka.consume("rights.forbidden").unwrap().is_empty());
    let mut others: Vec<usize> = kafka
        .consume("rights.allowed")
        .unwrap()
        .into_iter()
        .map(|record| {
            String::from_utf8(record.value.unwrap())
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    others.sort_unstable();
    let expected: Vec<_> = (0..RECORDS).filter(|n| *n != BAD).collect();
    assert_eq!(others, expected);
}
