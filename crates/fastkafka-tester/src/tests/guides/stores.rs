//! Several apps on one cluster: products are put on the shelf, orders take them from it.

use crate::Tester;
use fastkafka::{App, KafkaEvent, ProduceError, State, consumes, produces};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Product {
    name: String,
    currency: String,
    price: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Order {
    product: String,
    pieces: u64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Sale {
    product: String,
    total: u64,
}

/// Takes products in, at prices in euros.
struct Products;

#[consumes(app = Products)]
async fn on_store_product(mut product: Product) -> Result<(), ProduceError> {
    if product.currency == "HRK" {
        product.price = product.price * 100 / 753;
        product.currency = "EUR".to_owned();
    }
    to_shelf(product).await?;
    Ok(())
}

#[produces(app = Products)]
async fn to_shelf(product: Product) -> Result<KafkaEvent<Product>, ProduceError> {
    let name = product.name.clone();
    Ok(KafkaEvent::new(product).key(name))
}

/// Knows the shelf, and sells.
struct Store;

#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<BTreeMap<String, u64>>>);

#[consumes(app = Store)]
async fn on_shelf(product: Product, State(shelf): State<Shelf>) {
    let mut shelf = shelf.0.lock().unwrap();
    shelf.insert(product.name, product.price);
}

#[consumes(app = Store)]
async fn on_reservations(order: Order, State(shelf): State<Shelf>) -> Result<(), ProduceError> {
    let price = shelf.0.lock().unwrap().get(&order.product).copied();
    if let Some(price) = price {
        to_sales(order, price).await?;
    }
    Ok(())
}

#[produces(app = Store)]
async fn to_sales(order: Order, price: u64) -> Result<Sale, ProduceError> {
    Ok(Sale {
        product: order.product,
        total: price * order.pieces,
    })
}

/// Takes orders.
struct Orders;

#[consumes(app = Orders)]
async fn on_orders(order: Order) -> Result<(), ProduceError> {
    to_reservations(order).await?;
    Ok(())
}

#[produces(app = Orders)]
async fn to_reservations(order: Order) -> Result<Option<Order>, ProduceError> {
    Ok((order.pieces > 0).then_some(order))
}

fn apps() -> [App; 3] {
    [
        App::scoped::<Products>().title("Products").build(),
        App::scoped::<Store>()
            .title("Store")
            .state(Shelf::default())
            .build(),
        App::scoped::<Orders>().title("Orders").build(),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_order_goes_through_three_apps() {
    let tester = Tester::start(apps()).await.unwrap();
    let cup = Product {
        name: "cup".to_owned(),
        currency: "HRK".to_owned(),
        price: 7_530,
    };
    tester.to_store_product(cup.clone()).await;
    tester.spy::<on_store_product>().assert_called_with(&cup);

    let two = Order {
        product: "cup".to_owned(),
        pieces: 2,
    };
    tester.to_orders(two.clone()).await;
    tester.mirror::<to_reservations>().assert_called_with(&two);
    tester.on_sales().assert_called_once_with(&Sale {
        product: "cup".to_owned(),
        total: 2_000,
    });
}

#[tokio::test(start_paused = true)]
async fn what_is_not_on_the_shelf_is_not_sold() {
    let tester = Tester::start(apps()).await.unwrap();
    let order = |pieces| Order {
        product: "pot".to_owned(),
        pieces,
    };
    tester.to_orders(order(1)).await;
    tester.to_orders(order(0)).await;
    tester.spy::<on_reservations>().assert_called_once();
    tester.on_sales().assert_not_called();
}
