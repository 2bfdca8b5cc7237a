//! The builder of an [`App`], and the values that an app takes and returns.
//!
//! You name these types when you pass a builder through functions of your own, say who answers for the
//! service ([`Contact`], [`License`]), read the result of [`App::check`](crate::App::check) or
//! [`App::explain`](crate::App::explain), or run the app beside a web server.

#[cfg(feature = "admin")]
mod asking;
mod begin;
mod beside;
mod choice;
mod dropped;
mod end;
mod inner;
mod lag;
mod life;
mod parts;
pub(crate) mod service;
mod snapshot;
mod start;
#[cfg(feature = "admin")]
mod watched;
mod wrong;

pub(crate) use self::inner::Inner;
pub(crate) use self::life::Life;
pub(crate) use self::service::App;

pub use crate::builder::AppBuilder;
#[cfg(feature = "axum")]
pub use crate::web::Lifespan;
#[doc(inline)]
pub use fastkafka_core::{AppInfo, Contact, DefaultApp, Entered, Explained, License, Plan, Row};
#[doc(inline)]
pub use fastkafka_kafka::PartitionLag;
