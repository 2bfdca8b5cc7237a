//! Partition keys: what belongs together stays together. `docs/guide/partition-keys.md` tells about it.

use fastkafka::{App, EventMetadata, KafkaEvent, Key, ProduceError, Topic, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Payment {
    account: String,
    cents: i64,
}

/// The account is the key: its payments are in one partition, in order.
#[produces(topic = "payments")]
async fn to_payments(account: &str, cents: i64) -> Result<KafkaEvent<Payment>, ProduceError> {
    let payment = Payment {
        account: account.to_owned(),
        cents,
    };
    Ok(KafkaEvent::new(payment).key(account))
}

#[consumes(topic = "payments", auto_offset_reset = "earliest")]
async fn on_payments(
    payment: Payment,
    Key(account): Key<String>,
    meta: EventMetadata,
) -> Result<(), ProduceError> {
    to_receipts(&account, payment.cents, meta.partition()).await?;
    Ok(())
}

/// The partition is chosen by hand, whatever the key: a receipt lies beside its payment.
#[produces(topic = "receipts")]
async fn to_receipts(
    account: &str,
    cents: i64,
    partition: i32,
) -> Result<KafkaEvent<i64>, ProduceError> {
    Ok(KafkaEvent::new(cents).key(account).partition(partition))
}

fn app() -> App {
    App::builder()
        .title("Payments")
        .default_broker("embedded")
        .topic("payments", Topic::new().partitions(3))
        .topic("receipts", Topic::new().partitions(3))
        .build()
}

fn main() -> ExitCode {
    guide::main(app, 10, async |_| {
        to_payments("ada", 100).await?;
        to_payments("ben", 250).await?;
        to_payments("ada", -30).await?;
        to_payments("amy", 70).await?;
        to_payments("ada", 5).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn the_payments_of_an_account_are_in_one_partition() {
        let tester = Tester::start(app()).await.unwrap();
        for cents in [100, -30, 5] {
            to_payments("ada", cents).await.unwrap();
        }
        // Where Java's client and aiokafka put this key.
        let partitions = tester.on_payments().records();
        assert!(partitions.iter().all(|record| record.partition == 2));
        tester.settle().await.unwrap();
        assert_eq!(tester.on_receipts().messages(), [100, -30, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_receipt_lies_beside_its_payment() {
        let tester = Tester::start(app()).await.unwrap();
        let payment = Payment {
            account: "ada".to_owned(),
            cents: 5,
        };
        let sending = tester.to_payments(payment).key("ada").partition(1);
        sending.await;
        let receipts = tester.on_receipts().records();
        assert_eq!(receipts[0].partition, 1);
        assert_eq!(receipts[0].key.as_deref(), Some(&b"ada"[..]));
    }
}
