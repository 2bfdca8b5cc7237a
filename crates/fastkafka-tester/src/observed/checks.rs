//! What assertions look for, and how they say what they miss.

use super::{Comparable, Phrases, Source, Verdict};
use crate::observed::report::{Miss, likeness};
use std::fmt::Debug;

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

/// So many instead of what was expected.
fn wrong_count<S: Source>(count: usize, expected: &str) -> Miss {
    let (counted, noun) = (counted::<S>(count), S::PHRASES.noun);
    Miss::new(format!(
        "{} {counted}, expected {expected} {noun}",
        S::function()
    ))
}

pub(super) fn called<S: Source>(items: &[S::Item]) -> Verdict {
    match items.len() {
        0 => Err(wrong_count::<S>(0, "a")),
        _ => Ok(()),
    }
}

pub(super) fn called_once<S: Source>(items: &[S::Item]) -> Verdict {
    match items.len() {
        1 => Ok(()),
        count => Err(wrong_count::<S>(count, "exactly one")),
    }
}

pub(super) fn not_called<S: Source>(items: &[S::Item]) -> Verdict {
    match items.len() {
        0 => Ok(()),
        count => Err(wrong_count::<S>(count, "no")),
    }
}

pub(super) fn last_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Verdict {
    let Some(last) = items.last() else {
        return Err(wrong_count::<S>(0, "a").expected(expected));
    };
    let value = S::value(last);
    if value.as_ref() == Ok(expected) {
        return Ok(());
    }
    let (noun, function) = (S::PHRASES.noun, S::function());
    let miss = Miss::new(format!(
        "the last {noun} of {function} is not the expected one"
    ));
    Err(miss.compared(expected, text(&value)))
}

pub(super) fn once_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Verdict {
    match called_once::<S>(items) {
        Ok(()) => last_with::<S>(items, expected),
        Err(miss) => Err(miss.expected(expected)),
    }
}

pub(super) fn any_with<S: Comparable>(items: &[S::Item], expected: &S::Value) -> Verdict {
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
        Some(nearest) => Miss::new(format!(
            "no {noun} of {function} is the expected one; this is the nearest"
        ))
        .compared(expected, nearest),
    })
}

pub(super) fn has<S: Comparable>(items: &[S::Item], expected: &[S::Value]) -> Verdict {
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
    let miss = Miss::new(format!(
        "the {noun}s of {function} do not contain the expected ones in a row"
    ));
    Err(miss.compared(&expected, actual))
}

fn text<V: Debug>(value: &Result<V, String>) -> String {
    match value {
        Ok(value) => format!("{value:#?}"),
        Err(why) => format!("<{why}>"),
    }
}
