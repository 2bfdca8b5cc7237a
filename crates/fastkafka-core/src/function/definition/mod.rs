//! Definitions: what the attributes say about a function. Data only.

mod background;
mod consumer;
mod location;
mod producer;

pub use background::{BackgroundDef, BackgroundFuture};
pub use consumer::ConsumerDef;
pub use location::Location;
pub use producer::ProducerDef;
