//! `#[benchmark]`: the throughput of functions, through `tracing` and `metrics`.

use crate::lock::lock;
use fastkafka_core::{AppContext, Tally};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// The target of the log lines, whatever the function's crate.
const TARGET: &str = "fastkafka::benchmark";

/// The tasks that report the throughput of an app's functions. They end when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<JoinSet<()>>);

impl Reports {
    pub(crate) fn start(&self, app: &Arc<AppContext>) {
        let mut reports = lock(&self.0);
        for at in 0..app.tallies().len() {
            reports.spawn(report(app.clone(), at));
        }
    }

    pub(crate) fn end(&self) {
        let mut reports = lock(&self.0);
        reports.abort_all();
    }
}

/// Reports the throughput after each interval. The first interval begins with a record, and after one
/// without records it waits for the next record: an idle app has no timers.
async fn report(app: Arc<AppContext>, at: usize) {
    let tally = &app.tallies()[at];
    let mut figures = Figures::new(tally);
    let mut seen = 0;
    loop {
        tally.more_than(seen).await;
        let mut begun = Instant::now();
        loop {
            sleep_until(begun + figures.interval).await;
            let (now, records) = (Instant::now(), tally.records());
            let idle = records == seen;
            figures.add(records - seen, now - begun);
            (begun, seen) = (now, records);
            if idle {
                break;
            }
        }
    }
}

/// The figures of a function.
struct Figures {
    function: String,
    interval: Duration,
    window: Option<usize>,
    /// The figures of the average.
    history: VecDeque<f64>,
}

impl Figures {
    fn new(tally: &Tally) -> Self {
        let meter = tally.meter();
        Self {
            function: format!("{}::{}", meter.function.module(), meter.function.name()),
            interval: (meter.interval)(),
            window: (meter.window)(),
            history: VecDeque::new(),
        }
    }

    fn add(&mut self, records: u64, time: Duration) {
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let throughput = records as f64 / time.as_secs_f64();
        let average = self.average(throughput);
        let function = || self.function.clone();
        metrics::gauge!("fastkafka_benchmark_throughput", "function" => function()).set(throughput);
        if let Some(average) = average {
            metrics::gauge!("fastkafka_benchmark_average", "function" => function()).set(average);
        }
        let line = self.line(throughput, average);
        tracing::info!(target: TARGET, function = self.function, throughput, average, "{line}");
    }

    fn average(&mut self, throughput: f64) -> Option<f64> {
        let window = self.window?;
        self.history.push_back(throughput);
        if self.history.len() > window {
            self.history.pop_front();
        }
        #[allow(clippy::cast_precision_loss, reason = "few figures")]
        let count = self.history.len() as f64;
        Some(self.history.iter().sum::<f64>() / count)
    }

    fn line(&self, throughput: f64, average: Option<f64>) -> String {
        let average = average.map(|average| format!(", Avg throughput = {}", grouped(average)));
        let window = self.window;
        let window = window.map(|window| format!(", sliding_window_size={window}"));
        format!(
            "Throughput = {}{} - For {} (interval={:?}{})",
            grouped(throughput),
            average.unwrap_or_default(),
            self.function,
            self.interval,
            window.unwrap_or_default()
        )
    }
}

/// Without a fraction, with commas between thousands.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let numbers = [0.0, 999.4, 1_000.0, 12_345_678.9].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345,679"]);
    }

    #[test]
    fn the_average_is_of_the_last_figures_and_the_line_has_both() {
        let mut figures = Figures {
            function: "shop::on_orders".to_owned(),
            interval: Duration::from_secs(1),
            window: Some(2),
            history: VecDeque::new(),
        };
        let averages = [1_000.0, 2_000.0, 4_000.0].map(|figure| figures.average(figure));
        assert_eq!(averages, [Some(1_000.0), Some(1_500.0), Some(3_000.0)]);
        assert_eq!(
            figures.line(4_000.0, averages[2]),
            "Throughput = 4,000, Avg throughput = 3,000 - For shop::on_orders (interval=1s, sliding_window_size=2)"
        );
    }
}
