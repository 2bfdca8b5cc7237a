//! The whole contract between the attributes' expansion and the library: exactly the names that
//! expansions use. A test of `fastkafka-macros` compares the two. Not for use by hand.

// The entry in the link-time list, and the schemas of the AsyncAPI document.
pub use inventory;
pub use schemars;

// A function and the app that it belongs to.
pub use crate::{Def, DefaultApp, Entry, Location, Register};

// A consumer: its definition, its parameters, and the judgement of what it returned.
pub use crate::function::dispatch::run;
pub use crate::function::probe::returned::{NoOutcome, OutcomeOf, Returned};
pub use crate::{
    CallContext, Consumer, ConsumerDef, Failure, FromContext, Outcome, RawRecord, Rejection,
};

// A producer: its definition, and the way of what it returned.
pub use crate::delivery::send::{emit, emit_open, room};
pub use crate::{Bytes, Producer, ProducerDef};

// A background task.
pub use crate::function::background::run_in_background;
pub use crate::{Background, BackgroundDef, FromApp, States, TaskReturn};

// A benchmark.
pub use crate::Meter;
pub use crate::function::count::count;
pub use crate::function::meter::Measured;
pub use crate::function::probe::records::{OneRecord, Records, RecordsOfResult};

// The mirrors and spies of a test.
pub use crate::{Consumes, MirrorHost, Owned, Produces, RunsInBackground, Sends};

// Questions to the type of a payload: whether it is a batch, a tombstone, bytes.
pub use crate::function::probe::emit::{DefaultEmit, EmitProbe, SelectEmit};
pub use crate::function::probe::shape::{
    ByteProbe, DefaultShape, NotByte, SelectShape, ShapeProbe, not_bytes,
};
pub use crate::{Emit, InputOf, ProducerReturn, Shape};

// Questions to the types of keys and of further parameters.
pub use crate::codec::{key_of, write_key};
pub use crate::function::probe::encode::{EncodedKey, encode_key_with};
pub use crate::function::probe::key::{
    KeyProbe, KeySchemaProbe, NoKeySchema, NotKey, custom_key, first_key,
};
pub use crate::function::probe::settles::{SettlesNot, SettlesProbe};

// Codecs: by the type of the payload, by a word, by a function.
#[cfg(feature = "avro")]
pub use crate::Avro;
#[cfg(feature = "msgpack")]
pub use crate::Msgpack;
#[cfg(not(feature = "avro"))]
pub use crate::codec::Missing as Avro;
#[cfg(not(feature = "msgpack"))]
pub use crate::codec::Missing as Msgpack;
pub use crate::codec::{Custom, DecodeFn, schema_of};
pub use crate::function::probe::codec::{CodecProbe, DefaultCodec, SelectCodec};
pub use crate::function::probe::encode::encode_with;
pub use crate::{__without_avro as without_avro, __without_msgpack as without_msgpack};
pub use crate::{Codec, Decode, Encode, Json, Raw};

// Settings: the structs whose fields are the keys, and the enumerations whose variants are the words.
pub use crate::settings::brokers;
pub use crate::{
    Acks, Attempts, BackgroundSettings, CompressionType, ConsumerSettings, Executor, GroupId,
    GroupProtocol, IsolationLevel, OffsetReset, OnFailure, OnTruncation, Order, Partitioner,
    ProducerSettings, Properties, Restart, SaslMechanism, Secret, SecurityProtocol, Text, Tokens,
};
