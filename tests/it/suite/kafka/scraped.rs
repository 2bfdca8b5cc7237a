//! What a Prometheus has of two processes of the flights example, against the ledger: what lies in Kafka.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flights::data::{january, repeated};
use flights::flight::{Flight, leg};
use kafka_lab::{Kafka, NewRecord};

use crate::kafka::process::{Process, eventually};
use crate::kafka::prometheus::Prometheus;

/// The processes, and where each is scraped.
struct Fleet {
    kafka: Kafka,
    prometheus: Prometheus,
    logs: tempfile::TempDir,
    processes: Vec<(Process, String)>,
    started: usize,
}

impl Fleet {
    fn new() -> Self {
        let kafka = Kafka::start().unwrap();
        kafka.create_topic("flights", 4, &[]).unwrap();
        kafka.create_topic("legs", 4, &[]).unwrap();
        kafka.create_topic("flights.dead", 1, &[]).unwrap();
        let mut fleet = Self {
            kafka,
            prometheus: Prometheus::start(),
            logs: tempfile::tempdir().unwrap(),
            processes: Vec::new(),
            started: 0,
        };
        for _ in 0..2 {
            let process = fleet.start();
            fleet.processes.push(process);
        }
        fleet.await_members();
        fleet
    }

    fn start(&mut self) -> (Process, String) {
        self.started += 1;
        let log = self.logs.path().join(self.started.to_string());
        let variables = [("FASTKAFKA_ADMIN", "127.0.0.1:0")];
        let mut process = Process::flights_with(self.kafka.bootstrap(), log, &variables);
        let line = process.says("admin listener on http://");
        let (_, address) = line.split_once("http://").unwrap();
        let address = address.trim_end_matches('/').to_owned();
        // Before it has counted anything.
        self.prometheus.scrape(&address);
        process.is_started();
        (process, address)
    }

    fn await_members(&self) {
        eventually("both have partitions", || {
            let group = self.kafka.group("flights").unwrap();
            let members = group.members.iter();
            let with = members.filter(|member| !member.assigned.is_empty());
            (group.state == "Stable" && with.count() == 2).then_some(())
        });
    }

    fn send(&self, flights: &[Flight]) {
        let records = flights
            .iter()
            .map(|flight| NewRecord::new(serde_json::to_vec(flight).unwrap()).key(flight.key()));
        let records: Vec<_> = records.collect();
        self.kafka.produce("flights", &records).unwrap();
    }

    fn await_end(&self) {
        let ends = self.kafka.end_offsets("flights").unwrap();
        eventually("all flights are committed", || {
            (self.kafka.committed("flights", "flights").unwrap() == ends).then_some(())
        });
    }

    fn count(&self, topic: &str) -> usize {
        let ends = self.kafka.end_offsets(topic).unwrap();
        usize::try_from(ends.values().sum::<i64>()).unwrap()
    }

    /// How many records of an outcome Prometheus has seen, of processes that are gone as well.
    fn counted(&self, outcome: &str) -> f64 {
        let series = format!("fastkafka_records_total{{outcome=\"{outcome}\"}}");
        let sums = self
            .prometheus
            .query(&format!("sum by (outcome) (max_over_time({series}[1h]))"));
        sums.get(outcome).copied().unwrap_or_default()
    }

    /// Waits until each process that is there was scraped twice after now: what is counted by now is in.
    fn scrape_all(&self) {
        let begun = now();
        for (_, address) in &self.processes {
            let up = format!("up{{instance=\"{address}\"}}");
            eventually("it is scraped again", || {
                let samples = self.prometheus.samples(&up);
                (samples.iter().filter(|(at, _)| *at > begun).count() >= 2).then_some(())
            });
        }
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs_f64()
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[test]
fn without_a_kill_its_counters_are_the_ledgers_and_with_kills_only_what_was_not_scraped_is_missing()
{
    const KILLS: usize = 3;
    let mut fleet = Fleet::new();
    let flights = january();
    fleet.send(&flights);
    fleet.await_end();
    fleet.scrape_all();
    let letters = fleet.count("flights.dead");
    let counted = ["handled", "rejected", "dead_lettered", "failed", "skipped"];
    let counted = counted.map(|outcome| fleet.counted(outcome));
    let handled = number(flights.len() - letters);
    let letters = number(letters);
    assert_eq!(counted, [handled, letters, letters, 0.0, 0.0]);
    let by_process = fleet
        .prometheus
        .query("sum by (instance) (fastkafka_records_total{outcome=\"handled\"})");
    assert_eq!(by_process.len(), 2);
    assert!(
        by_process.values().all(|part| *part > 0.0),
        "{by_process:?}"
    );

    // Each is one leg now, so a leg in Kafka is a flight that was handled.
    let (legs, before) = (fleet.count("legs"), fleet.counted("handled"));
    let mut flown = repeated(2).filter(|flight| matches!(leg(flight), Ok(Some(_))));
    let mut kills = Vec::new();
    for _ in 0..KILLS {
        let part: Vec<_> = flown.by_ref().take(15_000).collect();
        let begun = fleet.count("legs");
        fleet.send(&part);
        eventually("some of it is done", || {
            (fleet.count("legs") > begun + 2_000).then_some(())
        });
        let (mut victim, address) = fleet.processes.remove(0);
        victim.kill();
        kills.push((address, now()));
        let next = fleet.start();
        fleet.processes.push(next);
        fleet.await_end();
    }
    fleet.await_members();
    fleet.scrape_all();
    let counted = fleet.counted("handled") - before;
    let done = fleet.count("legs") - legs;
    let written: Vec<_> = fleet.kafka.consume("legs").unwrap();
    // What was written between the last scrape of a process and its kill, by whomever.
    let missing = kills.iter().map(|(address, killed)| {
        let up = fleet
            .prometheus
            .samples(&format!("up{{instance=\"{address}\"}}"));
        let scraped = up.iter().filter(|(_, up)| *up == 1.0).map(|(at, _)| *at);
        let last = scraped.fold(0.0, f64::max);
        assert!(last < *killed, "{address}");
        let between = written.iter().filter(|leg| {
            let at = Duration::from_millis(u64::try_from(leg.timestamp).unwrap()).as_secs_f64();
            last - RUN < at && at <= *killed
        });
        between.count()
    });
    let missing: Vec<_> = missing.collect();
    let most = number(missing.iter().sum());
    let short = number(done) - counted;
    println!(
        "{done} legs, {counted} counted: {short} missing; between scrape and kill: {missing:?}"
    );
    // Less than nothing is missing where a leg that was counted was not written before the kill.
    assert!(
        short.abs() <= most,
        "{short} are missing, and {most} can be"
    );
    for (process, _) in fleet.processes {
        process.stop();
    }
}

/// The time that a run takes, in seconds: its records are counted when it ends.
const RUN: f64 = 0.2;
