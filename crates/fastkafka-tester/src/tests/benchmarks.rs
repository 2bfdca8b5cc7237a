//! `#[benchmark]` under a tester: figures in virtual time, for the recorder of `metrics`.

use crate::Tester;
use fastkafka::{App, ProduceError, benchmark, consumes, produces};
use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, SharedString, Unit};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Every value of every gauge, with its time.
#[derive(Clone)]
struct Values {
    begun: Instant,
    set: Arc<Mutex<Vec<(String, Duration, f64)>>>,
}

impl Values {
    /// Those of one gauge of one function: seconds and value.
    fn read(&self, gauge: &str, function: &str) -> Vec<(f64, f64)> {
        let name = format!("{gauge} fastkafka_tester::tests::benchmarks::{function}");
        let set = self.set.lock().unwrap();
        let ours = set.iter().filter(|(known, ..)| *known == name);
        ours.map(|(_, at, value)| (at.as_secs_f64().round(), *value))
            .collect()
    }
}

struct Setter(Values, String);

impl GaugeFn for Setter {
    fn increment(&self, _: f64) {
        unreachable!("gauges are set");
    }
    fn decrement(&self, _: f64) {
        unreachable!("gauges are set");
    }
    fn set(&self, value: f64) {
        let Self(values, name) = self;
        let at = values.begun.elapsed();
        values.set.lock().unwrap().push((name.clone(), at, value));
    }
}

impl metrics::Recorder for Values {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let function = key.labels().find(|label| label.key() == "function");
        let name = format!("{} {}", key.name(), function.unwrap().value());
        Gauge::from_arc(Arc::new(Setter(self.clone(), name)))
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

struct Shop;

#[benchmark(interval = 2, sliding_window_size = 2)]
#[consumes(app = Shop, auto_offset_reset = "earliest")]
async fn on_orders(orders: Vec<u64>) -> Result<(), ProduceError> {
    for order in orders {
        to_invoices(order).await?;
    }
    Ok(())
}

#[produces(app = Shop)]
#[benchmark]
async fn to_invoices(order: u64) -> Result<u64, ProduceError> {
    Ok(order)
}

const THROUGHPUT: &str = "fastkafka_benchmark_throughput";
const AVERAGE: &str = "fastkafka_benchmark_average";

#[tokio::test(start_paused = true)]
async fn throughput_and_average_are_told_after_each_interval_with_records() {
    let values = Values {
        begun: Instant::now(),
        set: Arc::default(),
    };
    let recorder = values.clone();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let tester = Tester::start(App::scoped::<Shop>().build()).await.unwrap();
    // An app that has nothing to do says nothing.
    tester.advance(Duration::from_secs(100)).await;
    let orders = tester.mirror::<on_orders>();
    orders.send_all(0..10).await;
    tester.advance(Duration::from_secs(3)).await;
    orders.send_all(0..6).await;
    // From 104 on there is nothing: that is said once.
    tester.advance(Duration::from_secs(60)).await;
    orders.send_all(0..2).await;
    tester.advance(Duration::from_secs(2)).await;
    tester.stop().await;

    let throughput = [(102.0, 5.0), (104.0, 3.0), (106.0, 0.0), (165.0, 1.0)];
    assert_eq!(values.read(THROUGHPUT, "on_orders"), throughput);
    let average = [(102.0, 5.0), (104.0, 4.0), (106.0, 1.5), (165.0, 0.5)];
    assert_eq!(values.read(AVERAGE, "on_orders"), average);
    let sent = values.read(THROUGHPUT, "to_invoices");
    assert_eq!(sent[..2], [(101.0, 10.0), (102.0, 0.0)]);
    assert!(values.read(AVERAGE, "to_invoices").is_empty());
}
