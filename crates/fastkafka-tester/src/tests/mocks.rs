//! Mocks in the place of a handler, and mocks that take the records of a producer.

use crate::tests::support::*;
use crate::{Call, CallOutcome, Tester};
use fastkafka::error::FailureKind;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

#[tokio::test(start_paused = true)]
async fn a_mock_is_called_in_place_of_the_function() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .withf(|order| order.id == 7)
        .times(1)
        .returning(|_| Ok(()));
    tester.to_eu_orders_v1(order(7)).await;
    tester.mirror::<to_invoices>().assert_not_called();
    tester.spy::<on_orders>().assert_called_once_with(&order(7));
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_surrounds_a_mock_is_real() {
    let tester = Tester::start(app()).await.unwrap();
    let mut failures = 0;
    tester
        .mock::<on_orders>()
        .expect_call()
        .returning(move |_| {
            failures += 1;
            match failures {
                1 => Err(OrderError::Empty),
                _ => Ok(()),
            }
        });
    tester.to_eu_orders_v1(order(1)).await;
    let outcomes: Vec<_> = tester
        .spy::<on_orders>()
        .calls()
        .iter()
        .map(Call::outcome)
        .collect();
    let failed = CallOutcome::Failed {
        error: "the order is empty".to_owned(),
        kind: FailureKind::Retry { after: None },
    };
    assert_eq!(outcomes, [failed, CallOutcome::Done]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_guard_adds_expectations_to_the_same_mock() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .withf(|order| order.id == 1)
        .times(1)
        .returning(|_| Ok(()));
    tester
        .mock::<on_orders>()
        .expect_call()
        .withf(|order| order.id == 2)
        .times(1)
        .returning(|_| Ok(()));
    tester
        .mirror::<on_orders>()
        .send_all([order(2), order(1)])
        .await;
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_mock_of_batches_and_of_tombstones_takes_what_the_handler_takes() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_batches>()
        .expect_call()
        .withf(|orders| orders.len() == 1)
        .times(1)
        .returning(|_| Ok(()));
    tester
        .mock::<on_profiles>()
        .expect_call()
        .withf(Option::is_none)
        .times(1)
        .return_const(());
    tester.to_batches(order(1)).await;
    tester.mirror::<on_profiles>().tombstone().await;
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_producers_mock_is_called_with_what_it_sent() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<to_invoices>()
        .expect_call()
        .withf(|sent| *sent == invoice(3))
        .times(1)
        .return_const(());
    // Of another producer of the topic: not for this mock.
    to_corrections(9).await.unwrap();
    tester.to_eu_orders_v1(order(3)).await;
    tester.mirror::<to_invoices>().assert_called_once();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_producer_sends_while_its_mock_is_told_what_to_expect_is_kept_for_it() {
    let tester = Tester::start(app()).await.unwrap();
    let mut mock = tester.mock::<to_invoices>();
    tester.to_eu_orders_v1(order(3)).await;
    mock.expect_call().times(1).return_const(());
    drop(mock);
    tester.stop().await;
}

/// What a mock does is code of the test: it may send more of what it is called with.
#[tokio::test(start_paused = true)]
async fn a_producers_mock_may_send_more_through_the_producer() {
    let tester = Tester::start(app()).await.unwrap();
    let seen = Arc::<Mutex<Vec<u64>>>::default();
    let noted = seen.clone();
    tester
        .mock::<to_invoices>()
        .expect_call()
        .times(3)
        .returning(move |sent| {
            noted.lock().unwrap().push(sent.order);
            if sent.order < 5 {
                let next = order(sent.order + 1);
                let mut call = pin!(to_invoices(&next, None));
                let sent = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                assert!(sent.is_ready(), "inside a handler it ends at enqueue");
            }
        });
    tester.to_eu_orders_v1(order(3)).await;
    assert_eq!(*seen.lock().unwrap(), [3, 4, 5]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_while_the_mock_is_told_what_to_expect() {
    let tester = Tester::start(app()).await.unwrap();
    let mut mock = tester.mock::<on_orders>();
    tester.to_eu_orders_v1(order(3)).unsettled().await;
    let spy = tester.spy::<on_orders>();
    spy.assert_awaited().await;
    assert_eq!(spy.calls()[0].outcome(), CallOutcome::Running);
    mock.expect_call().times(1).returning(|_| Ok(()));
    drop(mock);
    tester.settle().await.unwrap();
    assert_eq!(spy.calls()[0].outcome(), CallOutcome::Done);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "called 0 time(s) which is fewer than expected 1")]
async fn an_expectation_that_is_not_met_fails_the_test_without_a_stop() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .times(1)
        .returning(|_| Ok(()));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "unlucky order")]
async fn a_panic_of_a_handler_fails_the_test_without_a_stop() {
    let tester = Tester::start(app()).await.unwrap();
    tester.to_eu_orders_v1(order(13)).unsettled().await;
    tester.spy::<on_orders>().assert_awaited().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_that_is_allowed_is_an_outcome() {
    let tester = Tester::start(app()).await.unwrap();
    tester.allow_panics();
    tester.to_eu_orders_v1(order(13)).await;
    let calls = tester.spy::<on_orders>().calls();
    assert_eq!(calls.len(), 3);
    for call in calls {
        let CallOutcome::Panicked(text) = call.outcome() else {
            panic!("{call:?}");
        };
        assert!(text.contains("unlucky order"));
    }
    assert_eq!(tester.records("orders.dead").len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the test's own")]
async fn a_test_that_fails_by_itself_is_not_judged_once_more() {
    let tester = Tester::start(app()).await.unwrap();
    tester
        .mock::<on_orders>()
        .expect_call()
        .times(1)
        .returning(|_| Ok(()));
    panic!("the test's own");
}
