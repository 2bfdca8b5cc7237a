//! The checks of assertions, and the words in which they fail.

use super::failure::{AssertionFailure, likeness};
use super::source::{Comparable, Phrases, Source};
use std::fmt::Debug;

pub(super) type Checked = Result<(), AssertionFailure>;

pub(super) fn counted<S: Source>(count: usize) -> String {
    let Phrases {
        never, once, often, ..
    } = S::PHRASES;
    match count {
        0 => never.to_owned(),
        1 => once.to_owned(),
        count => format!("{} {count} {}", often[0], often[1]),
    }
}

/// The failure of a check for another number of items.
fn wrong_count<S: Source>(count: usize, expected: &str) -> AssertionFailure {
    let (counted, noun) = (counted::<S>(count), S::PHRASES.noun);
    AssertionFailure::new(format!(
        "{} {counted}, expected {expected} {noun}",
        S::function()
    ))
}

pub(super) fn called<S: Source>(items: &[S::Item]) -> Checked {
    match items.len() {
        0 => Err(wrong_count::<S>(0, "a")),
        _ => Ok(()),
    }
}

pub(super) fn called_once<S: Source>(items: &[S::Item]) -> Checked {
    match items.len() {
        1 => Ok(()),
        count => Err(wrong_count::<S>(count, "exactly one")),
    }
}

pub(super) fn not_called<S: Source>(items: &[S::Item]) -> Checked {
    match items.len() {
        0 => Ok(()),
        count => Err(wrong_count::<S>(count, "no")),
    }
}

pub(super) fn last_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Checked {
    let Some(last) = items.last() else {
        return Err(wrong_count::<S>(0, "a").expected(expected));
    };
    let value = S::value(last);
    if value.as_ref() == Ok(expected) {
        return Ok(());
    }
    let (noun, function) = (S::PHRASES.noun, S::function());
    let failure = AssertionFailure::new(format!(
        "the last {noun} of {function} is not the expected one"
    ));
    Err(failure.compared(expected, text(&value)))
}

pub(super) fn once_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Checked {
    match called_once::<S>(items) {
        Ok(()) => last_with::<S>(items, expected),
        Err(failure) => Err(failure.expected(expected)),
    }
}

pub(super) fn any_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Checked {
    let values: Vec<_> = items.iter().map(S::value).collect();
    if values.iter().any(|value| value.as_ref() == Ok(expected)) {
        return Ok(());
    }
    let texts: Vec<_> = values.iter().map(text).collect();
    let wanted = format!("{expected:#?}");
    let nearest = texts
        .into_iter()
        .max_by(|a, b| likeness(a, &wanted).total_cmp(&likeness(b, &wanted)));
    let (noun, function) = (S::PHRASES.noun, S::function());
    Err(match nearest {
        None => wrong_count::<S>(0, "a").expected(expected),
        Some(nearest) => AssertionFailure::new(format!(
            "no {noun} of {function} is the expected one; this is the nearest"
        ))
        .compared(expected, nearest),
    })
}

pub(super) fn contains_in_a_row<S: Comparable>(
    items: &[S::Item],
    expected: &[S::Value],
) -> Checked {
    let values: Vec<_> = items.iter().map(S::value).collect();
    let equal = |window: &[Result<S::Value, String>]| {
        let mut pairs = window.iter().zip(expected);
        pairs.all(|(value, expected)| value.as_ref() == Ok(expected))
    };
    if expected.is_empty() || values.windows(expected.len()).any(equal) {
        return Ok(());
    }
    let (noun, function) = (S::PHRASES.noun, S::function());
    let values = values.iter().map(text).collect::<Vec<_>>().join(",\n");
    let actual = match values.as_str() {
        "" => "[]".to_owned(),
        values => format!("[\n    {},\n]", values.replace('\n', "\n    ")),
    };
    let failure = AssertionFailure::new(format!(
        "the {noun}s of {function} do not contain the expected ones in a row"
    ));
    Err(failure.compared(&expected, actual))
}

fn text<V: Debug>(value: &Result<V, String>) -> String {
    match value {
        Ok(value) => format!("{value:#?}"),
        Err(why) => format!("<{why}>"),
    }
}
