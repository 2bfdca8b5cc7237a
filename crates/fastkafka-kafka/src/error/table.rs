//! The meaning of each error code: one row for each that librdkafka knows.
//!
//! `docs/errors.md` is made from this table; a test compares the two.

use fastkafka_runtime::platform::{Lasting, Scope};
use rdkafka::types::RDKafkaErrorCode::{self, *};

use Lasting::{Passing, Permanent};

/// The smallest thing that is wrong, and whether waiting helps.
pub(crate) fn row(code: RDKafkaErrorCode) -> (Scope, Lasting) {
    match code {
        // The client cannot go on: another has its identity, or its sequence of records is broken.
        Fatal
        | Fenced
        | FencedInstanceId
        | UnreleasedInstanceId
        | ProducerFenced
        | InvalidProducerEpoch
        | OutOfOrderSequenceNumber
        | GaplessGuarantee
        | Inconsistent => (Scope::Client, Permanent),
        BrokerDestroy
        | DestroyBroker
        | PurgeQueue
        | PurgeInflight
        | QueueFull
        | CriticalSystemResource => (Scope::Client, Passing),

        // Who we are, and what that one may do on the cluster.
        Authentication
        | SaslAuthenticationFailed
        | UnsupportedSASLMechanism
        | IllegalSASLState
        | SSL
        | SecurityDisabled
        | ClusterAuthorizationFailed
        | TransactionalIdAuthorizationFailed
        | DelegationTokenAuthDisabled
        | DelegationTokenNotFound
        | DelegationTokenOwnerMismatch
        | DelegationTokenRequestNotAllowed
        | DelegationTokenAuthorizationFailed
        | DelegationTokenExpired => (Scope::Login, Permanent),
        ThrottlingQuotaExceeded => (Scope::Login, Passing),

        // The way to the cluster.
        AllBrokersDown
        | BrokerTransportFailure
        | Resolve
        | OperationTimedOut
        | TimedOutQueue
        | RequestTimedOut
        | NetworkException
        | BrokerNotAvailable
        | RebootstrapRequired => (Scope::Cluster, Passing),
        UnsupportedVersion | UnsupportedFeature => (Scope::Cluster, Permanent),

        // The group, and the consumer's membership of it.
        GroupAuthorizationFailed
        | InvalidGroupId
        | InvalidSessionTimeout
        | InconsistentGroupProtocol
        | UnsupportedAssignor
        | GroupMaxSizeReached => (Scope::Member, Permanent),
        WaitingForCoordinator
        | CoordinatorLoadInProgress
        | CoordinatorNotAvailable
        | NotCoordinator
        | IllegalGeneration
        | UnknownMemberId
        | RebalanceInProgress
        | MemberIdRequired
        | FencedMemberEpoch
        | StaleMemberEpoch
        | PollExceeded
        | AssignmentLost
        | UnknownGroup
        | GroupIdNotFound
        | UnstableOffsetCommit => (Scope::Member, Passing),

        UnknownTopic
        | UnknownTopicOrPartition
        | UnknownTopicId
        | InvalidTopic
        | TopicAuthorizationFailed
        | PolicyViolation => (Scope::Topic, Permanent),

        UnknownPartition | AutoOffsetReset | LogTruncation => (Scope::Partition, Permanent),
        OffsetOutOfRange
        | LeaderNotAvailable
        | NotLeaderForPartition
        | ReplicaNotAvailable
        | NotEnoughReplicas
        | NotEnoughReplicasAfterAppend
        | ISRInsufficient
        | KafkaStorageError
        | FencedLeaderEpoch
        | UnknownLeaderEpoch
        | OffsetNotAvailable
        | PartitionEOF
        | NoOffset => (Scope::Partition, Passing),

        BadMessage
        | BadCompression
        | MessageBatchTooLarge
        | InvalidRequiredAcks
        | UnsupportedForMessageFormat
        | UnsupportedCompressionType => (Scope::Batch, Permanent),
        InvalidMessage | InvalidDifferentRecord | UnknownProducerId | DuplicateSequenceNumber => {
            (Scope::Batch, Passing)
        }

        MessageSizeTooLarge
        | InvalidMessageSize
        | InvalidRecord
        | InvalidTimestamp
        | InvalidArgument
        | KeySerialization
        | ValueSerialization
        | KeyDeserialization
        | ValueDeserialization
        | InvalidCommitOffsetSize
        | OffsetMetadataTooLarge => (Scope::Record, Permanent),
        MessageTimedOut => (Scope::Record, Passing),

        // The default: answers to a single request of the client, or to requests that no app makes
        // (administration of the cluster, transactions, shares).
        _ => (Scope::Request, Passing),
    }
}

/// What follows for the app, in the words of the guide.
#[cfg(test)]
pub(super) fn follows(scope: Scope, lasting: Lasting) -> &'static str {
    match (scope, lasting) {
        (Scope::Client, Permanent) => {
            "reading: the app ends by itself, with the reason. Sending: another client takes its place"
        }
        (Scope::Login | Scope::Cluster, Permanent) => {
            "start: the app does not start. Later: not ready until a broker answers otherwise; the client goes on trying, and a record that is sent uses up no attempt"
        }
        (Scope::Member, Permanent) => {
            "start: the app does not start. Later: not ready until a broker answers otherwise; the client goes on trying"
        }
        (Scope::Topic | Scope::Partition, Permanent) => {
            "start: the app does not start. Reading: not ready, this topic or partition stands still. Sending: this record fails for good"
        }
        (Scope::Batch | Scope::Record, Permanent) => {
            "sending: this record fails for good. Reading: not ready, the partition stands still"
        }
        (Scope::Cluster, Passing) => {
            "not ready when it lasts for 30 s; the client goes on trying. Sending: the record is tried again, which uses up no attempt"
        }
        (Scope::Login | Scope::Client, Passing) => {
            "the client tries again. Sending: the record is tried again, which uses up no attempt"
        }
        (Scope::Batch | Scope::Record, Passing) => "sending: the record is tried again",
        (_, Passing) => "the client tries again",
        (Scope::Request, Permanent) => "the request fails",
    }
}
