//! A counterexample as a table, one choice a line; and the way back from the table to the run.

use super::model::{Model, Seen, Violation};
use super::{Coverage, take};
use std::fmt::Write;

/// The run as a table, with what is violated below it.
pub fn table<M: Model>(model: &M, trace: &[M::Action]) -> String {
    let mut state = model.start();
    let mut reached = Coverage::default();
    let titles = ["#", "what happens", "what the engine answers"];
    let mut rows = vec![
        titles
            .iter()
            .chain(M::titles())
            .map(ToString::to_string)
            .collect(),
    ];
    let mut violation = None;
    for (number, &action) in (1..).zip(trace) {
        let mut row = vec![format!("{number}"), model.say(&state, action)];
        let mut effects = Vec::new();
        let mut seen = Seen {
            reached: &mut reached,
            effects: Some(&mut effects),
        };
        violation = take(model, &mut state, action, &mut seen).err();
        row.push(effects.join(", "));
        row.extend(model.columns(&state));
        rows.push(row);
    }
    if violation.is_none() {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        violation = model.at_rest(&state, &actions).err();
    }
    let mut out = format!("scope: {}\n", model.name());
    out += &columns(&rows);
    if let Some(violation) = violation {
        let _ = writeln!(out, "    {violation}");
    }
    out
}

/// Rows of cells as a table that is also Markdown.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut out = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, width) in widths.iter().enumerate() {
            let cell = row.get(column).map_or("", String::as_str);
            let _ = write!(out, "| {cell:<width$} ");
        }
        out += "|\n";
        if number == 0 {
            for width in &widths {
                let _ = write!(out, "|{:-<1$}", "", width + 2);
            }
            out += "|\n";
        }
    }
    out
}

/// The reason why a printed trace cannot be run again.
#[derive(Debug, PartialEq, Eq)]
pub enum NoReplay {
    /// No choice has this text.
    Impossible {
        /// The number of the line among the choices, from 1.
        line: usize,
        /// The text.
        text: String,
        /// The choices that are possible there.
        possible: Vec<String>,
    },
    /// Two choices have the same text: a fault of the model.
    Ambiguous {
        /// The text.
        text: String,
    },
}

impl std::fmt::Display for NoReplay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Impossible {
                line,
                text,
                possible,
            } => write!(
                f,
                "line {line}: `{text}` is not possible there; possible are: {}",
                possible.join("; ")
            ),
            Self::Ambiguous { text } => write!(f, "two choices are both called `{text}`"),
        }
    }
}

impl std::error::Error for NoReplay {}

/// The choices of a printed table: those lines whose first cell is a number. Leading and trailing
/// `|` may be missing.
///
/// # Errors
///
/// A choice that is not possible where the table has it.
pub fn parse<M: Model>(model: &M, table: &str) -> Result<Vec<M::Action>, NoReplay> {
    let mut state = model.start();
    let mut reached = Coverage::default();
    let mut trace = Vec::new();
    for text in table.lines().filter_map(choice) {
        let mut actions = Vec::new();
        model.actions(&state, &mut actions);
        let said = |&action: &M::Action| model.say(&state, action) == text;
        let mut matching = actions.iter().copied().filter(said);
        let Some(action) = matching.next() else {
            return Err(NoReplay::Impossible {
                line: trace.len() + 1,
                text: text.into(),
                possible: actions.iter().map(|&a| model.say(&state, a)).collect(),
            });
        };
        if matching.next().is_some() {
            return Err(NoReplay::Ambiguous { text: text.into() });
        }
        trace.push(action);
        let mut seen = Seen {
            reached: &mut reached,
            effects: None,
        };
        if take(model, &mut state, action, &mut seen).is_err() {
            break;
        }
    }
    Ok(trace)
}

/// The scope that a printed table names.
#[must_use]
pub fn scope_of(table: &str) -> Option<&str> {
    table
        .lines()
        .find_map(|line| line.trim().strip_prefix("scope: "))
        .map(str::trim)
}

fn choice(line: &str) -> Option<&str> {
    let mut cells = line
        .trim()
        .trim_start_matches('|')
        .split('|')
        .map(str::trim);
    cells.next()?.parse::<u32>().ok()?;
    cells.next()
}

/// The violation at the end of the run, if there is one.
pub fn violation<M: Model>(model: &M, trace: &[M::Action]) -> Option<Violation> {
    let mut state = model.start();
    let mut reached = Coverage::default();
    for &action in trace {
        let mut seen = Seen {
            reached: &mut reached,
            effects: None,
        };
        if let Err(violation) = take(model, &mut state, action, &mut seen) {
            return Some(violation);
        }
    }
    let mut actions = Vec::new();
    model.actions(&state, &mut actions);
    model.at_rest(&state, &actions).err()
}
