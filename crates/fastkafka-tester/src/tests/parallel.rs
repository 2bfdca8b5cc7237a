//! Tests of one app run side by side, each on a cluster of its own.

use crate::Tester;
use crate::tests::support::*;
use std::sync::Barrier;

const TESTS: u64 = 8;

/// The whole of a test, with `number` orders of its own and as many corrections sent by the test
/// itself. All testers are there before the first of them sends.
async fn test(number: u64, all_started: &Barrier) {
    let charged = Charged::default();
    let tester = Tester::start(app_with(charged.clone())).await;
    all_started.wait();
    let tester = tester.unwrap();
    for id in 1..=number {
        tester.to_eu_orders_v1(order(number * 100 + id)).await;
        to_corrections(number * 100 + id).await.unwrap();
    }
    let count = usize::try_from(number).unwrap();
    let own = |order: u64| order / 100 == number;
    let calls = tester.spy::<on_orders>().calls();
    assert_eq!(calls.len(), count);
    assert!(calls.iter().all(|call| own(call.args().id)));
    let corrections = tester.mirror::<to_corrections>().messages();
    assert_eq!(corrections.len(), count);
    assert!(corrections.iter().all(|invoice| own(invoice.order)));
    assert_eq!(tester.records("invoices").len(), 2 * count);
    assert_eq!(charged.0.load(std::sync::atomic::Ordering::Relaxed), number);
    tester.stop().await;
}

#[test]
fn eight_tests_of_one_app_do_not_see_each_other() {
    let all_started = Barrier::new(usize::try_from(TESTS).unwrap());
    std::thread::scope(|scope| {
        for number in 1..=TESTS {
            let all_started = &all_started;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .start_paused(true)
                    .build();
                runtime.unwrap().block_on(test(number, all_started));
            });
        }
    });
}
