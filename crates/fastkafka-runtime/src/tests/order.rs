use super::cluster::lock;
use super::lab::{HandlerState, Lab};
use fastkafka_core as fk;
use fastkafka_core::{EventMetadata, State};
use fastkafka_macros::consumes;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn records_of_a_partition_are_handled_in_order_one_at_a_time() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut lab = Lab::new::<on>(1, 500);
    lock(&lab.cluster).block = Some(7);
    lab.until_committed(0, 500).await;
    assert_eq!(lab.state.offsets(0), (0..500).collect::<Vec<_>>());
    assert_eq!(lab.state.most_at_once(), 1);
}

#[tokio::test(start_paused = true)]
async fn partitions_are_handled_side_by_side() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut lab = Lab::new::<on>(3, 20);
    lab.until(|labs| (0..3).all(|p| labs[0].committed(p) == Some(20)))
        .await;
    assert_eq!(lab.state.most_at_once(), 3);
}

#[tokio::test(start_paused = true)]
async fn gaps_in_the_offsets_hold_nothing_up() {
    #[consumes(crate = fk, topic = "in")]
    async fn on(_: u32, meta: EventMetadata, State(state): State<HandlerState>) {
        let _busy = state.call(meta);
    }
    let mut lab = Lab::new::<on>(1, 50);
    {
        let mut cluster = lock(&lab.cluster);
        let log = cluster.log(0);
        // Compaction, and a transaction marker at the end.
        log.entries.retain(|(offset, _)| offset % 5 == 3);
    }
    lab.until_committed(0, 49).await;
    assert_eq!(lab.state.offsets(0), [3, 8, 13, 18, 23, 28, 33, 38, 43, 48]);
}
