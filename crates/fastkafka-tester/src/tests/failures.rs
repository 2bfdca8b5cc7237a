//! How it reads when a test fails: each text is in `tests/failures`. `FAILURES=overwrite` renews them.

use crate::Tester;
use crate::tests::support::*;
use std::path::Path;
use std::time::Duration;

/// Runs a test that fails, and compares how.
fn fails(name: &str, test: impl AsyncFnOnce(Tester) + Send + 'static) {
    let test = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async { test(Tester::start(app()).await.unwrap()).await });
    };
    let panic = std::thread::spawn(test).join().expect_err("it must fail");
    compare(name, panic.downcast_ref::<String>().expect("a text"));
}

/// Compares a text with the one that is kept.
pub(super) fn compare(name: &str, text: &str) {
    let text = without_lines(text) + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/failures/{name}.txt"));
    if std::env::var_os("FAILURES").is_some_and(|how| how == "overwrite") {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

/// Lines and columns of sources change with every edit.
fn without_lines(text: &str) -> String {
    let mut parts = text.split(".rs:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = |text: &str| {
            text.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len())
        };
        let column = digits(part) + 1;
        let end = column + digits(&part[column..]);
        out.push_str(".rs:LINE");
        out.push_str(&part[end..]);
    }
    out
}

fn empty(id: u64) -> Order {
    Order {
        id,
        items: Vec::new(),
    }
}

#[test]
fn a_handler_that_was_never_called() {
    fails("never_called", async |tester| {
        tester.spy::<on_orders>().assert_called();
    });
}

#[test]
fn a_handler_that_was_called_with_something_else() {
    fails("called_with", async |tester| {
        tester.to_eu_orders_v1(order(4)).key("k").await;
        tester.spy::<on_orders>().assert_called_with(&order(5));
    });
}

#[test]
fn a_handler_that_was_called_too_often() {
    fails("called_once", async |tester| {
        tester
            .mirror::<on_orders>()
            .send_all((1..=7).map(order))
            .partition(0)
            .await;
        tester.spy::<on_orders>().assert_called_once();
    });
}

#[test]
fn a_handler_that_should_not_be_called() {
    fails("not_called", async |tester| {
        tester.to_eu_orders_v1(empty(1)).partition(0).await;
        tester.spy::<on_orders>().assert_not_called();
    });
}

#[test]
fn a_call_that_is_nearly_there() {
    fails("any_call", async |tester| {
        let orders = [order(100), empty(5), order(6)];
        tester.mirror::<on_batches>().send_all([order(1)]).await;
        tester
            .mirror::<on_orders>()
            .send_all(orders)
            .partition(0)
            .await;
        tester.spy::<on_orders>().assert_any_call(&order(5));
    });
}

#[test]
fn calls_in_another_order() {
    fails("has_calls", async |tester| {
        tester
            .mirror::<on_orders>()
            .send_all([order(2), order(1)])
            .partition(0)
            .await;
        tester
            .spy::<on_orders>()
            .assert_has_calls(&[order(1), order(2)]);
    });
}

#[test]
fn a_call_that_does_not_come_in_time() {
    fails("awaited_with", async |tester| {
        tester
            .spy::<on_orders>()
            .assert_awaited_with(&order(1))
            .within(Duration::from_millis(20))
            .await;
    });
}

#[test]
fn a_call_that_should_not_come() {
    fails("not_awaited", async |tester| {
        tester.to_bytes("\u{1}binary".into()).unsettled().await;
        tester.spy::<on_bytes>().assert_not_awaited().await;
    });
}

#[test]
fn a_record_that_did_not_decode() {
    fails("refused", async |tester| {
        tester
            .mirror::<on_orders>()
            .raw(r#"{"id":"seven"}"#)
            .partition(1)
            .await;
        tester.spy::<on_orders>().assert_called();
    });
}

#[test]
fn a_producer_that_sent_something_else() {
    fails("received", async |tester| {
        tester.to_eu_orders_v1(order(4)).key("k").await;
        tester
            .mirror::<to_invoices>()
            .assert_called_once_with(&invoice(5));
    });
}

#[test]
fn a_producer_that_sent_a_tombstone() {
    fails("tombstone", async |tester| {
        to_gone(7).await.unwrap();
        tester.on_gone().assert_awaited_with(&invoice(7)).await;
    });
}

#[test]
fn a_handler_that_panics() {
    fails("panic", async |tester| {
        tester
            .to_eu_orders_v1(order(13))
            .key("k")
            .partition(0)
            .await;
    });
}

#[test]
fn a_mock_that_is_not_called() {
    fails("mock_unmet", async |tester| {
        tester
            .mock::<on_orders>()
            .expect_call()
            .times(1)
            .returning(|_| Ok(()));
        tester.stop().await;
    });
}

#[test]
fn a_mock_that_is_called_with_something_else() {
    fails("mock_mismatch", async |tester| {
        tester
            .mock::<on_orders>()
            .expect_call()
            .withf(|order| order.id == 7)
            .returning(|_| Ok(()));
        tester.to_eu_orders_v1(order(8)).partition(0).await;
    });
}

#[test]
fn a_mock_that_is_called_too_often() {
    fails("mock_too_often", async |tester| {
        tester
            .mock::<on_orders>()
            .expect_call()
            .times(1)
            .returning(|_| Ok(()));
        let orders = [order(1), order(2)];
        tester
            .mirror::<on_orders>()
            .send_all(orders)
            .partition(0)
            .await;
    });
}

#[test]
fn a_mock_whose_guard_is_held() {
    fails("mock_held", async |tester| {
        let _mock = tester.mock::<on_orders>();
        tester.to_eu_orders_v1(order(1)).await;
    });
}

#[test]
fn a_mock_that_is_taken_out_twice() {
    fails("mock_twice", async |tester| {
        let _mock = tester.mock::<on_orders>();
        let _again = tester.mock::<on_orders>();
    });
}

#[test]
fn a_mock_of_a_producer_that_gets_something_else() {
    fails("producer_mock", async |tester| {
        tester
            .mock::<to_invoices>()
            .expect_call()
            .withf(|invoice| invoice.order == 7)
            .return_const(());
        tester.to_eu_orders_v1(order(8)).partition(0).await;
    });
}

#[test]
fn a_record_that_stops_its_partition() {
    fails("stopped", async |tester| {
        tester.to_batches(empty(1)).await;
    });
}

#[test]
fn a_partition_that_does_not_exist() {
    fails("no_partition", async |tester| {
        tester.to_eu_orders_v1(order(1)).partition(9).await;
    });
}

#[test]
fn a_function_of_another_app() {
    fails("another_app", async |tester| {
        tester.spy::<on_billed>().assert_not_called();
    });
}
