//! The AsyncAPI document of an app, apart from the app: to read, check and compare documents.
//!
//! [`App::asyncapi`](crate::App::asyncapi) makes the document, [`App::create_docs`](crate::App::create_docs)
//! writes it and [`App::check_docs`](crate::App::check_docs) compares it with a file. You need this module to
//! work with a document in code: its [`model`], [`parse`], [`check()`] and [`diff`].

mod document;
mod files;

#[doc(inline)]
pub use fastkafka_asyncapi::*;
#[cfg(feature = "cli")]
pub(crate) use files::{NAME, check_file, forms};
