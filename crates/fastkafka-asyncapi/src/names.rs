//! Names that may stand as keys of a document.

use std::collections::{BTreeMap, BTreeSet};

/// A component's key: what is no letter, digit, `.`, `-` or `_` becomes `_`.
pub(crate) fn component(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect()
}

/// A server's key: as a component's, without dots.
pub(crate) fn server(text: &str) -> String {
    component(text).replace('.', "_")
}

/// The name of a type by its Rust path, with so many segments of each path in it: `Page_for_Order`
/// or `shop.Page_for_shop.Order`.
pub(crate) fn of_type(path: &str, segments: usize) -> String {
    let mut name = String::new();
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':');
    let mut rest = path;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        if end > 0 {
            let parts: Vec<_> = rest[..end].split("::").collect();
            name.push_str(&parts[parts.len().saturating_sub(segments)..].join("."));
            rest = &rest[end..];
            continue;
        }
        name.push_str(match c {
            '<' => "_for_",
            ',' => "_and_",
            '[' => "Array_of_",
            '(' => "Tuple_of_",
            ';' => "_by_",
            _ => "",
        });
        rest = &rest[c.len_utf8()..];
    }
    component(&name)
}

/// Gives each thing the shortest name that no other has. `name` says what a thing is called in so
/// many words; more words tell more. What more words do not tell apart either is numbered.
pub(crate) fn distinct<T>(things: &[T], name: impl Fn(&T, usize) -> String) -> Vec<String> {
    /// More than any path has.
    const MOST: usize = 32;
    let mut names: Vec<_> = things.iter().map(|thing| name(thing, 1)).collect();
    let mut same: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        same.entry(name.clone()).or_default().push(i);
    }
    for group in same.values().filter(|group| group.len() > 1) {
        let longer = |words| group.iter().map(move |i| (*i, words));
        let all = |words| -> BTreeSet<_> {
            longer(words)
                .map(|(i, words)| name(&things[i], words))
                .collect()
        };
        let words = (2..=MOST).find(|words| all(*words).len() == group.len());
        for i in group {
            names[*i] = name(&things[*i], words.unwrap_or(MOST));
        }
    }
    let mut taken = BTreeSet::new();
    names
        .into_iter()
        .map(|name| unused(name, &mut taken))
        .collect()
}

/// The name, or with the first number from 2 that makes it new.
pub(crate) fn unused(name: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|n| format!("{name}_{n}"));
    let name = std::iter::once(name.clone())
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .expect("there are more numbers than names");
    taken.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Vec<String> {
        distinct(paths, |path, words| of_type(path, words))
    }

    #[test]
    fn a_name_is_as_long_as_it_must_be() {
        assert_eq!(
            names(&["shop::Order", "shop::a::Item", "shop::b::Item"]),
            ["Order", "a.Item", "b.Item"]
        );
        assert_eq!(
            names(&["a::x::Item", "b::x::Item"]),
            ["a.x.Item", "b.x.Item"]
        );
    }

    #[test]
    fn the_order_of_the_things_does_not_matter() {
        assert_eq!(
            names(&["b::Item", "Order", "a::Item"]),
            ["b.Item", "Order", "a.Item"]
        );
    }

    #[test]
    fn a_generic_type_is_named_with_its_arguments() {
        assert_eq!(names(&["a::Page<a::Order>"]), ["Page_for_Order"]);
        assert_eq!(
            names(&["a::Page<a::Order>", "a::Page<b::Order>"]),
            ["a.Page_for_a.Order", "a.Page_for_b.Order"]
        );
        assert_eq!(
            names(&["a::Pair<Option<a::X>, [(uint8,boolean)]>"]),
            ["Pair_for_Option_for_X_and_Array_of_Tuple_of_uint8_and_boolean"]
        );
    }

    #[test]
    fn what_nothing_tells_apart_is_numbered() {
        assert_eq!(names(&["a::Größe", "a::Gr__e"]), ["a.Gr__e", "a.Gr__e_2"]);
    }
}
