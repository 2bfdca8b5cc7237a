use super::table::follows;
use super::tried::tried;
use super::*;
use RDKafkaErrorCode::*;

#[test]
fn errors_mean_what_the_table_says() {
    let unreachable = [
        AllBrokersDown,
        BrokerTransportFailure,
        Resolve,
        RequestTimedOut,
    ];
    let refused = [
        Authentication,
        GroupAuthorizationFailed,
        UnknownTopicOrPartition,
        InconsistentGroupProtocol,
        UnsupportedVersion,
    ];
    let fatal = [Fatal, FencedInstanceId, ProducerFenced];
    let other = [
        PollExceeded,
        CoordinatorNotAvailable,
        LeaderNotAvailable,
        Unknown,
    ];
    let verdict = |code| {
        let error = client_error(code, "");
        (error.is_unreachable(), error.is_refusal(), error.is_fatal())
    };
    for (codes, expected) in [
        (&unreachable[..], (true, false, false)),
        (&refused[..], (false, true, false)),
        (&fatal[..], (false, false, true)),
        (&other[..], (false, false, false)),
    ] {
        for code in codes {
            assert_eq!(verdict(*code), expected, "{code}");
        }
    }
}

#[test]
fn a_record_that_timed_out_may_be_sent_again_and_one_too_large_may_not() {
    assert!(!is_permanent(MessageTimedOut));
    assert!(is_permanent(MessageSizeTooLarge));
    // The login is refused, not the record.
    assert!(!is_permanent(Authentication));
    assert!(!is_permanent(Fatal));
}

/// With one attempt a record would be a dead letter of a login.
#[test]
fn what_is_wrong_with_others_uses_up_no_attempt_of_a_record() {
    use crate::producer::delivery_reports::not_delivered;
    let cases: [(&[RDKafkaErrorCode], bool); 2] = [
        (
            &[
                ClusterAuthorizationFailed,
                Authentication,
                RequestTimedOut,
                BrokerNotAvailable,
                NetworkException,
                OutOfOrderSequenceNumber,
                ThrottlingQuotaExceeded,
                UnsupportedVersion,
                Fatal,
                PurgeQueue,
            ],
            true,
        ),
        (
            &[
                MessageTimedOut,
                NotEnoughReplicas,
                KafkaStorageError,
                InvalidRecord,
                TopicAuthorizationFailed,
                Unknown,
            ],
            false,
        ),
    ];
    for (codes, expected) in cases {
        for code in codes {
            let error = not_delivered("orders", *code);
            assert_eq!(error.is_transient(), expected, "{code}: {error}");
        }
    }
}

/// The document that is made of the table.
fn document() -> String {
    let mut rows = String::new();
    for (code, name, text) in ffi::all_errors() {
        let (scope, lasting) = row(code);
        let follows = follows(scope, lasting);
        let text = text.trim_end_matches('.').replace('|', "/");
        let tried = tried(code);
        rows += &format!("| `{name}` | {text} | {scope:?} | {lasting:?} | {follows} | {tried} |\n");
    }
    format!(
        "# Errors of the client\n\n\
         Every error code of librdkafka {}, the smallest thing that is wrong, and what follows. Names that begin \
         with `_` are librdkafka's own, the others come from a broker.\n\n\
         This file is made from [`error/table.rs`](../crates/fastkafka-kafka/src/error/table.rs). \
         `UPDATE_ERRORS=1 cargo test -p fastkafka-kafka --lib error::` writes it again.\n\n\
         While reading, some codes do not follow this table: `_AUTO_OFFSET_RESET`, `OFFSET_OUT_OF_RANGE` and \
         `_LOG_TRUNCATION` say that the log no longer has the position, and a damaged batch comes as one of several. \
         The guide's chapter \"Delivery\" says what follows. While sending, what a batch is refused for is of one \
         of its records: each is sent again alone, and only what is refused there fails.\n\n\
         *Tried* names the requests that the embedded broker has answered with the code, once, in \
         [`tests/answers.rs`](../crates/fastkafka-kafka/src/tests/answers.rs): all that the protocol allows for those \
         of a producer and of a group's consumer. `it ..` is a module of tests on Apache Kafka, in \
         [`tests/it`](../tests/it/suite/kafka/mod.rs). Whatever the code, all goes on when the next request is \
         answered well, unless the client has ended. Some codes pass without a word although they are permanent \
         where they last: librdkafka asks again before it tells them.\n\n\
         | code | text | scope | lasting | what follows | tried |\n|---|---|---|---|---|---|\n{rows}",
        rdkafka::util::get_rdkafka_version().1
    )
}

#[test]
fn the_document_has_a_row_for_each_code_and_says_what_the_table_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    let document = document();
    if std::env::var_os("UPDATE_ERRORS").is_some() {
        std::fs::write(path, &document).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == document,
        "docs/errors.md is not what the table says: run this test with UPDATE_ERRORS=1"
    );
}

#[test]
fn every_code_has_a_name() {
    for (code, name, _) in ffi::all_errors() {
        assert_eq!(client_error(code, "").code, name);
    }
}
