//! The keys of `#[produces]`, as they were written.

use crate::args::Args;
use crate::codec::{Codec, KeyCodec};
use crate::errors::Errors;
use crate::names::RawNames;
use crate::settings::Settings;

pub(crate) struct Raw {
    pub(crate) names: RawNames,
    pub(crate) encoder: Codec,
    pub(crate) key_encoder: Option<KeyCodec>,
    pub(crate) settings: Settings,
}

impl Raw {
    pub(crate) fn parse(mut args: Args, errors: &mut Errors) -> Self {
        Self {
            names: RawNames::take(&mut args, errors),
            encoder: Codec::new("encoder", args.expr("encoder"), errors),
            key_encoder: KeyCodec::new("key_encoder", args.expr("key_encoder"), errors),
            settings: Settings::new(args.rest(), errors),
        }
    }
}
