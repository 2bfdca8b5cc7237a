//! The figures of the process, as Prometheus' own libraries name them. Linux has them in `/proc`.

use super::exposition::Family;
use fastkafka_runtime::metrics_list::{self as list, Metric};
use std::fs;

/// The unit of times in `/proc`, which Linux shows to programs as hundredths of a second on every machine.
const TICKS: f64 = 100.0;

/// What the system tells; nothing where it is another system.
pub(crate) fn process() -> Vec<Family> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let stat = read("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may have anything in it.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<_> = fields.split_whitespace().collect();
    let field = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    let status = read("/proc/self/status").unwrap_or_default();
    let kibibytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let number = line.split_whitespace().next()?.parse::<f64>().ok()?;
        Some(number * 1_024.0)
    };
    let descriptors = fs::read_dir("/proc/self/fd").ok();
    #[allow(clippy::cast_precision_loss, reason = "descriptors of a process")]
    let descriptors = descriptors.map(|all| all.count() as f64);
    let system = read("/proc/stat").unwrap_or_default();
    let booted = system.lines().find_map(|line| line.strip_prefix("btime "));
    let booted = booted.and_then(|time| time.trim().parse::<f64>().ok());
    let figures: [(&Metric, Option<f64>); 6] = [
        (
            &list::CPU,
            field(11)
                .zip(field(12))
                .map(|(user, system)| (user + system) / TICKS),
        ),
        (&list::RESIDENT, kibibytes("VmRSS:")),
        (&list::VIRTUAL, kibibytes("VmSize:")),
        (&list::OPEN_FDS, descriptors),
        (&list::THREADS, field(17)),
        (
            &list::START_TIME,
            booted
                .zip(field(19))
                .map(|(booted, ticks)| booted + ticks / TICKS),
        ),
    ];
    let families = figures.into_iter().filter_map(|(metric, value)| {
        let mut family = Family::new(metric);
        family.add(metric, [], value?);
        Some(family)
    });
    families.collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn the_figures_are_those_of_this_process() {
        let figures = process();
        let value = |metric: &Metric| {
            let found = figures.iter().find(|family| family.name == metric.name);
            found.unwrap().samples[0].value
        };
        assert!(value(&list::RESIDENT) > 1e6 && value(&list::VIRTUAL) > value(&list::RESIDENT));
        assert!(value(&list::OPEN_FDS) >= 3.0 && value(&list::THREADS) >= 1.0);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let age = now.unwrap().as_secs_f64() - value(&list::START_TIME);
        assert!((-2.0..86_400.0).contains(&age), "{age}");
        assert!(value(&list::CPU) >= 0.0);
    }
}
