//! What is sent while an app stops, by who goes on beside it.

use fastkafka::{App, ProduceError, produces, run_in_background};
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

struct Writer;

/// With such a linger one record of each sender is always on its way.
#[produces(app = Writer, topic = "bills", linger_ms = 100u64)]
async fn to_bills(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

static IS_OPEN: Mutex<bool> = Mutex::new(false);
static OPENED: Condvar = Condvar::new();

/// Keeps its thread, so that the stop waits for it.
#[run_in_background(app = Writer)]
async fn blocks() {
    drop(OPENED.wait_while(IS_OPEN.lock().unwrap(), |is_open| !*is_open));
}

/// Sends one after another until it is refused, and tells of each that is acknowledged. Returns a loss.
async fn sender(acknowledged: UnboundedSender<()>) -> Result<(), ProduceError> {
    for order in 0.. {
        match to_bills(order).await {
            Ok(_) => drop(acknowledged.send(())),
            Err(ProduceError::NoApp { .. } | ProduceError::NotConnected { .. }) => break,
            Err(lost) => return Err(lost),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stop_refuses_who_goes_on_sending_and_loses_nothing_of_theirs() {
    let app = App::scoped::<Writer>()
        .shutdown_timeout(Duration::from_secs(20))
        .build();
    app.start().await.unwrap();
    let (acknowledged, mut acks) = unbounded_channel();
    let mut senders = JoinSet::new();
    for _ in 0..8 {
        senders.spawn(sender(acknowledged.clone()));
    }
    drop(acknowledged);
    acks.recv().await.unwrap();
    let stop = tokio::spawn({
        let app = app.clone();
        async move { app.stop().await }
    });
    // Until all are refused, or longer than it takes to empty the client.
    for _ in 0..80 {
        if acks.recv().await.is_none() {
            break;
        }
    }
    *IS_OPEN.lock().unwrap() = true;
    OPENED.notify_all();
    stop.await.unwrap().unwrap();
    for sent in senders.join_all().await {
        sent.unwrap();
    }
}
