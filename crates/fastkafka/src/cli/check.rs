//! `check`: every problem that shows without a broker, and what the service does.

use super::Check;
use crate::app::App;
use fastkafka_core::Plan;
use std::fmt::Write;
use std::process::ExitCode;

pub(super) fn check(app: &App, options: &Check) -> ExitCode {
    if let Some(broker) = &options.kafka_broker
        && let Err(unknown) = app.set_kafka_broker(broker)
    {
        eprintln!("error: {unknown}");
        return ExitCode::from(1);
    }
    match app.check() {
        Ok(plan) => {
            print!("{}", describe(&plan));
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprintln!("error: {problems}");
            ExitCode::from(1)
        }
    }
}

/// A line per function: what it is, its topic, its group, where it stands.
fn describe(plan: &Plan) -> String {
    let consumers = plan.groups.iter().flat_map(|group| {
        group.handlers.iter().map(|handler| {
            let def = handler.def;
            [
                "consumes".to_owned(),
                def.topic.to_owned(),
                format!("group {}", group.id),
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
            String::new(),
            def.path(),
            def.location.to_string(),
        ]
    });
    let rows: Vec<_> = consumers.chain(producers).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
