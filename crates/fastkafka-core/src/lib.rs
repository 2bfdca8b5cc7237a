//! What a FastKafka app *is*: definitions, registry, messages, codecs, settings and checks.
//!
//! Neither tokio nor a Kafka client is used here. The runtime drives this crate; users meet it through
//! the `fastkafka` crate. Its folders:
//!
//! * `record`: fetched records, and what a handler sees of them;
//! * `function`: annotated functions, from their definitions to a call; `function/probe` asks their types;
//! * `codec`, `settings`: payloads and keys as bytes, and the values of an attribute;
//! * `delivery`: outputs, failures and acknowledgements, until a record is settled;
//! * `pattern`: topics by pattern, as sets of names;
//! * `plan`: what an app will do, worked out and checked before it connects;
//! * `app`: an app as the plan sees it (`AppSpec`), and as its calls see it (`AppContext`).

#![deny(unsafe_code)]

#[doc(hidden)]
pub mod __private;
mod app;
mod codec;
mod delivery;
mod function;
mod lock;
mod nearest;
mod one_line;
mod pattern;
mod plan;
mod record;
mod settings;

pub use app::{AppContext, AppInfo, AppSpec, Contact, License, States};
pub use bytes::Bytes;
#[cfg(feature = "msgpack")]
pub use codec::Msgpack;
#[cfg(feature = "avro")]
pub use codec::{Avro, avro};
pub use codec::{Codec, Decode, Encode, Json, Message, OutMessage, Raw, Reads, Writes};
pub use delivery::ack::{Ack, Revoked};
pub use delivery::ambient::{Ambient, Scoped};
pub use delivery::dead_letter::{DEAD_LETTER_HEADERS, DEAD_LETTER_LEFT_OUT, DEAD_LETTER_PREFIX};
pub use delivery::entered::{Entered, enter};
pub use delivery::error::ProduceError;
pub use delivery::failure::{BatchFailure, Failure, FailureKind, IntoFailure, Rejection};
pub use delivery::scope::delivery_scope;
pub use delivery::settle::{Closed, Delivery, OrderUnit, RunTag, Settle};
pub use delivery::sink::{OutRecord, RecordSink, unwritable};
pub use delivery::slot::{Collecting, DeliveryScope, DeliveryToken, ScopeRef};
pub use delivery::stop_flag::StopFlag;
pub use function::around::{Around, HandlerCall, HandlerFuture};
pub use function::background::{Background, FromApp, Task, TaskReturn};
pub use function::call::{CallContext, Letters, Run, RunEnd, RunFuture};
pub use function::catch::{CatchRun, panic_text};
pub use function::consumer::{Consumer, HandlerReturn, Outcome};
pub use function::definition::{
    BackgroundDef, BackgroundFuture, ConsumerDef, Location, ProducerDef,
};
pub use function::dispatch::{Direct, Invoke, handle, run_with};
pub use function::event::KafkaEvent;
pub use function::extract::{FromContext, PerRecord, PerRecordValue, State};
#[doc(hidden)]
pub use function::interceptor::{AppTask, Hooks, Interceptor, RecordEnd, TaskFailure, TaskGate};
pub use function::key::{DecodeKey, EncodeKey, IntoKey, Key};
#[doc(hidden)]
pub use function::kind::{Consumes, Produces, RunsInBackground};
pub use function::meter::{Meter, Tally};
#[doc(hidden)]
pub use function::mirror::{MirrorHost, Owned, Sends, read_again};
pub use function::probe::emit::{Emit, Outgoing, ProducerReturn, Take};
pub use function::producer::Producer;
pub use function::registry::{Def, DefaultApp, Entry, Register, Registry};
pub use function::shape::{Batch, InputOf, Nullable, NullableBatch, Shape, Single};
pub use one_line::{LONGEST_TEXT, one_line};
#[doc(hidden)]
pub use pattern::Pattern;
pub use plan::broker_choice::{EMBEDDED, UnknownBroker, choose};
pub use plan::cluster::Cluster;
pub use plan::connections::Connections;
pub use plan::explain::{Explained, Row, explain};
pub use plan::overrides::{Override, Target};
pub use plan::problem::{Problem, Problems};
pub use plan::{Group, Handler, Output, Plan};
pub use record::{
    EventMetadata, Fetched, Header, Headers, RawRecord, Record, Timestamp, TimestampType,
    TopicPartition,
};
#[doc(hidden)]
pub use settings::limits::{text as wrong_text, topic_name as wrong_topic};
pub use settings::{
    Acks, Attempts, BackgroundSettings, Broker, Brokers, CompressionType, Connection,
    ConsumerSettings, Executor, GroupId, GroupProtocol, IsolationLevel, OauthToken, OffsetReset,
    OnFailure, OnTruncation, Order, PartitionFn, Partitioner, ProducerSettings, Properties,
    Restart, SaslMechanism, Secret, SecurityProtocol, Text, Tls, TokenFuture, TokenProvider,
    Tokens,
};
