//! A handler that has no place for a record that cannot be handled: everything behind it waits.

use crate::tests::bugs::Handler;
use crate::{ProduceFault, Tester};
use fastkafka::{App, ProduceError, consumes, produces};

struct Careless;

#[consumes(app = Careless, topic = "texts", auto_offset_reset = "earliest")]
async fn stands_still(text: String) -> Result<(), ProduceError> {
    to_copies(text).await?;
    Ok(())
}

#[produces(app = Careless, topic = "copies")]
async fn to_copies(text: String) -> Result<String, ProduceError> {
    Ok(text)
}

struct Careful;

#[consumes(
    app = Careful,
    topic = "texts",
    auto_offset_reset = "earliest",
    dead_letter = "texts.dead"
)]
async fn goes_on(text: String) -> Result<(), ProduceError> {
    to_doubles(text).await?;
    Ok(())
}

#[produces(app = Careful, topic = "copies")]
async fn to_doubles(text: String) -> Result<String, ProduceError> {
    Ok(text)
}

async fn start<A: 'static>() -> Tester {
    let app = App::scoped::<A>().title("Copies").build();
    Tester::start(app).await.unwrap()
}

async fn a_copy_that_is_too_large<A: 'static, H: Handler<String>>() {
    let tester = start::<A>().await;
    tester.fail_next_produce("copies", ProduceFault::Refused);
    tester.mirror::<H>().send("long".to_owned()).await;
    tester.mirror::<H>().send("short".to_owned()).await;
    assert_eq!(tester.records("copies").len(), 1);
    tester.stop().await;
}

async fn a_text_that_is_damaged<A: 'static, H: Handler<String>>() {
    let tester = start::<A>().await;
    tester.corrupt_next("texts");
    tester.mirror::<H>().send("damaged".to_owned()).await;
    tester.mirror::<H>().send("whole".to_owned()).await;
    assert_eq!(tester.records("copies").len(), 1);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "texts[0] stands still at offset 0")]
async fn an_output_that_is_refused_shows_it() {
    a_copy_that_is_too_large::<Careless, stands_still>().await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "texts[0] stands still at offset 0")]
async fn a_damaged_record_shows_it() {
    a_text_that_is_damaged::<Careless, stands_still>().await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_passes() {
    a_copy_that_is_too_large::<Careful, goes_on>().await;
    a_text_that_is_damaged::<Careful, goes_on>().await;
}
