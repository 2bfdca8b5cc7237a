//! Producing: what a function returns is what is sent. `docs/guide/producing.md` tells about it.

use fastkafka::{App, KafkaEvent, ProduceError, consumes, delivery_scope, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Order {
    customer: String,
    cents: u64,
}

/// A call of a producer in a handler ends when the record is enqueued; the order's offset waits for
/// the acknowledgement, the handler does not.
#[consumes(topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: Order) -> Result<(), ProduceError> {
    to_invoices(&order).await?;
    to_alerts(&order).await?;
    Ok(())
}

/// One record, with a key and a header.
#[produces(topic = "invoices")]
async fn to_invoices(order: &Order) -> Result<KafkaEvent<u64>, ProduceError> {
    let invoice = KafkaEvent::new(order.cents).key(&order.customer);
    Ok(invoice.header("currency", "EUR"))
}

/// One record, or none.
#[produces(topic = "alerts")]
async fn to_alerts(order: &Order) -> Result<Option<String>, ProduceError> {
    let large = order.cents >= 100_000;
    Ok(large.then(|| format!("{} orders a lot", order.customer)))
}

/// Called outside handlers.
#[produces(topic = "orders")]
async fn to_orders(customer: &str, cents: u64) -> Result<Order, ProduceError> {
    let customer = customer.to_owned();
    Ok(Order { customer, cents })
}

fn app() -> App {
    App::builder()
        .title("Shop")
        .default_broker("embedded")
        .build()
}

fn main() -> ExitCode {
    guide::main(app, 7, async |_| {
        // Ends when the broker has acknowledged the record.
        to_orders("ada", 450).await?;
        // Two at full speed; ends when both are acknowledged.
        let (_, deliveries) = delivery_scope(async {
            to_orders("ben", 250_000).await?;
            to_orders("ada", 1_200).await
        })
        .await?;
        println!("the last order has offset {}", deliveries[1].offset);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::{ProduceFault, Tester};

    #[tokio::test(start_paused = true)]
    async fn an_order_is_billed_and_a_large_one_is_told() {
        let tester = Tester::start(app()).await.unwrap();
        to_orders("ada", 450).await.unwrap();
        to_orders("ben", 250_000).await.unwrap();
        tester.settle().await.unwrap();
        assert_eq!(tester.on_invoices().messages(), [450, 250_000]);
        let alerts = tester.on_alerts();
        alerts.assert_called_once_with(&"ben orders a lot".to_owned());

        let invoice = &tester.on_invoices().records()[0];
        assert_eq!(invoice.key.as_deref(), Some(&b"ada"[..]));
        assert_eq!(invoice.headers[0].0, "currency");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_invoice_is_written_again() {
        let tester = Tester::start(app()).await.unwrap();
        tester.fail_next_produce("invoices", ProduceFault::Lost);
        to_orders("ada", 450).await.unwrap();
        tester.settle().await.unwrap();
        assert_eq!(tester.spy::<on_orders>().count(), 2);
        assert_eq!(tester.on_invoices().messages(), [450]);
    }
}
