use fastkafka::ProduceError;
use fastkafka_macros::{consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    id: i64,
}

#[consumes(decoder = "avro")]
async fn on_orders(_order: Order) {}

#[produces(encoder = "avro")]
async fn to_orders() -> Result<Order, ProduceError> {
    Ok(Order { id: 1 })
}

fn main() {}
