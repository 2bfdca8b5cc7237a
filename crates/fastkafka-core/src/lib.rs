//! What a FastKafka app *is*: definitions, registry, messages, codecs, settings and checks.
//!
//! No tokio and no Kafka client: this crate says what a handler takes and returns, how records
//! become its parameters, and how outputs are charged to the record they came from. The runtime
//! drives it; users meet it through the `fastkafka` crate.

#![deny(unsafe_code)]

mod ack;
mod ambient;
mod app;
mod around;
mod background;
mod broker_choice;
mod cluster;
mod codec;
mod consumer;
mod dead_letter;
mod definition;
mod dispatch;
mod emit;
mod error;
mod explain;
mod extract;
mod failure;
mod key;
mod mailbox;
mod meter;
mod order;
mod overrides;
mod partition;
mod plan;
mod precedence;
mod problem;
mod producer;
mod record;
mod registry;
mod settings;
mod settle;
mod shape;
// A delivery report finds its record through one raw pointer: see the module.
#[allow(unsafe_code)]
mod slot;
mod sync;
mod testing;

pub use ack::{Ack, Revoked};
pub use ambient::{Ambient, Entered, Scoped, delivery_scope, enter};
pub use app::{AppCore, AppInfo, Contact, License, States};
pub use around::{Around, HandlerCall, HandlerFuture};
pub use background::{Background, BackgroundDef, BackgroundFuture, FromApp, Task, TaskReturn};
pub use broker_choice::{Connections, EMBEDDED, UnknownBroker, choose};
pub use bytes::Bytes;
pub use cluster::Cluster;
#[cfg(feature = "msgpack")]
pub use codec::Msgpack;
#[cfg(feature = "avro")]
pub use codec::{Avro, avro};
pub use codec::{Codec, Decode, Encode, Json, Message, OutMessage, Raw, Reads, Writes};
pub use consumer::{Consumer, HandlerReturn, Outcome};
pub use dead_letter::{DEAD_LETTER_HEADERS, DEAD_LETTER_PREFIX};
pub use definition::{ConsumerDef, ProducerDef};
pub use dispatch::{CatchRun, Direct, Invoke, RunEnd, RunFuture, handle, panic_text, run_with};
pub use emit::{Emit, KafkaEvent, Outgoing, ProducerReturn, Take};
pub use error::ProduceError;
pub use explain::{Explained, Row, explain};
pub use extract::{FromContext, PerRecord, PerRecordValue, State};
pub use failure::{BatchFailure, Failure, FailureKind, IntoFailure, Rejection};
pub use key::{DecodeKey, EncodeKey, IntoKey, Key};
pub use mailbox::{Mailbox, Wake};
pub use meter::{Meter, Tally};
pub use overrides::{Override, Target};
pub use partition::TopicPartition;
pub use plan::{Group, Handler, Output, Plan};
pub use problem::{Problem, Problems};
pub use producer::{OutRecord, Producer, RecordSink};
pub use record::{
    CallContext, EventMetadata, Fetched, Header, Headers, RawRecord, Record, Run, Timestamp,
    TimestampType,
};
pub use registry::{Def, DefaultApp, Entry, Location, Register, Registry};
pub use settings::{
    Acks, Attempts, BackgroundSettings, Broker, Brokers, CompressionType, Connection,
    ConsumerSettings, Executor, GroupId, GroupProtocol, IsolationLevel, OauthToken, OffsetReset,
    OnFailure, Order, PartitionFn, Partitioner, ProducerSettings, Properties, Restart,
    SaslMechanism, Secret, SecurityProtocol, Text, Tls, TokenFuture, TokenProvider, Tokens,
};
pub use settle::{Closed, Delivery, RunTag, Settle, StopFlag};
pub use shape::{Batch, InputOf, Nullable, Shape, Single};
pub use slot::{DeliveryScope, DeliveryToken, ScopeRef};
#[doc(hidden)]
pub use testing::{
    Consumes, Interceptor, MirrorHost, Owned, Produces, RunsInBackground, Sends, TaskFailure,
    read_again,
};

/// The whole contract between the attributes' expansion and this crate. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use crate::*;

    pub use crate::background::run_in_background;
    #[cfg(not(feature = "avro"))]
    pub use crate::codec::Missing as Avro;
    #[cfg(not(feature = "msgpack"))]
    pub use crate::codec::Missing as Msgpack;
    pub use crate::codec::{
        CodecProbe, Custom, DecodeFn, DefaultCodec, SelectCodec, key_of, read_key, schema_of,
        write_key,
    };
    pub use crate::consumer::{Judge, NoOutcome, OutcomeOf, Returned};
    pub use crate::dispatch::run;
    pub use crate::emit::{
        DefaultEmit, EmitProbe, EncodedKey, SelectEmit, encode_key_with, encode_with,
    };
    pub use crate::key::{
        KeyProbe, KeySchemaProbe, NoKeySchema, NotKey, SettlesNot, SettlesProbe, custom_key,
        first_key,
    };
    pub use crate::meter::{Counts, Measured, OneRecord, Records, RecordsOfResult, count};
    pub use crate::producer::{emit, emit_open, room};
    pub use crate::settings::brokers;
    pub use crate::shape::{
        ByteProbe, DefaultShape, NotByte, NotBytes, SelectShape, ShapeProbe, not_bytes,
    };
    pub use crate::{__without_avro as without_avro, __without_msgpack as without_msgpack};
    pub use inventory;
    pub use schemars;
}
