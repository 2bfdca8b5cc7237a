//! Values at random, as text and as values of code: each is refused with the name of its key, or reaches the
//! client as it was written.

use super::*;
use fastkafka_core::GroupId;
use fastrand::Rng;

/// Per key.
const TIMES: usize = 10_000;

/// At the edges, and anywhere.
fn a_number(random: &mut Rng) -> u64 {
    let edges = [0, 1, 1_000, 1 << 31, 1 << 32, u64::MAX];
    let edge = random.choice(edges).unwrap();
    let near = random.u64(..5);
    match random.u8(..3) {
        0 => edge.wrapping_add(near),
        1 => edge.wrapping_sub(near),
        _ => random.u64(..) >> random.u32(..64),
    }
}

fn a_text(random: &mut Rng) -> String {
    let words = [
        "",
        "a",
        "all",
        "none",
        "latest",
        "key",
        "dynamic",
        "true",
        "false",
        "1s",
        "5m",
        "0s",
        "9999years",
        "localhost:1",
        "h:99999",
        "x:y",
        "gzip",
        "range",
        "murmur2",
        "ssl",
        "PLAIN",
        "a b",
        "forever",
        "-5",
        " 5 ",
        "+5",
        "0x10",
        "1e3",
        "a=b",
        "verify=false",
        "read_committed",
        "consumer",
        "exit",
        "ü",
    ];
    let word = random.choice(words).unwrap();
    let odd = ["", "", "", "\0", "\n", ",", "=", "@", "x"];
    match random.u8(..3) {
        0 => a_number(random).to_string(),
        1 => word.to_owned(),
        _ => format!("{word}{}", random.choice(odd).unwrap()),
    }
}

/// The client has what the settings show, and of a number that is what was written.
fn arrives(of: Of, key: &str, text: &str, shown: &str, config: &ClientConfig) {
    if let (Ok(written), Ok(read)) = (text.trim().parse::<i128>(), shown.parse::<i128>()) {
        assert_eq!(read, written, "{key}");
    }
    let Some(property) = of.property(key) else {
        return;
    };
    assert_eq!(config.get(property), Some(shown), "{key} = {text:?}");
    let mut alone = ClientConfig::new();
    alone.set(property, shown);
    // What librdkafka does not take is told by the check.
    let Ok(native) = alone.create_native_config() else {
        return;
    };
    let native = native.get(property).unwrap();
    let number = |text: &str| text.parse::<f64>().ok();
    let is_same = match (number(&native), number(shown)) {
        (Some(native), Some(written)) => native == written,
        _ => native == shown,
    };
    // All replicas are -1 in librdkafka's words.
    let is_all = (key, &*native, shown) == ("acks", "-1", "all");
    assert!(is_same || is_all, "{key} = {shown} is {native}");
}

macro_rules! thrown {
    ($settings:ident, $of:expr, $config:ident, $seed:expr) => {
        let mut random = Rng::with_seed($seed);
        for (key, _) in $settings::KEYS {
            for _ in 0..TIMES {
                let text = a_text(&mut random);
                let mut settings = $settings::default();
                if let Err(why) = settings.set(key, &text) {
                    assert!(why.contains(key), "{key}: {why}");
                    continue;
                }
                let wrong = settings.wrong();
                if let [wrong] = &*wrong {
                    let is_named = wrong.contains(key) || wrong.contains("address");
                    assert!(is_named, "{key}: {wrong}");
                    continue;
                }
                for (key, shown) in settings.shown() {
                    // A pass-through, and properties of several values, are compared where they are made.
                    if $of.property(key).is_some() {
                        arrives($of, key, &text, &shown, &$config(&settings));
                    }
                }
            }
        }
    };
}

#[test]
fn text_for_a_consumer_is_refused_by_name_or_reaches_the_client() {
    thrown!(ConsumerSettings, Of::Consumer, of_consumer, 16);
}

#[test]
fn text_for_a_producer_is_refused_by_name_or_reaches_the_client() {
    thrown!(ProducerSettings, Of::Producer, of_producer, 17);
}

/// As attributes and the builder give them: what they cannot say is said by the compiler.
macro_rules! thrown_in_code {
    ($of:expr, $config:ident, $seed:expr, $number:ident, $small:ident, $text:ident, [$($settings:expr),* $(,)?]) => {
        let mut random = Rng::with_seed($seed);
        for _ in 0..TIMES {
            let ($number, $text) = (a_number(&mut random), a_text(&mut random));
            let $small = u32::try_from($number).unwrap_or(u32::MAX);
            for settings in [$($settings),*] {
                let (key, shown) = settings.shown().remove(0);
                match &*settings.wrong() {
                    [wrong] => {
                        let is_named = wrong.contains(key) || wrong.contains("address");
                        assert!(is_named, "{key}: {wrong}");
                    }
                    _ => arrives($of, key, &shown, &shown, &$config(&settings)),
                }
            }
        }
    };
}

#[test]
fn values_of_code_for_a_consumer_are_refused_by_name_or_reach_the_client() {
    let settings = ConsumerSettings::default;
    thrown_in_code!(
        Of::Consumer,
        of_consumer,
        18,
        number,
        small,
        text,
        [
            settings().auto_commit_interval_ms(number),
            settings().metadata_max_age_ms(number),
            settings().fetch_max_bytes(small),
            settings().client_id(text.clone()),
            settings().bootstrap_servers(text.clone()),
            settings().group_id(GroupId::from(text.clone())),
            settings().dead_letter(text.clone()),
            settings().handler_timeout(Duration::from_millis(number)),
        ]
    );
}

#[test]
fn values_of_code_for_a_producer_are_refused_by_name_or_reach_the_client() {
    let settings = ProducerSettings::default;
    thrown_in_code!(
        Of::Producer,
        of_producer,
        19,
        number,
        small,
        text,
        [
            settings().linger_ms(number),
            settings().delivery_timeout_ms(number),
            settings().request_timeout_ms(number),
            settings().retry_backoff_ms(number),
            settings().connections_max_idle_ms(number),
            settings().metadata_max_age_ms(number),
            settings().max_request_size(small),
            settings().max_batch_size(small),
            settings().client_id(text.clone()),
            settings().bootstrap_servers(text.clone()),
            settings().sasl_plain_username(text.clone()),
            settings().sasl_plain_password(text.clone()),
        ]
    );
}
