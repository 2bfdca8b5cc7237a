//! Records: what a client has fetched, and what of it a handler sees.

mod fetched;
mod headers;
mod metadata;
mod partition;
mod raw;
mod timestamp;

pub use fetched::{Fetched, Header, Record};
pub use headers::Headers;
pub use metadata::EventMetadata;
pub use partition::TopicPartition;
pub use raw::RawRecord;
pub use timestamp::{Timestamp, TimestampType};
