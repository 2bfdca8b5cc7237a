//! What a FastKafka app *is*: definitions, registry, messages, codecs, settings and checks.
//!
//! No tokio and no Kafka client: this crate says what a handler takes and returns, how records
//! become its parameters, and how outputs are charged to the record they came from. The runtime
//! drives it; users meet it through the `fastkafka` crate.

#![deny(unsafe_code)]

mod app;
mod codec;
mod delivery;
mod function;
mod plan;
mod record;
mod settings;
mod testing;

pub use app::{AppCore, AppInfo, Contact, License, States};
pub use bytes::Bytes;
#[cfg(feature = "msgpack")]
pub use codec::Msgpack;
#[cfg(feature = "avro")]
pub use codec::{Avro, avro};
pub use codec::{Codec, Decode, Encode, Json, Message, OutMessage, Raw, Reads, Writes};
pub use delivery::ack::{Ack, Revoked};
pub use delivery::ambient::{Ambient, Entered, Scoped, delivery_scope, enter};
pub use delivery::dead_letter::{DEAD_LETTER_HEADERS, DEAD_LETTER_PREFIX};
pub use delivery::error::ProduceError;
pub use delivery::failure::{BatchFailure, Failure, FailureKind, IntoFailure, Rejection};
pub use delivery::settle::{Closed, Delivery, RunTag, Settle, StopFlag};
pub use delivery::slot::{DeliveryScope, DeliveryToken, ScopeRef};
pub use function::around::{Around, HandlerCall, HandlerFuture};
pub use function::background::{
    Background, BackgroundDef, BackgroundFuture, FromApp, Task, TaskReturn,
};
pub use function::consumer::{Consumer, HandlerReturn, Outcome};
pub use function::definition::{ConsumerDef, ProducerDef};
pub use function::dispatch::{
    CatchRun, Direct, Invoke, RunEnd, RunFuture, handle, panic_text, run_with,
};
pub use function::extract::{FromContext, PerRecord, PerRecordValue, State};
pub use function::key::{DecodeKey, EncodeKey, IntoKey, Key};
pub use function::meter::{Meter, Tally};
pub use function::probe::emit::{Emit, KafkaEvent, Outgoing, ProducerReturn, Take};
pub use function::probe::shape::{Batch, InputOf, Nullable, Shape, Single};
pub use function::producer::{OutRecord, Producer, RecordSink};
pub use function::registry::{Def, DefaultApp, Entry, Location, Register, Registry};
pub use plan::broker_choice::{Connections, EMBEDDED, UnknownBroker, choose};
pub use plan::cluster::Cluster;
pub use plan::explain::{Explained, Row, explain};
pub use plan::overrides::{Override, Target};
pub use plan::problem::{Problem, Problems};
pub use plan::{Group, Handler, Output, Plan};
pub use record::partition::TopicPartition;
pub use record::{
    CallContext, EventMetadata, Fetched, Header, Headers, RawRecord, Record, Run, Timestamp,
    TimestampType,
};
pub use settings::{
    Acks, Attempts, BackgroundSettings, Broker, Brokers, CompressionType, Connection,
    ConsumerSettings, Executor, GroupId, GroupProtocol, IsolationLevel, OauthToken, OffsetReset,
    OnFailure, Order, PartitionFn, Partitioner, ProducerSettings, Properties, Restart,
    SaslMechanism, Secret, SecurityProtocol, Text, Tls, TokenFuture, TokenProvider, Tokens,
};
#[doc(hidden)]
pub use testing::{
    Consumes, Interceptor, MirrorHost, Owned, Produces, RunsInBackground, Sends, TaskFailure,
    read_again,
};

/// The whole contract between the attributes' expansion and this crate. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::*;

    #[cfg(not(feature = "avro"))]
    pub use crate::codec::Missing as Avro;
    #[cfg(not(feature = "msgpack"))]
    pub use crate::codec::Missing as Msgpack;
    pub use crate::codec::{
        CodecProbe, Custom, DecodeFn, DefaultCodec, SelectCodec, key_of, read_key, schema_of,
        write_key,
    };
    pub use crate::function::background::run_in_background;
    pub use crate::function::consumer::{Judge, NoOutcome, OutcomeOf, Returned};
    pub use crate::function::dispatch::run;
    pub use crate::function::key::{
        KeyProbe, KeySchemaProbe, NoKeySchema, NotKey, SettlesNot, SettlesProbe, custom_key,
        first_key,
    };
    pub use crate::function::meter::{
        Counts, Measured, OneRecord, Records, RecordsOfResult, count,
    };
    pub use crate::function::probe::emit::{
        DefaultEmit, EmitProbe, EncodedKey, SelectEmit, encode_key_with, encode_with,
    };
    pub use crate::function::probe::shape::{
        ByteProbe, DefaultShape, NotByte, NotBytes, SelectShape, ShapeProbe, not_bytes,
    };
    pub use crate::function::producer::{emit, emit_open, room};
    pub use crate::settings::brokers;
    pub use crate::{__without_avro as without_avro, __without_msgpack as without_msgpack};
    pub use inventory;
    pub use schemars;
}
