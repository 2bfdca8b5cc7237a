//! Authentication: a login where the cluster is named. `docs/guide/authentication.md` tells about it.

use fastkafka::cluster::{SaslMechanism, SecurityProtocol};
use fastkafka::{App, Broker, ProduceError, consumes, produces};
use std::process::ExitCode;

#[consumes(topic = "orders", auto_offset_reset = "earliest")]
async fn on_orders(order: u64) -> Result<(), ProduceError> {
    to_invoices(order).await?;
    Ok(())
}

#[produces(topic = "invoices")]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

fn production() -> Broker {
    Broker::new("kafka-1:9093,kafka-2:9093").connection(|connection| {
        connection
            .security_protocol(SecurityProtocol::SaslSsl)
            .sasl_mechanism(SaslMechanism::ScramSha512)
            .sasl_plain_username("billing")
            // From the environment, never from the code.
            .sasl_plain_password(std::env::var("KAFKA_PASSWORD").unwrap_or_default())
    })
}

fn app() -> App {
    App::builder()
        .title("Billing")
        .broker("production", production())
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
        println!("production is reached by {:?}", production());
        println!("nobody logs in on the embedded broker");
        to_orders(7).await?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_tester::Tester;

    #[tokio::test(start_paused = true)]
    async fn a_test_needs_no_login() {
        let tester = Tester::start(app()).await.unwrap();
        tester.to_orders(7).await;
        tester.on_invoices().assert_called_once_with(&7);
        tester.stop().await;
    }

    #[test]
    fn the_password_is_not_printed() {
        let broker = Broker::new("kafka-1:9093")
            .connection(|connection| connection.sasl_plain_password("of billing"));
        assert!(!format!("{broker:?}").contains("of billing"));
    }
}
