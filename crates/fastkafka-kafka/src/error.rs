//! The meaning of librdkafka's errors for an app: the table of client errors.

use fastkafka_core::{Problem, Problems};
use fastkafka_runtime::platform::{ClientError, ErrorKind};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode::{self, *};

/// The meaning of an error of a client. Codes that are not here concern a single request, which
/// librdkafka repeats by itself.
fn kind(code: RDKafkaErrorCode) -> ErrorKind {
    match code {
        Fatal | Fenced | FencedInstanceId | FencedMemberEpoch | ProducerFenced
        | UnreleasedInstanceId => ErrorKind::Fatal,

        Authentication
        | SaslAuthenticationFailed
        | UnsupportedSASLMechanism
        | IllegalSASLState
        | SSL
        | SecurityDisabled
        | TopicAuthorizationFailed
        | GroupAuthorizationFailed
        | ClusterAuthorizationFailed
        | TransactionalIdAuthorizationFailed
        | UnknownTopic
        | UnknownTopicOrPartition
        | UnknownPartition
        | InvalidTopic
        | InvalidGroupId
        | InvalidSessionTimeout
        | InconsistentGroupProtocol
        | UnsupportedAssignor
        | GroupMaxSizeReached
        | UnsupportedVersion
        | UnsupportedFeature => ErrorKind::Refused,

        AllBrokersDown
        | BrokerTransportFailure
        | Resolve
        | OperationTimedOut
        | TimedOutQueue
        | RequestTimedOut
        | NetworkException
        | BrokerNotAvailable
        | LeaderNotAvailable
        | NotLeaderForPartition
        | WaitingForCoordinator
        | CoordinatorLoadInProgress
        | CoordinatorNotAvailable
        | NotCoordinator => ErrorKind::Unreachable,

        _ => ErrorKind::Other,
    }
}

/// An error that came with librdkafka's own words.
pub(crate) fn client_error(code: RDKafkaErrorCode, message: impl Into<String>) -> ClientError {
    ClientError {
        kind: kind(code),
        message: message.into(),
    }
}

/// An error that waiting does not end.
pub(crate) fn refused(message: impl Into<String>) -> ClientError {
    ClientError {
        kind: ErrorKind::Refused,
        message: message.into(),
    }
}

/// The error of a call.
pub(crate) fn call_error(error: &KafkaError) -> ClientError {
    match error.rdkafka_error_code() {
        Some(code) => client_error(code, error.to_string()),
        None => ClientError {
            // A property or a name that librdkafka does not take: waiting does not help.
            kind: match error {
                KafkaError::ClientConfig(..)
                | KafkaError::ClientCreation(_)
                | KafkaError::Nul(_)
                | KafkaError::AdminOpCreation(_) => ErrorKind::Refused,
                _ => ErrorKind::Other,
            },
            message: error.to_string(),
        },
    }
}

/// A problem of a start.
pub(crate) fn problem(what: impl Into<String>) -> Problems {
    Problems(vec![Problem::Broker(what.into())])
}

/// Sending the same record again cannot succeed.
pub(crate) fn is_permanent(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        MessageSizeTooLarge
            | MessageBatchTooLarge
            | InvalidMessageSize
            | InvalidRecord
            | InvalidTimestamp
            | InvalidRequiredAcks
            | InvalidArgument
            | InvalidTopic
            | PolicyViolation
            | UnsupportedForMessageFormat
            | UnsupportedCompressionType
            | TopicAuthorizationFailed
            | ClusterAuthorizationFailed
            | UnknownTopic
            | UnknownTopicOrPartition
            | UnknownPartition
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_mean_what_the_table_says() {
        let cases = [
            (AllBrokersDown, ErrorKind::Unreachable),
            (CoordinatorNotAvailable, ErrorKind::Unreachable),
            (Authentication, ErrorKind::Refused),
            (GroupAuthorizationFailed, ErrorKind::Refused),
            (UnknownTopicOrPartition, ErrorKind::Refused),
            (InconsistentGroupProtocol, ErrorKind::Refused),
            (Fatal, ErrorKind::Fatal),
            (FencedInstanceId, ErrorKind::Fatal),
            (PollExceeded, ErrorKind::Other),
        ];
        for (code, expected) in cases {
            assert_eq!(kind(code), expected, "{code}");
        }
    }

    #[test]
    fn a_record_that_timed_out_may_be_sent_again_and_one_too_large_may_not() {
        assert!(!is_permanent(MessageTimedOut));
        assert!(is_permanent(MessageSizeTooLarge));
    }
}
