//! Values at random: environment and file hand over each as it was written, or it is refused by name. What
//! becomes of the text is tested with the client, in `config/tests/thrown.rs` of `fastkafka-kafka`.

use super::*;
use fastkafka_core::{ConsumerSettings, ProducerSettings};
use fastrand::Rng;
use std::fmt::Write;

/// Per key and place.
const TIMES: usize = 10_000;

fn a_text(random: &mut Rng) -> String {
    const PIECES: [&str; 16] = [
        "",
        "0",
        "7",
        "99999999999",
        "-1",
        "a",
        "Z.b-c_",
        " ",
        "\"",
        "\\",
        "\n",
        "#",
        "=",
        "\t",
        "ü",
        "'",
    ];
    let pieces = random.usize(..4);
    (0..pieces).map(|_| PIECES[random.usize(..16)]).collect()
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        let _ = match c {
            '"' | '\\' => write!(quoted, "\\{c}"),
            c if c.is_control() => write!(quoted, "\\u{:04x}", u32::from(c)),
            c => write!(quoted, "{c}"),
        };
    }
    quoted + "\""
}

fn thrown([of_one, of_all]: [&str; 2], keys: &[(&str, &str)], seed: u64) {
    let mut random = Rng::with_seed(seed);
    for i in 0..TIMES {
        let (table, prefix) = match i % 2 {
            0 => (format!("{of_one}.f"), format!("{of_one}__f__")),
            _ => (of_all.to_owned(), format!("{of_all}__")),
        };
        let values: Vec<_> = keys
            .iter()
            .map(|(key, _)| (*key, a_text(&mut random)))
            .collect();
        let variables = values.iter().map(|(key, text)| {
            let name = format!("FASTKAFKA_{}", format!("{prefix}{key}").to_uppercase());
            (OsString::from(name), OsString::from(text))
        });
        let mut file = format!("[{table}]\n");
        for (key, text) in &values {
            let _ = writeln!(file, "{key} = {}", quoted(text));
        }
        let mut from_file = Overrides::default();
        let read = file.parse().unwrap_or_else(|why| panic!("{file}: {why}"));
        from_file.read_sections(Path::new("app.toml"), read);
        for found in [
            Overrides::new(None, variables.collect::<Vec<_>>().into_iter()),
            from_file,
        ] {
            assert_eq!(found.unreadable, Vec::<String>::new());
            let [found] = &*found.found else {
                panic!("{found:?}");
            };
            assert_eq!(found.values.len(), values.len());
            for (key, text) in &values {
                let same = |(known, read): &(String, String)| known == key && read == text;
                assert!(
                    found.values.iter().any(same),
                    "{key} = {text:?} in {found:?}"
                );
            }
        }
    }
}

#[test]
fn a_file_and_the_environment_hand_over_what_is_written_for_a_consumer() {
    let sections = ["handlers", "consumer_defaults"];
    thrown(sections, ConsumerSettings::KEYS, 1);
}

#[test]
fn a_file_and_the_environment_hand_over_what_is_written_for_a_producer() {
    let sections = ["producers", "producer_defaults"];
    thrown(sections, ProducerSettings::KEYS, 2);
}
