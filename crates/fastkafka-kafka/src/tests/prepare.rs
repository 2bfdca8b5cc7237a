//! Topics that are waited for at the start.

use super::produce::DEF;
use super::*;
use crate::prepare::wait_for_topics;
use fastkafka_core::{Output, ProducerSettings};

fn plan() -> Plan {
    let mut plan = Plan::default();
    plan.outputs.push(Output {
        def: &DEF,
        cluster: "".into(),
        settings: ProducerSettings::default(),
    });
    plan
}

/// It says what is missing, and then it takes too long for the time that is left.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_broker_does_not_hide_what_it_has_said() {
    let broker = EmbeddedBroker::start().unwrap();
    // A last look has half a second.
    broker.answer_after(Duration::from_millis(700));
    let mut options = KafkaOptions::new(broker.address());
    options.start_timeout = Duration::from_secs(6);
    let clusters = Clusters::open(&options, &plan()).await.unwrap();
    let deadline = Instant::now() + options.start_timeout;
    let problems = wait_for_topics(&options, &clusters, &plan(), deadline).await;
    let told = problems.unwrap_err().to_string();
    assert!(told.contains("topic `orders` does not exist"), "{told}");
    assert!(!told.contains("is the address right"), "{told}");
}

/// The app has taken all of tokio's threads for blocking work.
#[test]
fn h3_a_start_waits_for_no_thread_of_tokios() {
    let broker = EmbeddedBroker::start().unwrap();
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build();
    let tokio = tokio.unwrap();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    tokio.spawn_blocking(move || ended.recv());
    let mut options = KafkaOptions::new(broker.address());
    options.start_timeout = Duration::from_secs(1);
    let plan = plan();
    let told = tokio.block_on(async {
        let clusters = Clusters::open(&options, &plan).await.unwrap();
        let deadline = Instant::now() + options.start_timeout;
        let start = wait_for_topics(&options, &clusters, &plan, deadline);
        tokio::time::timeout(PATIENCE, start).await
    });
    drop(end);
    let told = told.expect("it has ended").unwrap_err().to_string();
    assert!(told.contains("topic `orders` does not exist"), "{told}");
}
