use super::*;
use fastkafka::__private::{BackgroundSettings, ConsumerSettings, ProducerSettings};
use std::collections::BTreeSet;
use std::fmt::Debug;

#[test]
fn every_setting_of_core_has_its_key() {
    for (keys, settings) in [
        (CONSUMER, ConsumerSettings::KEYS),
        (PRODUCER, ProducerSettings::KEYS),
        (TASK, BackgroundSettings::KEYS),
    ] {
        let is_setting = |key: &Key| {
            !matches!(
                key,
                Works(Own | Flag | Module | Type) | Refused(_) | NotYet(_)
            )
        };
        let mut ours: Vec<_> = keys
            .iter()
            .filter(|(_, key)| is_setting(key))
            .map(|(name, _)| *name)
            .collect();
        let mut theirs: Vec<_> = settings.iter().map(|(name, _)| *name).collect();
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_key_stands_once() {
    for keys in [CONSUMER, PRODUCER, TASK, MEASURE] {
        let mut names: Vec<_> = keys.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}

/// The attributes turn words into variants at compile time; core reads the same words from files and the
/// environment. Neither can use the table of the other.
#[test]
fn the_words_for_a_setting_are_those_that_core_reads() {
    words_agree(CONSUMER, ConsumerSettings::default(), ConsumerSettings::set);
    words_agree(PRODUCER, ProducerSettings::default(), ProducerSettings::set);
    words_agree(TASK, BackgroundSettings::default(), BackgroundSettings::set);
}

fn words_agree<S: Clone + Debug>(
    keys: &[(&str, Key)],
    default: S,
    set: fn(&mut S, &str, &str) -> Result<(), String>,
) {
    for (key, what) in keys {
        let Works(Form::Words(words) | Form::WordsOrPath(words)) = what else {
            continue;
        };
        for (word, variant) in words.variants {
            let mut settings = default.clone();
            set(&mut settings, key, word).unwrap_or_else(|error| panic!("`{key}`: {error}"));
            let shown = format!("{settings:?}");
            let is_set = shown.contains(&format!("{key}: Some({variant})"));
            assert!(is_set, "`{key} = \"{word}\"` is `{variant}` here: {shown}");
        }
        // The error of a word that is none lists those that are.
        let error = set(&mut default.clone(), key, "?").unwrap_err();
        let ours: BTreeSet<_> = words.variants.iter().map(|(word, _)| *word).collect();
        let (_, takes) = error.split_once(" takes ").expect("what the key takes");
        let listed = takes.split('`').skip(1).step_by(2);
        let missing: Vec<_> = listed
            .filter(|word| *word != "?" && !ours.contains(word))
            .collect();
        assert!(
            missing.is_empty(),
            "`{key}` does not take {missing:?}: {error}"
        );
    }
}
