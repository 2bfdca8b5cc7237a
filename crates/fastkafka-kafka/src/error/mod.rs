//! librdkafka's errors as the runtime knows them.

mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tried;

pub(crate) use self::table::row;

use crate::ffi;
use fastkafka_core::{Problem, Problems};
use fastkafka_runtime::platform::{ClientError, Lasting, Scope};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// An error that came with librdkafka's own words.
pub(crate) fn client_error(code: RDKafkaErrorCode, message: impl Into<String>) -> ClientError {
    let (scope, lasting) = row(code);
    ClientError {
        code: ffi::error_name(code),
        scope,
        lasting,
        places: Vec::new(),
        message: message.into(),
    }
}

/// An error of our own that waiting does not end.
pub(crate) fn refused(message: impl Into<String>) -> ClientError {
    ClientError {
        lasting: Lasting::Permanent,
        scope: Scope::Login,
        ..client_error(RDKafkaErrorCode::InvalidArgument, message)
    }
}

/// An error after which the client is of no use.
pub(crate) fn fatal(message: impl Into<String>) -> ClientError {
    client_error(RDKafkaErrorCode::Fatal, message)
}

/// The error of a call.
pub(crate) fn call_error(error: &KafkaError) -> ClientError {
    match error.rdkafka_error_code() {
        Some(code) => client_error(code, error.to_string()),
        // A property or a name that librdkafka does not take: waiting does not help.
        None if matches!(
            error,
            KafkaError::ClientConfig(..)
                | KafkaError::ClientCreation(_)
                | KafkaError::Nul(_)
                | KafkaError::AdminOpCreation(_)
        ) =>
        {
            refused(error.to_string())
        }
        None => client_error(RDKafkaErrorCode::Unknown, error.to_string()),
    }
}

/// A problem of a start.
pub(crate) fn problem(what: impl Into<String>) -> Problems {
    Problems(vec![Problem::Broker(what.into())])
}

/// It says nothing of the record that was sent: whoever sends, or the way to the cluster, is at fault.
pub(crate) fn is_of_others(code: RDKafkaErrorCode) -> bool {
    let (scope, _) = row(code);
    matches!(scope, Scope::Login | Scope::Cluster | Scope::Client)
}

/// Sending the same record again cannot succeed: it is wrong itself, or its topic does not take it.
pub(crate) fn is_permanent(code: RDKafkaErrorCode) -> bool {
    let (scope, lasting) = row(code);
    let of_record = matches!(
        scope,
        Scope::Record | Scope::Batch | Scope::Partition | Scope::Topic
    );
    of_record && lasting == Lasting::Permanent
}
