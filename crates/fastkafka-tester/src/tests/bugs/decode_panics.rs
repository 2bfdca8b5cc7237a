//! A decoder that is sure of its bytes.

use crate::Tester;
use fastkafka::{App, consumes};
use fastkafka_core::Consumer;
use fastkafka_core::Consumes;

struct Careless;

fn sure(bytes: &[u8]) -> Result<i32, String> {
    let text = std::str::from_utf8(bytes).expect("degrees are text");
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

#[consumes(
    app = Careless,
    topic = "degrees",
    decoder = sure,
    auto_offset_reset = "earliest",
    dead_letter = "unreadable"
)]
async fn on_degrees(_degrees: i32) {}

struct Careful;

fn asks(bytes: &[u8]) -> Result<i32, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

#[consumes(
    app = Careful,
    topic = "degrees",
    decoder = asks,
    auto_offset_reset = "earliest",
    dead_letter = "unreadable"
)]
async fn on_readings(_degrees: i32) {}

async fn a_damaged_record<A: 'static, H: Consumer<Kind = Consumes>>() {
    let app = App::scoped::<A>().title("Thermometer").build();
    let tester = Tester::start(app).await.unwrap();
    tester.corrupt_next("degrees");
    tester.mirror::<H>().raw("20").await;
    tester.mirror::<H>().raw("21").await;
    assert_eq!(tester.records("unreadable").len(), 1);
    tester.spy::<H>().assert_called_once();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "`on_degrees` panicked: degrees are text")]
async fn a_damaged_record_shows_it() {
    a_damaged_record::<Careless, on_degrees>().await;
}

#[tokio::test(start_paused = true)]
async fn a_decoder_that_asks_passes() {
    a_damaged_record::<Careful, on_readings>().await;
}
