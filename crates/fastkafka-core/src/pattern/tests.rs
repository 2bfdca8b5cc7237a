//! What a pattern takes, and what is sent to a broker for it.

use super::Pattern;
use fastrand::Rng;
use regex_lite::Regex;

fn by(pattern: &str) -> Pattern {
    Pattern::new(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"))
}

#[test]
fn a_pattern_matches_as_kafkas_client_does() {
    for (pattern, matches, not) in [
        ("^orders\\..+", "orders.eu", "orders_eu"),
        ("^orders", "orders-and-more", "my-orders"),
        ("^orders$", "orders", "orders2"),
        ("^o{2}(a|b)+$", "ooab", "oab"),
        ("^a{1,2}$", "aa", "aaa"),
        ("^a{2,}$", "aaaa", "a"),
        ("^[[:alpha:]_]+$", "a_b", "a1"),
        ("^[^a-c[]x", "dx", "ax"),
        ("^a[\\.]b", "a.b", "acb"),
        ("^[]a-]+$", "a-a", "b"),
        ("^a|b", "xb", "xa"),
        ("^(a$|bc)", "a", "ab"),
        ("^^a$$", "a", "aa"),
        ("^(^a|x)y?$", "ay", "by"),
        ("^ä|^a/|^x", "x1", "a"),
        ("^a()b|^$", "ab", "a"),
    ] {
        assert!(by(pattern).takes(matches), "{pattern} and {matches}");
        assert!(!by(pattern).takes(not), "{pattern} and {not}");
    }
}

#[test]
fn what_is_not_read_alike_everywhere_is_refused() {
    for (pattern, why) in [
        ("^a\\d", "`\\d` is not in POSIX's"),
        ("^(a)\\1", "`\\1` is not in POSIX's"),
        ("^(?i)a", "`?` stands where"),
        ("^a+?", "`?` stands where"),
        ("^*a", "`*` stands where"),
        ("^[a", "without its `]`"),
        ("^[z-a]", "not in order"),
        ("^[[:word:]]", "no class"),
        ("^[[=a=]]", "collating"),
        ("^a\\", "a lone"),
        ("^(a", "a `(` without"),
        ("^a)", "a `)` without"),
        ("^a{2,1}", "no number of repetitions"),
        ("^a{x}", "no number of repetitions"),
        ("^a{256}", "no number of repetitions"),
        ("^((a{200}){200}){200}", "too large"),
        ("^(a{250}){250}", "too large"),
        ("^(a{0,250}){0,250}", "too large"),
        ("^ü$", "no topic's name"),
        ("^a^b", "no topic's name"),
    ] {
        let refused = Pattern::new(pattern).expect_err(pattern);
        assert!(refused.contains(why), "{pattern}: {refused}");
    }
}

#[test]
fn what_a_broker_is_sent_matches_whole_names() {
    let sent = |pattern: &str| by(pattern).anchored();
    assert_eq!(sent("^orders"), "^(orders.*)$");
    assert_eq!(sent("^orders\\.(eu|us)$"), "^(orders\\.(eu|us))$");
    assert_eq!(sent("^a?[b-d_-]*$"), "^((a)?[_b-d-]*)$");
    assert_eq!(sent("^a|b"), "^(a.*|.*b.*)$");
    let dead = by("^orders\\.").without("orders.dead").anchored();
    // Each letter of the dead letter's name adds a part.
    assert_eq!(dead.len(), 127, "{dead}");
    let sent = Regex::new(&dead).unwrap();
    assert!(sent.is_match("orders.deadly") && sent.is_match("orders.dea"));
    assert!(!sent.is_match("orders.dead") && !sent.is_match("my-orders.eu"));
}

fn names(count: usize, form: impl Fn(String) -> String) -> String {
    let names = (0..count).map(|i| form(format!("orders-of-shop-{i}")));
    names.collect::<Vec<_>>().join("|")
}

/// A service may list the topics of all its customers. Two thousand took a second here.
#[test]
fn a_long_list_of_names_is_a_pattern() {
    for pattern in [
        format!("^({})$", names(300, |name| name)),
        names(300, |name| format!("^{name}$")),
    ] {
        let set = by(&pattern);
        assert!(set.takes("orders-of-shop-299") && !set.takes("orders-of-shop-300"));
        let set = set.without("orders-of-shop-7");
        assert!(set.takes("orders-of-shop-77") && !set.takes("orders-of-shop-7"));
    }
}

#[test]
fn a_name_that_is_not_in_the_set_makes_it_no_longer() {
    let of_shops = format!("^.*\\.({})$", names(20, |name| name));
    for (pattern, dead) in [
        (&*of_shops, "orders.dead-letters"),
        ("^[a-z]{1,63}\\.[a-z]{1,63}$", "orders_dead"),
    ] {
        let set = by(pattern);
        assert_eq!(set.clone().without(dead).anchored(), set.anchored());
    }
    // None of them is internal.
    let set = by("^[a-z]{1,63}\\.(eu|us)$");
    assert_eq!(set.clone().without_internal().anchored(), set.anchored());
}

/// Of few letters, so that names and patterns meet.
fn a_name(random: &mut Rng) -> String {
    let length = random.usize(..6);
    (0..length)
        .map(|_| char::from(b"ab_."[random.usize(..4)]))
        .collect()
}

fn a_pattern(random: &mut Rng, depth: usize) -> String {
    let choice = random.usize(..if depth == 0 { 6 } else { 12 });
    let mut inner = || a_pattern(random, depth - 1);
    match choice {
        0 => "a".to_owned(),
        1 => "b".to_owned(),
        2 => "_".to_owned(),
        3 => "\\.".to_owned(),
        4 => ".".to_owned(),
        5 => "[^a]".to_owned(),
        6 => format!("({})*", inner()),
        7 => format!("({})?", inner()),
        8 => format!("({}){{1,2}}", inner()),
        9 => format!("({}|{})", inner(), inner()),
        _ => format!("{}{}", inner(), inner()),
    }
}

/// Against another library: the pattern as Kafka's client matches it, and what is sent as RE2 does.
#[test]
fn what_is_sent_takes_the_same_names_without_those_left_out() {
    let mut random = Rng::with_seed(16);
    for _ in 0..300 {
        let end = ["", "$"][random.usize(..2)];
        let text = format!("^{}{end}", a_pattern(&mut random, 3));
        let (dead, other) = (a_name(&mut random), a_name(&mut random));
        let client = Regex::new(&text).unwrap();
        let set = by(&text).without_internal().without(&dead).without(&other);
        let is_left = !set.0.is_nothing();
        let sent = is_left.then(|| Regex::new(&set.anchored()).unwrap());
        for name in (0..100).map(|_| a_name(&mut random)).chain([dead.clone()]) {
            let takes =
                client.is_match(&name) && !name.starts_with("__") && name != dead && name != other;
            assert_eq!(set.takes(&name), takes, "{text} without {dead}: {name}");
            if let Some(sent) = &sent {
                assert_eq!(sent.is_match(&name), takes, "{text} as {sent}: {name}");
            }
        }
    }
}
