//! Several clusters: orders on one, payments on another. `docs/guide/clusters.md` tells about it.

use fastkafka::cluster::Brokers;
use fastkafka::{App, Broker, EventMetadata, ProduceError, consumes, produces};
use std::process::ExitCode;

/// The other cluster: its name, and its brokers, named as the app's are.
fn payments() -> Brokers {
    Brokers::new("payments")
        .broker("localhost", Broker::new("localhost:9093"))
        .broker("production", Broker::new("payments-1:9092"))
}

/// Reads from the app's own cluster and writes to the other. The offset of an order is committed when
/// the other cluster has its payment.
#[consumes(topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_payments(order).await?;
    Ok(())
}

#[produces(topic = "payments", brokers = payments)]
async fn to_payments(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

/// And back.
#[consumes(topic = "payments", brokers = payments, auto_offset_reset = "earliest")]
async fn on_payments(order: u64, meta: EventMetadata) -> Result<(), ProduceError> {
    println!("order {order} is paid, says cluster {:?}", meta.cluster());
    to_receipts(order).await?;
    Ok(())
}

#[produces(topic = "receipts")]
async fn to_receipts(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn app() -> App {
    App::builder()
        .title("Shop")
        .broker("localhost", Broker::new("localhost:9092"))
        .broker("production", Broker::new("kafka-1:9092"))
        .default_broker("embedded")
        .build()
}

/// A program elsewhere.
#[produces(app = guide::Outside, topic = "orders")]
async fn to_orders(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn main() -> ExitCode {
    guide::main(app, 2, async |_| {
        to_orders(7).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn an_order_is_done_when_the_other_cluster_has_its_payment() {
        let tester = Tester::start(app()).await.unwrap();
        let payments = tester.cluster("payments");
        payments.broker_down();
        tester.to_orders(7).unsettled().await;
        tester.advance(Duration::from_secs(1)).await;
        // Handled, and not settled: the payment is on its way.
        tester.spy::<on_orders>().assert_called_once_with(&7);
        assert_eq!(tester.lag("shop", "orders"), 1);

        payments.broker_up();
        tester.settle().await.unwrap();
        assert_eq!(tester.lag("shop", "orders"), 0);
        assert_eq!(payments.lag("shop", "payments"), 0);
        tester.on_receipts().assert_called_once_with(&7);
        tester.stop().await;
    }

    #[test]
    fn a_broker_is_chosen_in_every_cluster_at_once() {
        let app = app();
        app.set_kafka_broker("production").unwrap();
        assert_eq!(app.bootstrap().as_deref(), Some("kafka-1:9092"));
        let payments = app.bootstrap_of("payments");
        assert_eq!(payments.as_deref(), Some("payments-1:9092"));
        let error = app.set_kafka_broker("staging").unwrap_err().to_string();
        assert!(error.contains("localhost, production"), "{error}");
    }
}
