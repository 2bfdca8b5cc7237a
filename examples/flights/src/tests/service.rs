//! The service as a whole, without Kafka.

use crate::flight::Flight;
use crate::*;
use fastkafka_tester::{ProduceFault, Tester};
use std::collections::BTreeSet;
use std::time::Duration;

/// A flight of the aircraft `N1`, an hour in the air.
fn flight(id: u64) -> Flight {
    Flight {
        id,
        carrier: "UA".to_owned(),
        flight: 1,
        tailnum: Some("N1".to_owned()),
        origin: "EWR".to_owned(),
        dest: "ORD".to_owned(),
        dep_delay: Some(10),
        arr_delay: Some(4),
        air_time: Some(60),
        distance: 500.0,
        time_hour: "2013-01-01T10:00:00Z".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn the_legs_of_an_aircraft_come_in_order() {
    let tester = Tester::start(app()).await.unwrap();

    let flights = tester.mirror::<on_flights>().send_all((0..100).map(flight));
    flights.key("N1").await;

    let legs = tester.on_legs().messages();
    let ids: Vec<u64> = legs.iter().map(|leg| leg.id).collect();
    assert_eq!(ids, Vec::from_iter(0..100));
    assert_eq!(legs[0].recovered_min, 6);
    // Whoever reads them has them in this order: the key keeps them in one partition.
    let mut records = tester.on_legs().records().into_iter();
    assert!(records.all(|record| record.key.as_deref() == Some(b"N1")));
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_flight_without_an_aircraft_goes_to_the_dead_letters_at_once() {
    let tester = Tester::start(app()).await.unwrap();

    let mut unknown = flight(1);
    unknown.tailnum = None;
    tester.to_flights(unknown).key("unknown").await;

    tester.spy::<on_flights>().assert_called_once();
    tester.on_legs().assert_not_called();
    let dead = tester.records("flights.dead");
    assert_eq!(dead.len(), 1);
    assert!(
        dead[0]
            .headers
            .iter()
            .any(|(_, value)| { value.as_deref() == Some(&b"flight 1 has no tail number"[..]) })
    );
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_flight_has_no_leg() {
    let tester = Tester::start(app()).await.unwrap();

    let mut cancelled = flight(1);
    cancelled.air_time = None;
    tester.to_flights(cancelled).key("N1").await;

    tester.spy::<on_flights>().assert_called_once();
    tester.on_legs().assert_not_called();
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn no_leg_is_lost_when_the_broker_loses_one_and_the_process_crashes() {
    let tester = Tester::start_with(app).await.unwrap();

    tester.fail_next_produce("legs", ProduceFault::Lost);
    tester.to_flights(flight(1)).key("N1").await;
    tester.crash_and_restart().await.unwrap();
    tester.to_flights(flight(2)).key("N1").await;

    let legs = tester.on_legs().messages();
    let ids: Vec<u64> = legs.iter().map(|leg| leg.id).collect();
    assert_eq!(ids, [1, 2]);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_outage_and_a_rebalance_repeat_and_lose_nothing() {
    let tester = Tester::start_with(app).await.unwrap();

    // The flight is in hand when the broker goes away: its leg waits.
    tester.slow::<on_flights>(Duration::from_secs(2));
    tester.to_flights(flight(1)).key("N1").unsettled().await;
    tester.advance(Duration::from_secs(1)).await;
    tester.broker_down();
    tester.advance(Duration::from_secs(30)).await;
    tester.on_legs().assert_not_called();
    tester.broker_up();
    tester.add_member().await.unwrap();
    tester.rebalance().await.unwrap();
    tester.to_flights(flight(2)).key("N1").await;

    assert_eq!(tester.spy::<on_flights>().count(), 2);
    assert_eq!(tester.on_legs().messages().len(), 2);
    tester.stop().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_flight_has_its_leg() {
    for seed in 0..5 {
        let tester = Tester::start_with(app).await.unwrap();

        let flights = (0..100).map(flight);
        let sent = tester.mirror::<on_flights>().send_all(flights);
        sent.unsettled().await;
        tester.chaos(seed).await;

        let legs = tester.on_legs().messages();
        let ids = legs.iter().map(|leg| leg.id).collect::<BTreeSet<_>>();
        assert_eq!(ids, BTreeSet::from_iter(0..100), "seed {seed}");
        tester.stop().await;
    }
}
