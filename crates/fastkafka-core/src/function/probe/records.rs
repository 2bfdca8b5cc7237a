//! The number of records in a parameter or in a return value, for `#[benchmark]`.

/// How many records a value is: of the first parameter, or of what was returned. An inherent method
/// wins over a trait's, and that over one that needs another reference.
#[derive(Debug)]
pub struct Records<'a, T>(pub &'a T);

impl<T> Records<'_, Vec<T>> {
    /// A batch.
    #[inline]
    pub fn records(self) -> usize {
        self.0.len()
    }
}

impl<T, E> Records<'_, Result<Vec<T>, E>> {
    /// Many, or none because of an error.
    #[inline]
    pub fn records(self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }
}

impl<T, E> Records<'_, Result<Option<T>, E>> {
    /// One or none.
    #[inline]
    pub fn records(self) -> usize {
        usize::from(matches!(self.0, Ok(Some(_))))
    }
}

/// What [`Records`] says of every other result.
pub trait RecordsOfResult {
    /// One, or none because of an error.
    fn records(self) -> usize;
}
impl<T, E> RecordsOfResult for Records<'_, Result<T, E>> {
    #[inline]
    fn records(self) -> usize {
        usize::from(self.0.is_ok())
    }
}

/// What [`Records`] says of everything else.
pub trait OneRecord {
    /// One.
    fn records(self) -> usize;
}
impl<T> OneRecord for &Records<'_, T> {
    #[inline]
    fn records(self) -> usize {
        1
    }
}
