//! Where each error was tried: the errors that a broker may answer a request with, as Kafka's protocol has them.

use rdkafka::types::RDKafkaErrorCode::{self, *};

/// A kind of request. The embedded broker has answered it with each of these codes, once.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) api_key: i16,
    pub(crate) codes: &'static [RDKafkaErrorCode],
}

pub(crate) const PRODUCE: Request = Request {
    name: "Produce",
    api_key: 0,
    codes: &[
        InvalidMessage,
        UnknownTopicOrPartition,
        LeaderNotAvailable,
        NotLeaderForPartition,
        RequestTimedOut,
        BrokerNotAvailable,
        ReplicaNotAvailable,
        MessageSizeTooLarge,
        NetworkException,
        InvalidTopic,
        MessageBatchTooLarge,
        NotEnoughReplicas,
        NotEnoughReplicasAfterAppend,
        InvalidRequiredAcks,
        TopicAuthorizationFailed,
        ClusterAuthorizationFailed,
        InvalidTimestamp,
        UnsupportedForMessageFormat,
        PolicyViolation,
        OutOfOrderSequenceNumber,
        DuplicateSequenceNumber,
        InvalidProducerEpoch,
        KafkaStorageError,
        UnknownProducerId,
        FencedLeaderEpoch,
        UnsupportedCompressionType,
        InvalidRecord,
        ThrottlingQuotaExceeded,
        Unknown,
    ],
};

pub(crate) const INIT_PRODUCER_ID: Request = Request {
    name: "InitProducerId",
    api_key: 22,
    codes: &[
        CoordinatorLoadInProgress,
        CoordinatorNotAvailable,
        NotCoordinator,
        ClusterAuthorizationFailed,
        RequestTimedOut,
        Unknown,
    ],
};

/// Those that a consumer sends before it reads.
pub(crate) const STARTING: &[Request] = &[
    Request {
        name: "FindCoordinator",
        api_key: 10,
        codes: &[
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            InvalidGroupId,
            GroupAuthorizationFailed,
            Unknown,
        ],
    },
    Request {
        name: "JoinGroup",
        api_key: 11,
        codes: &[
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            NotCoordinator,
            InconsistentGroupProtocol,
            InvalidGroupId,
            UnknownMemberId,
            InvalidSessionTimeout,
            RebalanceInProgress,
            GroupAuthorizationFailed,
            MemberIdRequired,
            GroupMaxSizeReached,
            FencedInstanceId,
            Unknown,
        ],
    },
    Request {
        name: "SyncGroup",
        api_key: 14,
        codes: &[
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            NotCoordinator,
            IllegalGeneration,
            UnknownMemberId,
            RebalanceInProgress,
            GroupAuthorizationFailed,
            InconsistentGroupProtocol,
            FencedInstanceId,
            Unknown,
        ],
    },
    Request {
        name: "OffsetFetch",
        api_key: 9,
        codes: &[
            UnknownTopicOrPartition,
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            NotCoordinator,
            TopicAuthorizationFailed,
            GroupAuthorizationFailed,
            IllegalGeneration,
            UnknownMemberId,
            RebalanceInProgress,
            UnstableOffsetCommit,
            Unknown,
        ],
    },
    Request {
        name: "ListOffsets",
        api_key: 2,
        codes: &[
            UnknownTopicOrPartition,
            LeaderNotAvailable,
            NotLeaderForPartition,
            ReplicaNotAvailable,
            TopicAuthorizationFailed,
            UnsupportedForMessageFormat,
            KafkaStorageError,
            FencedLeaderEpoch,
            UnknownLeaderEpoch,
            OffsetNotAvailable,
            RequestTimedOut,
            Unknown,
        ],
    },
    Request {
        name: "Fetch",
        api_key: 1,
        codes: &[
            OffsetOutOfRange,
            InvalidMessage,
            UnknownTopicOrPartition,
            LeaderNotAvailable,
            NotLeaderForPartition,
            ReplicaNotAvailable,
            TopicAuthorizationFailed,
            KafkaStorageError,
            FencedLeaderEpoch,
            UnknownLeaderEpoch,
            UnsupportedCompressionType,
            OffsetNotAvailable,
            UnknownTopicId,
            Unknown,
        ],
    },
];

/// Those that a consumer sends while it reads.
pub(crate) const RUNNING: &[Request] = &[
    Request {
        name: "Heartbeat",
        api_key: 12,
        codes: &[
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            NotCoordinator,
            IllegalGeneration,
            UnknownMemberId,
            RebalanceInProgress,
            GroupAuthorizationFailed,
            FencedInstanceId,
            Unknown,
        ],
    },
    Request {
        name: "OffsetCommit",
        api_key: 8,
        codes: &[
            UnknownTopicOrPartition,
            RequestTimedOut,
            OffsetMetadataTooLarge,
            CoordinatorLoadInProgress,
            CoordinatorNotAvailable,
            NotCoordinator,
            IllegalGeneration,
            UnknownMemberId,
            RebalanceInProgress,
            InvalidCommitOffsetSize,
            TopicAuthorizationFailed,
            GroupAuthorizationFailed,
            FencedInstanceId,
            KafkaStorageError,
            Unknown,
        ],
    },
];

/// The embedded broker wants no login, so these were met on Apache Kafka, by a test of `tests/it`.
const ON_KAFKA: &[(RDKafkaErrorCode, &str)] = &[
    (Authentication, "security"),
    (BrokerTransportFailure, "start"),
    (SSL, "security"),
];

/// The requests that were answered with a code, or the test that meets it.
pub(super) fn tried(code: RDKafkaErrorCode) -> String {
    let requests = [&PRODUCE, &INIT_PRODUCER_ID].into_iter();
    let requests = requests.chain(STARTING).chain(RUNNING);
    let mut tried: Vec<_> = requests
        .filter(|request| request.codes.contains(&code))
        .map(|request| request.name.to_owned())
        .collect();
    let on_kafka = ON_KAFKA.iter().filter(|(met, _)| *met == code);
    tried.extend(on_kafka.map(|(_, test)| format!("`it {test}`")));
    tried.join(", ")
}
