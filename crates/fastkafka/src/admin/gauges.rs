//! The gauges of an app, as its state says them at the moment of a scrape.

use super::exposition::Family;
use fastkafka_runtime::metrics_list::{self as list, Metric};
use fastkafka_runtime::{AppState, PartitionState};
use std::collections::BTreeMap;

/// What all partitions of a topic have together in a group.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    assigned: u64,
    paused: u64,
    open: u64,
    oldest: f64,
    span: i64,
    held: u64,
    commit_age: f64,
}

/// What a metric says of a topic.
type Figure = fn(&Sum) -> f64;

impl Sum {
    fn add(&mut self, partition: &PartitionState) {
        self.assigned += 1;
        self.paused += u64::from(partition.paused);
        self.open += partition.open;
        let oldest = partition.oldest_open_seconds.unwrap_or_default();
        self.oldest = self.oldest.max(oldest);
        self.span = self.span.max(partition.uncommitted_span);
        self.held += partition.held_bytes;
        self.commit_age = self.commit_age.max(partition.commit_age_seconds);
    }
}

#[allow(clippy::cast_precision_loss, reason = "what a process has in hand")]
fn number(count: u64) -> f64 {
    count as f64
}

#[allow(
    clippy::cast_precision_loss,
    reason = "offsets that one process is behind"
)]
fn offsets(count: i64) -> f64 {
    count as f64
}

fn single<const N: usize>(metric: &Metric, labels: [&str; N], value: f64) -> Family {
    let mut family = Family::new(metric);
    family.add(metric, labels, value);
    family
}

/// Nothing is left here of a partition that has gone.
pub(crate) fn gauges(state: &AppState) -> Vec<Family> {
    let about = [&*state.title, &*state.version, env!("CARGO_PKG_VERSION")];
    let mut families = vec![
        single(&list::READY, [], f64::from(state.ready)),
        problems(state),
        single(&list::BUILD_INFO, about, 1.0),
        single(&list::IN_FLIGHT, [], number(state.in_flight as u64)),
        single(&list::IN_FLIGHT_BYTES, [], number(state.in_flight_bytes)),
        outputs(state),
    ];
    families.extend(partitions(state));
    families
}

fn outputs(state: &AppState) -> Family {
    let mut family = Family::new(&list::OUTPUTS);
    for output in &state.outputs {
        let kind = match output.dead_letters {
            true => "dead_letters",
            false => "outputs",
        };
        for (result, count) in [("acknowledged", output.acknowledged), ("lost", output.lost)] {
            let labels = [&*output.cluster, kind, result];
            family.add(&list::OUTPUTS, labels, number(count));
        }
    }
    family
}

fn problems(state: &AppState) -> Family {
    let mut by_code = BTreeMap::<_, u64>::new();
    for problem in &state.problems {
        *by_code.entry(problem.code.as_str()).or_default() += 1;
    }
    let mut family = Family::new(&list::PROBLEMS);
    for (code, count) in by_code {
        family.add(&list::PROBLEMS, [code], number(count));
    }
    family
}

fn partitions(state: &AppState) -> Vec<Family> {
    let each = [&list::LAG, &list::LAG_SECONDS, &list::STOPPED];
    let [mut lag, mut lag_seconds, mut stopped] = each.map(Family::new);
    let mut sums = BTreeMap::<(&str, &str, &str), Sum>::new();
    for group in state.groups.values() {
        let members = group.members.values();
        for partition in members.flat_map(|member| member.partitions.values()) {
            let (cluster, id, topic) = (&*group.cluster, &*group.group, &*partition.topic);
            let index = partition.partition.to_string();
            let labels = [cluster, id, topic, &index];
            if let Some(behind) = partition.lag {
                lag.add(&list::LAG, labels, offsets(behind));
            }
            if let Some(behind) = partition.lag_seconds {
                lag_seconds.add(&list::LAG_SECONDS, labels, behind);
            }
            stopped.add(&list::STOPPED, labels, f64::from(partition.stopped));
            sums.entry((cluster, id, topic)).or_default().add(partition);
        }
    }
    let of_topics: [(&Metric, Figure); 7] = [
        (&list::ASSIGNED, |sum| number(sum.assigned)),
        (&list::PAUSED, |sum| number(sum.paused)),
        (&list::OPEN_RECORDS, |sum| number(sum.open)),
        (&list::OLDEST_OPEN, |sum| sum.oldest),
        (&list::SPAN, |sum| offsets(sum.span)),
        (&list::HELD, |sum| number(sum.held)),
        (&list::COMMIT_AGE, |sum| sum.commit_age),
    ];
    let of_topics = of_topics.map(|(metric, value)| {
        let mut family = Family::new(metric);
        for ((cluster, group, topic), sum) in &sums {
            family.add(metric, [cluster, group, topic], value(sum));
        }
        family
    });
    [lag, lag_seconds, stopped]
        .into_iter()
        .chain(of_topics)
        .collect()
}
