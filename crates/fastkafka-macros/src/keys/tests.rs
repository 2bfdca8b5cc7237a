use super::*;

#[test]
fn every_setting_of_core_has_its_key() {
    for (keys, settings) in [
        (CONSUMER, fastkafka::__private::ConsumerSettings::KEYS),
        (PRODUCER, fastkafka::__private::ProducerSettings::KEYS),
        (TASK, fastkafka::__private::BackgroundSettings::KEYS),
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
