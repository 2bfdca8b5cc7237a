//! An expression as text that RE2 and POSIX read alike.

use super::characters::{Characters, OF_NAMES, each};
use super::expression::Expression;

pub(super) fn show(of: &Expression) -> String {
    match of {
        Expression::One(set) => one(*set),
        Expression::Sequence(parts) => parts.iter().map(in_sequence).collect(),
        Expression::Either(parts) => {
            let some = parts.iter().filter(|part| **part != Expression::empty());
            let shown: Vec<_> = some.map(show).collect();
            let shown = shown.join("|");
            if parts.contains(&Expression::empty()) {
                format!("({shown})?")
            } else {
                shown
            }
        }
        Expression::Repeated(part) => match &**part {
            Expression::One(set) => format!("{}*", one(*set)),
            part => format!("({})*", show(part)),
        },
    }
}

fn in_sequence(part: &Expression) -> String {
    match part {
        // Where it may be nothing it has its group already.
        Expression::Either(parts) if !parts.contains(&Expression::empty()) => {
            format!("({})", show(part))
        }
        _ => show(part),
    }
}

/// A name has no other characters, so all but these may be said of all there are.
fn one(set: Characters) -> String {
    let others = OF_NAMES & !set;
    match (set.count_ones(), others.count_ones()) {
        (1, _) => {
            let text = list(set);
            match &*text {
                "." => "\\.".to_owned(),
                _ => text,
            }
        }
        (_, 0) => ".".to_owned(),
        (some, left) if left < some => format!("[^{}]", list(others)),
        _ => format!("[{}]", list(set)),
    }
}

/// The characters of a list; a `-` of its own comes last.
fn list(set: Characters) -> String {
    let mut text = String::new();
    let mut bytes = each(set).filter(|byte| *byte != b'-').peekable();
    while let Some(first) = bytes.next() {
        let mut last = first;
        while bytes.next_if_eq(&(last + 1)).is_some() {
            last += 1;
        }
        text.push(char::from(first));
        if last > first + 1 {
            text.push('-');
        }
        if last > first {
            text.push(char::from(last));
        }
    }
    if set & (1 << b'-') != 0 {
        text.push('-');
    }
    text
}
