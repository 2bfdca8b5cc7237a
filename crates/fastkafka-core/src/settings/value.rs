//! Settings as text: in a file, in the environment, in `check --explain`.

use super::limits::{self, quoted};
use crate::nearest::nearest;
use std::borrow::Cow;
use std::time::Duration;

/// Text of a setting: a literal or a string made at start.
pub type Text = Cow<'static, str>;

/// The value of a setting.
pub(crate) trait Value: Clone + PartialEq {
    /// Reads the value; the error says what the key takes.
    fn read(text: &str) -> Result<Self, String>;

    /// The text that [`Value::read`] reads, unless it is a secret.
    fn show(&self) -> String;

    /// This value where a less specific level has `below`.
    #[must_use]
    fn over(self, below: &Self) -> Self {
        let _ = below;
        self
    }

    /// What is wrong with this value of a key, in words that begin with a verb.
    fn wrong(&self, key: &str) -> Option<String> {
        let _ = key;
        None
    }

    /// One client can have both values.
    fn agrees(&self, other: &Self) -> bool {
        self == other
    }
}

macro_rules! plain {
    ($($ty:ty: $takes:literal $(, $wrong:expr)?;)*) => {$(
        impl Value for $ty {
            fn read(text: &str) -> Result<Self, String> {
                text.trim().parse().map_err(|_| format!(concat!($takes, ", not {}"), quoted(text)))
            }
            $(
                fn wrong(&self, key: &str) -> Option<String> {
                    $wrong(key, u64::from(*self))
                }
            )?

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
plain! {
    u32: "a number", limits::number;
    u64: "a number", limits::number;
    bool: "`true` or `false`";
}

impl Value for Text {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.to_owned().into())
    }

    fn wrong(&self, key: &str) -> Option<String> {
        limits::text(key, self)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Duration {
    fn read(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map_err(|_| {
            format!(
                "a time such as `200ms`, `30s` or `5m`, not {}",
                quoted(text)
            )
        })
    }

    fn wrong(&self, key: &str) -> Option<String> {
        limits::time(key, *self)
    }

    fn show(&self) -> String {
        humantime::format_duration(*self).to_string()
    }
}

/// An enumeration by its words, which are shown, and other spellings of them.
macro_rules! words {
    ($($ty:ident {
        $($word:literal = $variant:ident),*
    } $({ $($other:literal = $same:ident),* })?)*) => {$(
        impl $crate::settings::value::Value for $ty {
            fn read(text: &str) -> Result<Self, String> {
                match text {
                    $( $word => Ok(Self::$variant), )*
                    $($( $other => Ok(Self::$same), )*)?
                    _ => {
                        let words = [$(concat!("`", $word, "`")),*];
                        let text = $crate::settings::limits::quoted(text);
                        Err(format!("{}; not {text}", words.join(", ")))
                    }
                }
            }

            fn show(&self) -> String {
                match self { $( Self::$variant => $word.to_owned(), )* }
            }
        }
    )*};
}
pub(crate) use words;

/// The error for a key that does not exist.
pub(crate) fn unknown(key: &str, keys: &[(&str, &str)]) -> String {
    match nearest(key, keys.iter().map(|(known, _)| *known)) {
        Some(near) => format!("there is no setting `{key}`, did you mean `{near}`?"),
        None => format!("there is no setting `{key}` (docs/guide/settings.md lists them)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read() {
        let read = |text: &str| Duration::read(text).map(|d| d.show());
        assert_eq!(read("200ms").unwrap(), "200ms");
        assert_eq!(read("90s").unwrap(), "1m 30s");
        assert_eq!(u64::read(" 5 "), Ok(5));
        assert_eq!(
            bool::read("yes"),
            Err("`true` or `false`, not `yes`".into())
        );
    }
}
