//! Metrics as text, in the two formats that Prometheus reads.
//!
//! | | version 0.0.4 | OpenMetrics 1.0 |
//! |---|---|---|
//! | a counter is declared by | its name | its name without `_total` |
//! | a unit | is in the name | is declared, too |
//! | the last line | is any | is `# EOF` |

use fastkafka_runtime::metrics_list::{Kind, Metric};
use std::fmt::Write;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus, version 0.0.4.
    Text,
    OpenMetrics,
}

impl Format {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// All series of a name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) unit: Option<&'static str>,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// A value with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Behind the family's name: of a histogram there are several.
    pub(crate) suffix: &'static str,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Family {
    pub(crate) fn new(metric: &Metric) -> Self {
        Self {
            name: metric.name.to_owned(),
            kind: metric.kind,
            unit: metric.unit,
            help: metric.help.to_owned(),
            samples: Vec::new(),
        }
    }

    /// Adds a series; the values of its labels in their order. An empty value is no label.
    pub(crate) fn add<const N: usize>(&mut self, metric: &Metric, labels: [&str; N], value: f64) {
        debug_assert_eq!(metric.labels.len(), N, "{}", metric.name);
        let labels = metric.labels.iter().zip(labels);
        let labels = labels.filter(|(_, value)| !value.is_empty());
        self.samples.push(Sample {
            suffix: "",
            labels: labels
                .map(|(name, value)| ((*name).to_owned(), value.to_owned()))
                .collect(),
            value,
        });
    }

    /// The name under which its samples go: with the end that a counter has to have.
    fn sample_name(&self, format: Format) -> String {
        let is_bare = self.kind == Kind::Counter && !self.name.ends_with("_total");
        match is_bare && format == Format::OpenMetrics {
            true => format!("{}_total", self.name),
            false => self.name.clone(),
        }
    }

    fn write(&self, format: Format, to: &mut String) {
        let sample_name = self.sample_name(format);
        let declared = match (format, self.kind) {
            (Format::OpenMetrics, Kind::Counter) => sample_name.trim_end_matches("_total"),
            _ => &*sample_name,
        };
        let (kind, help) = (
            self.kind,
            escaped(&self.help, format == Format::OpenMetrics),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(to, "# TYPE {declared} {kind}");
        if let (Format::OpenMetrics, Some(unit)) = (format, self.unit) {
            let _ = writeln!(to, "# UNIT {declared} {unit}");
        }
        if !help.is_empty() {
            let _ = writeln!(to, "# HELP {declared} {help}");
        }
        for sample in &self.samples {
            to.push_str(&sample_name);
            to.push_str(sample.suffix);
            for (at, (name, value)) in sample.labels.iter().enumerate() {
                let begin = if at == 0 { '{' } else { ',' };
                let _ = write!(to, "{begin}{name}=\"{}\"", escaped(value, true));
            }
            if !sample.labels.is_empty() {
                to.push('}');
            }
            let _ = writeln!(to, " {}", number(sample.value));
        }
    }
}

/// All families in one text.
pub(crate) fn text(families: &[Family], format: Format) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        family.write(format, &mut text);
    }
    if format == Format::OpenMetrics {
        text.push_str("# EOF\n");
    }
    text
}

pub(crate) fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    match quotes {
        true => text.replace('"', "\\\""),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fastkafka_runtime::metrics_list::{COMMITS, LAG_SECONDS};

    fn families() -> Vec<Family> {
        let mut lag = Family::new(&LAG_SECONDS);
        lag.add(&LAG_SECONDS, ["", "shop", "or\"ders", "3"], 1.5);
        let mut commits = Family::new(&COMMITS);
        commits.add(&COMMITS, ["", "shop", "taken"], 7.0);
        let users = Family {
            name: "orders".to_owned(),
            kind: Kind::Counter,
            unit: None,
            help: String::new(),
            samples: vec![Sample {
                suffix: "",
                labels: Vec::new(),
                value: f64::INFINITY,
            }],
        };
        let none = Family::new(&COMMITS);
        vec![lag, commits, users, none]
    }

    #[test]
    fn the_text_of_prometheus_declares_each_name_once() {
        let help = LAG_SECONDS.help;
        let expected = format!(
            "# TYPE fastkafka_lag_seconds gauge\n\
             # HELP fastkafka_lag_seconds {help}\n\
             fastkafka_lag_seconds{{group=\"shop\",topic=\"or\\\"ders\",partition=\"3\"}} 1.5\n\
             # TYPE fastkafka_commits_total counter\n\
             # HELP fastkafka_commits_total {}\n\
             fastkafka_commits_total{{group=\"shop\",result=\"taken\"}} 7\n\
             # TYPE orders counter\n\
             orders +Inf\n",
            COMMITS.help
        );
        assert_eq!(text(&families(), Format::Text), expected);
    }

    #[test]
    fn openmetrics_wants_units_and_counters_that_end_with_total() {
        let text = text(&families(), Format::OpenMetrics);
        for line in [
            "# UNIT fastkafka_lag_seconds seconds",
            "# TYPE fastkafka_commits counter",
            "fastkafka_commits_total{group=\"shop\",result=\"taken\"} 7",
            "# TYPE orders counter",
            "orders_total +Inf",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.ends_with("\n# EOF\n"));
    }
}
