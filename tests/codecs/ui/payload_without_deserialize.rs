use fastkafka_macros::consumes;

#[derive(schemars::JsonSchema)]
struct Order {
    _id: i64,
}

#[derive(apache_avro::AvroSchema)]
struct Invoice {
    _id: i64,
}

#[consumes(decoder = "msgpack")]
async fn on_orders(_order: Order) {}

#[consumes(decoder = "avro")]
async fn on_invoices(_invoices: Vec<Invoice>) {}

fn main() {}
