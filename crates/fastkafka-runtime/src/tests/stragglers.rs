//! Calls that go on although their partition was given away or moved.

use super::keyed::keyed;
use super::lab::Lab;
use super::stalls::{SECOND, is_ready, named, problems, waits, waits_by_key};
use crate::control::command::Seek;
use crate::health::ProblemCode;

#[tokio::test(start_paused = true)]
async fn a_call_from_before_a_seek_that_never_returns_is_told_with_its_record_and_time() {
    let mut lab = Lab::new::<waits>(2, 5);
    lab.pass(SECOND * 10).await;
    let handle = lab.handle();
    let moved = lab.ask(async move { handle.seek(("in", 0), Seek::Offset(2)).await });
    moved.await.unwrap();
    lab.pass(SECOND * 21).await;
    assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
    assert_eq!(
        problems(&lab)[0].to_string(),
        "in[0] offset 0: its handler has not returned for 30 s, `waits`: its partition was given away or \
         moved since the call began"
    );
    assert!(!is_ready(&lab), "three records wait for it");
    // What comes after it has its own time.
    lab.state.gate.add_permits(1);
    lab.pass(SECOND * 5).await;
    assert_eq!(named(&lab), []);
    assert_eq!(lab.state.offsets(0), [0, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_former_assignment_is_told_and_blocks_when_its_order_waits() {
    for by_key in [false, true] {
        let mut lab = match by_key {
            true => keyed::<waits_by_key>(&["a"]),
            false => Lab::new::<waits>(1, 1),
        };
        lab.pass(SECOND).await;
        lab.lose([0]);
        lab.pass(SECOND * 40).await;
        assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
        assert!(is_ready(&lab), "the partition is another member's");
        lab.assign([0]);
        lab.pass(SECOND).await;
        assert_eq!(named(&lab), [(ProblemCode::HandlerStalled, 0, 0)]);
        assert!(!is_ready(&lab), "the same record waits for its former call");
        lab.state.gate.add_permits(9);
        lab.until_committed(0, 1).await;
        lab.pass(SECOND).await;
        assert_eq!(named(&lab), []);
        assert_eq!(lab.state.offsets(0), [0, 0]);
    }
}
