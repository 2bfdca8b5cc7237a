//! The words whose codecs are features. An expansion hands an error to the macro of each word that it
//! uses: with the feature it is dropped. Without, [`Missing`] keeps the compiler from finding more.

/// Drops an error: `"msgpack"` is built in.
#[cfg(feature = "msgpack")]
#[doc(hidden)]
#[macro_export]
macro_rules! __without_msgpack {
    ($($error:tt)*) => {};
}

/// Keeps an error: `"msgpack"` is not built in.
#[cfg(not(feature = "msgpack"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __without_msgpack {
    ($($error:tt)*) => { $($error)* };
}

/// Drops an error: `"avro"` is built in.
#[cfg(feature = "avro")]
#[doc(hidden)]
#[macro_export]
macro_rules! __without_avro {
    ($($error:tt)*) => {};
}

/// Keeps an error: `"avro"` is not built in.
#[cfg(not(feature = "avro"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __without_avro {
    ($($error:tt)*) => { $($error)* };
}

#[cfg(not(all(feature = "msgpack", feature = "avro")))]
mod missing {
    use crate::codec::{Codec, Decode, Encode, Reads, Writes};
    use crate::delivery::failure::Rejection;
    use crate::record::RawRecord;
    use bytes::Bytes;
    use schemars::{Schema, SchemaGenerator};

    /// Stands where the codec of a feature would. What uses it does not compile.
    #[derive(Debug)]
    pub struct Missing;

    const NEVER: &str = "a word without its feature is a compile error";

    impl Codec for Missing {
        const CONTENT_TYPE: &'static str = "";
    }
    #[diagnostic::do_not_recommend]
    impl<'r, T> Decode<'r, T> for Missing {
        fn decode(_: &RawRecord<'r>) -> Result<T, Rejection> {
            unreachable!("{NEVER}")
        }
        fn schema(_: &mut SchemaGenerator) -> Schema {
            unreachable!("{NEVER}")
        }
    }
    #[diagnostic::do_not_recommend]
    impl<T> Encode<T> for Missing {
        fn encode(_: &T, _: &mut Vec<u8>) -> Result<(), Rejection> {
            unreachable!("{NEVER}")
        }
        fn schema(_: &mut SchemaGenerator) -> Schema {
            unreachable!("{NEVER}")
        }
    }
    #[diagnostic::do_not_recommend]
    impl<T> Reads<T> for Missing {
        fn read(_: &[u8]) -> Result<T, String> {
            unreachable!("{NEVER}")
        }
    }
    #[diagnostic::do_not_recommend]
    impl<T> Writes<T> for Missing {
        fn write(_: &T) -> Result<Bytes, String> {
            unreachable!("{NEVER}")
        }
    }
}
#[cfg(not(all(feature = "msgpack", feature = "avro")))]
pub use missing::Missing;
