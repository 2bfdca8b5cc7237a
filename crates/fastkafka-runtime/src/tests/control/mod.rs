//! The user's hand on an app that runs.

mod keyed;
mod pauses;
mod restarts;
mod seeks;

use super::cluster::lock;
use super::lab::{HandlerState, Lab};
use crate::control::{ControlError, Position, Seek, Target};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, Failure, State};
use fastkafka_macros::consumes;
use std::time::Duration;

/// 50 ms per record.
#[consumes(crate = fk, topic = "in")]
async fn steady(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    tokio::time::sleep(Duration::from_millis(50)).await;
}

/// Waits at the gate.
#[consumes(crate = fk, topic = "in")]
async fn gated(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
    let _busy = state.call(meta);
    state.gate.acquire().await.unwrap().forget();
}

/// Fails while the test makes handlers fail.
#[consumes(crate = fk, topic = "in", attempts = 2)]
async fn moody(
    _: u32,
    meta: EventMetadata,
    State(state): State<HandlerState>,
) -> Result<(), Failure> {
    let _busy = state.call(meta);
    if state.is_failing() {
        Err(Failure::retry("bad"))
    } else {
        Ok(())
    }
}

fn at(partition: i32, offset: i64) -> Position {
    Position {
        topic: "in".to_owned(),
        partition,
        offset,
    }
}

/// Until the commits have come so far.
async fn reach(lab: &mut Lab, offset: i64) {
    lab.until(|labs| labs[0].committed(0) >= Some(offset)).await;
}

async fn pause(lab: &mut Lab, target: impl Into<Target>) {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.pause(target).await })
        .await
        .unwrap();
}

async fn resume(lab: &mut Lab, target: impl Into<Target>) {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.resume(target).await })
        .await
        .unwrap();
}

async fn seek(
    lab: &mut Lab,
    target: impl Into<Target>,
    to: Seek,
) -> Result<Vec<Position>, ControlError> {
    let (handle, target) = (lab.handle(), target.into());
    lab.ask(async move { handle.seek(target, to).await }).await
}

fn answered(lab: &Lab, n: usize) -> bool {
    lock(&lab.member).answers.as_ref().map_or(0, Vec::len) == n
}

/// Lets the member hear what was kept back; what it asks then is kept back again.
fn give_answers(lab: &Lab) {
    let kept = lock(&lab.member).answers.replace(Vec::new());
    for notice in kept.unwrap_or_default() {
        lab.notify(notice);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let mut lab = Lab::new::<steady>(2, 5);
    lab.until_committed(1, 5).await;
    let mut refused =
        async |target: Target, to| seek(&mut lab, target, to).await.unwrap_err().to_string();
    assert_eq!(
        refused("other".into(), Seek::End).await,
        "no consumer of the app reads `other`; it reads `in` in `lab`"
    );
    assert_eq!(
        refused(Target::consumer::<gated>(), Seek::End).await,
        format!(
            "no consumer of the app reads `in` of `{}::gated`; it reads `in` in `lab`",
            module_path!()
        )
    );
    assert_eq!(
        refused("in".into(), Seek::Offset(3)).await,
        "an offset belongs to one partition of `in`: name it, as in `(\"in\", 0)`"
    );
    assert_eq!(
        refused(("in", 7).into(), Seek::End).await,
        "in[7] is not assigned to this process"
    );
    assert_eq!(
        refused(("in", 0).into(), Seek::Offset(6)).await,
        "offset 6 is not in the log of in[0], which has 0 to 5"
    );
    assert_eq!(lab.committed(0), Some(5));
    let handle = lab.handle();
    lab.shut_down().await.unwrap();
    assert_eq!(handle.pause("in").await, Err(ControlError::Stopping));
    assert_eq!(
        crate::control::Handle::default().pause("in").await,
        Err(ControlError::NotStarted)
    );
}
