//! The guide: how to write, run and trust a service. The same text is in `docs/guide`; every example
//! in it is compiled as a test of this crate.
//!
//! * [First steps](first_steps): a service, run and tested without Kafka.
//! * [Consuming](consuming): what a handler may take and return.
//! * [Batch consuming](batch_consuming): one call for many records.
//! * [Executors](executors): many calls of a slow handler at once.
//! * [Producing](producing): keys, many records, inside and outside handlers.
//! * [Partition keys](partition_keys): what belongs together stays together.
//! * [Batch producing](batch_producing): one call, many records.
//! * [Encoding and decoding](codecs): JSON, bytes, MessagePack, Avro, your own functions, keys.
//! * [Delivery](delivery): what becomes of a record when something breaks.
//! * [Settings](settings): every key with its default.
//! * [Authentication](authentication): TLS, passwords, tokens.
//! * [Lifespan](lifespan): what is made at the start and released at the stop.
//! * [Background tasks](background): work that belongs to no record.
//! * [Benchmarking](benchmarking): throughput of a function.
//! * [Several clusters](clusters): here and there in one app.
//! * [Running](running): command line, brokers, stopping, logs.
//! * [Health](health): what stands still, since when, and what to do.
//! * Watching (`watching`, with the feature `admin`): probes, metrics, lag and alerts over HTTP.
//! * [Deploying](deploying): image, Kubernetes, systemd, Prometheus and Grafana.
//! * [The contract](asyncapi): AsyncAPI in files, pages, `cargo doc` and CI.
//! * Beside a web server (`web`, with the feature `axum`): a server and the app in one process.
//! * [Steering a running app](control): pause, resume, seek; beginning at a time.
//! * [Testing](testing): the whole app in a unit test, with mirrors, spies, mocks and faults.
//! * [Testing in a CI workflow](ci): what a CI machine needs, and the same tests on Kafka.
//! * [Coming from FastKafka](fastkafka): each of its members, and what takes its place.

