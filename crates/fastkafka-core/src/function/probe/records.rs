//! The number of records in a parameter or in a return value, for `#[benchmark]`.

/// The number of records in a value: the first parameter, or the returned value. An inherent method wins
/// over a trait's, and that over one that needs another reference.
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

/// The answer of [`Records`] for every other result.
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

/// The answer of [`Records`] for everything else.
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
