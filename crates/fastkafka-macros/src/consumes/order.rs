//! `order`, `executor` and `concurrency`: what contradicts itself where all of it is written as
//! literals. What only values tell is found when the app is checked (core's `order.rs`).

use crate::errors::Errors;
use crate::settings::Settings;
use proc_macro2::Span;

/// The contradictions that show without the types.
pub(super) fn check(name: &str, settings: &Settings, errors: &mut Errors) {
    let (order, executor) = (settings.word("order"), settings.word("executor"));
    let mut wrong = |at: Option<Span>, what: &str| {
        if let Some(at) = at {
            errors.at(at, format_args!("consumer `{name}`: {what}"));
        }
    };
    match (executor, order) {
        (Some("Sequential"), Some("Key" | "Unordered")) => wrong(
            settings.place("executor"),
            "`executor = \"sequential\"` is order by partition; remove it, or `order`",
        ),
        (Some("Dynamic"), Some("Partition")) => wrong(
            settings.place("executor"),
            "in `order = \"partition\"` records are handled one after another, which is not `executor = \"dynamic\"`; remove one of them",
        ),
        _ => {}
    }
    if is_partition(settings) {
        wrong(
            settings.place("concurrency"),
            "in the order of a partition records are handled one after another, so it takes no `concurrency`; add `order = \"key\"` or `order = \"unordered\"`",
        );
    }
    wrong(
        settings.zero("concurrency"),
        "`concurrency` must be at least 1",
    );
}

fn is_partition(settings: &Settings) -> bool {
    let said = |name| settings.place(name).is_some();
    match (settings.word("order"), settings.word("executor")) {
        (Some(order), _) => order == "Partition",
        (None, Some(executor)) => !said("order") && executor == "Sequential",
        (None, None) => !said("order") && !said("executor"),
    }
}
