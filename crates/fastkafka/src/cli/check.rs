//! `check`: every problem that shows without a broker, and what the service does.

use super::failed::Failed;
use super::output::print;
use super::table::table;
use crate::app::App;
use clap::Args;
use fastkafka_core::{Broker, Explained, Plan, Restart};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Options of `check`.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// Check the choice of a broker too.
    #[arg(long, value_name = "NAME|ADDRESS")]
    pub kafka_broker: Option<String>,
    /// Show each setting of each function: its value, where it comes from, and what it won over.
    #[arg(long)]
    pub explain: bool,
}

pub(super) fn check(app: &App, options: &Check) -> Result<(), Failed> {
    if let Some(broker) = &options.kafka_broker {
        app.set_kafka_broker(broker).map_err(Failed::found)?;
    }
    let checked = app.check();
    let printed = if options.explain {
        // Also of an app with problems: it may show where they come from.
        print(explain(&app.explain()))
    } else {
        checked
            .as_ref()
            .map_or(Ok(()), |plan| print(describe(plan)))
    };
    // What was found comes before what could not be shown.
    checked.map_err(Failed::found)?;
    printed
}

/// A line per function: what it is, its topic and cluster, its group, where it stands.
fn describe(plan: &Plan) -> String {
    let consumers = plan.groups.iter().flat_map(|group| {
        group.handlers.iter().map(|handler| {
            let def = handler.def;
            [
                "consumes".to_owned(),
                def.subscription().collect::<Vec<_>>().join(","),
                on(&group.cluster),
                if group.standalone {
                    "no group".to_owned()
                } else {
                    format!("group {}", group.id)
                },
                def.path(),
                def.location.to_string(),
            ]
        })
    });
    let producers = plan.outputs.iter().map(|output| {
        let def = output.def;
        [
            "produces".to_owned(),
            def.topic.to_owned(),
            on(&output.cluster),
            String::new(),
            def.path(),
            def.location.to_string(),
        ]
    });
    let tasks = plan.tasks.iter().map(|task| {
        [
            "background".to_owned(),
            String::new(),
            String::new(),
            match task.restart {
                Restart::Never => String::new(),
                Restart::OnFailure => "restarts".to_owned(),
            },
            task.def.path(),
            task.def.location.to_string(),
        ]
    });
    table(&consumers.chain(producers).chain(tasks).collect::<Vec<_>>())
}

/// The app's own cluster needs no word. Another one may be an address.
fn on(cluster: &str) -> String {
    match cluster {
        "" => String::new(),
        name => format!("on {}", Broker::new(name).shown()),
    }
}

/// A line per topic and per pattern, with its cluster where that is not the app's own.
pub(super) fn topics(app: &App) -> Result<(), Failed> {
    print(topics_of(app))
}

fn topics_of(app: &App) -> String {
    let plan = app.sketch();
    let topics = plan.topics().into_iter();
    let topics = topics.map(|(cluster, topic)| [topic, String::new(), on(&cluster)]);
    let patterns = plan.groups.iter().flat_map(|group| {
        let patterns = group.handlers.iter().filter_map(|h| h.def.pattern);
        patterns.map(|pattern| [pattern.to_owned(), "pattern".to_owned(), on(&group.cluster)])
    });
    let rows: BTreeSet<_> = topics.chain(patterns).collect();
    table(&rows.into_iter().collect::<Vec<_>>())
}

/// A block per function, a line per setting.
fn explain(functions: &[Explained]) -> String {
    let blocks = functions.iter().map(|function| {
        let rows = function.rows.iter().map(|row| {
            let mut from = row.from.clone();
            for (i, (place, value)) in row.losers.iter().enumerate() {
                let over = if i == 0 { " over" } else { "," };
                let _ = write!(from, "{over} {value} ({place})");
            }
            [format!("  {}", row.key), format!("= {}", row.value), from]
        });
        let rows = table(&rows.collect::<Vec<_>>());
        format!("{} ({})\n{rows}", function.path, function.at)
    });
    blocks.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProduceError, consumes, produces, run_in_background};

    struct Shop;

    #[consumes(app = Shop, crate = crate, topic = "orders")]
    async fn on_orders(_order: u64) {}

    #[produces(app = Shop, crate = crate)]
    async fn to_invoices() -> Result<u64, ProduceError> {
        Ok(7)
    }

    #[run_in_background(app = Shop, crate = crate)]
    async fn count() {}

    #[run_in_background(app = Shop, crate = crate, restart = "on_failure")]
    async fn refresh() {}

    struct Matching;

    #[consumes(app = Matching, crate = crate, pattern = "^orders\\..*", dead_letter = "dead")]
    async fn on_matching(_order: u64) {}

    #[test]
    fn the_topics_are_listed_and_the_patterns_with_them() {
        let app = App::scoped::<Matching>().title("Matching").build();
        assert_eq!(topics_of(&app), "^orders\\..*  pattern\ndead\n");
        let app = App::scoped::<Shop>().title("Shop").build();
        assert_eq!(topics_of(&app), "invoices\norders\n");
    }

    #[test]
    fn a_line_says_of_each_function_what_it_does() {
        let app = App::scoped::<Shop>().title("Shop").build();
        let text = describe(&app.check().unwrap());
        let lines = text.lines().map(|line| line.split_whitespace());
        // Places move with every edit.
        let lines = lines.map(|words| words.filter(|word| !word.contains(".rs:")));
        let lines: Vec<Vec<_>> = lines.map(Iterator::collect).collect();
        let module = module_path!();
        let path = |name| format!("{module}::{name}");
        assert_eq!(
            lines[0],
            ["consumes", "orders", "group", "shop", &path("on_orders")]
        );
        assert_eq!(lines[1], ["produces", "invoices", &path("to_invoices")]);
        assert_eq!(lines[2], ["background", &path("count")]);
        assert_eq!(lines[3], ["background", "restarts", &path("refresh")]);
    }
}