macro_rules! chapter {
    ($(#[doc = $text:expr])* $name:ident) => {
        // The first definition of a link counts: here the chapters are modules, there they are files.
        #[doc = "[consuming]: crate::guide::consuming"]
        #[doc = "[batch-consuming]: crate::guide::batch_consuming"]
        #[doc = "[executors]: crate::guide::executors"]
        #[doc = "[producing]: crate::guide::producing"]
        #[doc = "[partition-keys]: crate::guide::partition_keys"]
        #[doc = "[batch-producing]: crate::guide::batch_producing"]
        #[doc = "[codecs]: crate::guide::codecs"]
        #[doc = "[delivery]: crate::guide::delivery"]
        #[doc = "[settings]: crate::guide::settings"]
        #[doc = "[authentication]: crate::guide::authentication"]
        #[doc = "[lifespan]: crate::guide::lifespan"]
        #[doc = "[background]: crate::guide::background"]
        #[doc = "[benchmarking]: crate::guide::benchmarking"]
        #[doc = "[clusters]: crate::guide::clusters"]
        #[doc = "[running]: crate::guide::running"]
        #[doc = "[health]: crate::guide::health"]
        #[cfg_attr(feature = "admin", doc = "[watching]: crate::guide::watching")]
        #[doc = "[deploying]: crate::guide::deploying"]
        #[doc = "[control]: crate::guide::control"]
        #[doc = "[asyncapi]: crate::guide::asyncapi"]
        #[doc = "[testing]: crate::guide::testing"]
        #[doc = "[ci]: crate::guide::ci"]
        #[doc = "[first-steps]: crate::guide::first_steps"]
        #[cfg_attr(feature = "axum", doc = "[web]: crate::guide::web")]
        #[doc = ""]
        $(#[doc = $text])*
        pub mod $name {}
    };
}

chapter!(
    #[doc = include_str!("../../../docs/guide/first-steps.md")]
    first_steps
);
chapter!(
    #[doc = include_str!("../../../docs/guide/consuming.md")]
    consuming
);
chapter!(
    #[doc = include_str!("../../../docs/guide/batch-consuming.md")]
    batch_consuming
);
chapter!(
    #[doc = include_str!("../../../docs/guide/executors.md")]
    executors
);
chapter!(
    #[doc = include_str!("../../../docs/guide/producing.md")]
    producing
);
chapter!(
    #[doc = include_str!("../../../docs/guide/partition-keys.md")]
    partition_keys
);
chapter!(
    #[doc = include_str!("../../../docs/guide/batch-producing.md")]
    batch_producing
);
chapter!(
    #[doc = include_str!("../../../docs/guide/codecs.md")]
    codecs
);
chapter!(
    #[doc = include_str!("../../../docs/guide/delivery.md")]
    delivery
);
chapter!(
    #[doc = include_str!("../../../docs/guide/settings.md")]
    settings
);
chapter!(
    #[doc = include_str!("../../../docs/guide/authentication.md")]
    authentication
);
chapter!(
    #[doc = include_str!("../../../docs/guide/lifespan.md")]
    lifespan
);
chapter!(
    #[doc = include_str!("../../../docs/guide/background.md")]
    background
);
chapter!(
    #[doc = include_str!("../../../docs/guide/benchmarking.md")]
    benchmarking
);
chapter!(
    #[doc = include_str!("../../../docs/guide/clusters.md")]
    clusters
);
chapter!(
    #[doc = include_str!("../../../docs/guide/running.md")]
    running
);

chapter!(
    #[doc = include_str!("../../../docs/guide/health.md")]
    health
);
#[cfg(feature = "admin")]
chapter!(
    #[doc = include_str!("../../../docs/guide/watching.md")]
    watching
);
chapter!(
    #[doc = include_str!("../../../docs/guide/deploying.md")]
    deploying
);
#[cfg(feature = "docs")]
chapter!(
    #[doc = include_str!("../../../docs/guide/asyncapi.md")]
    asyncapi
);
#[cfg(feature = "axum")]
chapter!(
    #[doc = include_str!("../../../docs/guide/web.md")]
    web
);
chapter!(
    #[doc = include_str!("../../../docs/guide/control.md")]
    control
);
chapter!(
    #[doc = include_str!("../../../docs/guide/testing.md")]
    testing
);
chapter!(
    #[doc = include_str!("../../../docs/guide/ci.md")]
    ci
);
chapter!(
    #[doc = include_str!("../../../docs/guide/fastkafka.md")]
    fastkafka
);

/// The README's example is a test as well.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use crate::__private::{ConsumerSettings, ProducerSettings};
    use std::collections::BTreeSet;

    const SETTINGS: &str = include_str!("../../../docs/guide/settings.md");
    const ROADMAP: &str = include_str!("../../../docs/roadmap.md");
    /// A macro crate exports nothing but macros: its table of keys is read as text.
    const KEYS: &str = include_str!("../../fastkafka-macros/src/keys/mod.rs");
    /// The same of its words for codecs.
    const CODECS: &str = include_str!("../../fastkafka-macros/src/codec.rs");

    /// The first column of the table under a heading.
    fn documented(heading: &str) -> BTreeSet<&'static str> {
        let (_, section) = SETTINGS.split_once(heading).expect("the heading is there");
        let section = section
            .split("\n## ")
            .next()
            .expect("a split has a first part");
        section
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
            .map(|(key, _)| key)
            .collect()
    }

    /// The keys of one of the macros' tables that are entered as `entry`.
    fn keys(table: &str, entry: &str) -> BTreeSet<&'static str> {
        let (_, table) = KEYS.split_once(table).expect("the table is there");
        let table = table
            .split("\n];")
            .next()
            .expect("a split has a first part");
        let rows = table
            .split('(')
            .filter_map(|row| row.trim_start().strip_prefix('"')?.split_once("\","));
        rows.filter(|(_, what)| what.trim_start().starts_with(entry))
            .map(|(key, _)| key)
            .collect()
    }

    #[test]
    fn the_guide_lists_every_key_that_works_and_no_other() {
        assert_eq!(
            documented("## `#[consumes(..)]`"),
            keys("CONSUMER:", "Works")
        );
        assert_eq!(
            documented("## `#[produces(..)]`"),
            keys("PRODUCER:", "Works")
        );
    }

    /// The second column of a key's row names its default, with digits grouped.
    #[test]
    fn the_guide_has_the_defaults_of_the_code() {
        for (heading, keys) in [
            ("## `#[consumes(..)]`", ConsumerSettings::KEYS),
            ("## `#[produces(..)]`", ProducerSettings::KEYS),
        ] {
            let (_, section) = SETTINGS.split_once(heading).expect("the heading is there");
            for (key, default) in keys {
                let start = format!("\n| `{key}` | ");
                let row = section.split_once(&start);
                let row = row.unwrap_or_else(|| panic!("`{key}` has no row")).1;
                let value = row.split(" | ").next().expect("a first part");
                let value = value.replace([',', '`'], "");
                // Durations are written out.
                let known = match *default {
                    "100ms" => "0.1 s".to_owned(),
                    "30s" => "30 s".to_owned(),
                    default => default.replace([',', '`'], "").replace("30s", "30 s"),
                };
                let last = value.rsplit("; ").next().expect("a last part");
                let says = last.contains(&known) || value.ends_with(&known);
                assert!(says, "`{key}`: `{value}`, not `{known}`");
            }
        }
    }

    #[test]
    fn the_guide_lists_every_codec() {
        for (table, keys) in [
            ("WORDS", ["decoder", "encoder"]),
            ("KEY_WORDS", ["key_decoder", "key_encoder"]),
        ] {
            let (_, words) = CODECS
                .split_once(&format!("\nconst {table}: &[&str] = &["))
                .expect("the table is there");
            let words = words.split("];").next().expect("a split has a first part");
            for key in keys {
                let row = format!("\n| `{key}` | `{}`, path", words.replace(", ", "`, `"));
                assert!(SETTINGS.contains(&row), "{row}");
            }
        }
    }

    #[test]
    fn what_is_not_built_yet_is_in_the_roadmap() {
        // Their error says so and names the file.
        let mut missing = keys("CONSUMER:", "NotYet");
        missing.extend(keys("PRODUCER:", "NotYet"));
        assert!(missing.contains("transactional_id"));
        missing.retain(|key| !ROADMAP.contains(&format!("`{key}")));
        assert!(missing.is_empty(), "{missing:?}");
    }
}
