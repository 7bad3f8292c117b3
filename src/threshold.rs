//! Sizes in bytes from which on a call works another way.

use core::fmt;
use core::sync::atomic::{AtomicUsize, Ordering};

/// One such size: what the program has set, else what the environment says, else the default.
pub(crate) struct Threshold {
    /// 0 where nobody has asked yet.
    bytes: AtomicUsize,
    #[cfg_attr(not(feature = "std"), allow(dead_code))] // without `std` there is no environment
    variable: &'static str,
    default: fn() -> usize,
}

/// An environment variable that should hold a number of bytes holds something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThresholdError {
    variable: &'static str,
    value: alloc::string::String,
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value } = self;
        write!(f, "{variable}={value:?} is not a number of bytes")
    }
}

impl core::error::Error for ThresholdError {}

impl Threshold {
    pub(crate) const fn new(variable: &'static str, default: fn() -> usize) -> Self {
        Self {
            bytes: AtomicUsize::new(0),
            variable,
            default,
        }
    }

    /// # Panics
    /// If it depends on the environment, and [`check`](Threshold::check) gives an error.
    #[inline]
    pub(crate) fn get(&self) -> usize {
        match self.bytes.load(Ordering::Relaxed) {
            0 => self.ask(),
            bytes => bytes,
        }
    }

    pub(crate) fn set(&self, bytes: usize) {
        // A call on no bytes has nothing to do, so 1 says the same as 0.
        self.bytes.store(bytes.max(1), Ordering::Relaxed);
    }

    #[cold]
    fn ask(&self) -> usize {
        let bytes = match self.of_environment() {
            Ok(bytes) => bytes.unwrap_or_else(self.default).max(1),
            Err(error) => panic!("{error}"),
        };
        // What another thread has set meanwhile stays.
        let order = Ordering::Relaxed;
        match self.bytes.compare_exchange(0, bytes, order, order) {
            Ok(_) => bytes,
            Err(set) => set,
        }
    }

    /// Whether the environment variable, if there is one, is a number.
    pub(crate) fn check(&self) -> Result<(), ThresholdError> {
        self.of_environment().map(drop)
    }

    fn of_environment(&self) -> Result<Option<usize>, ThresholdError> {
        #[cfg(feature = "std")]
        if let Some(value) = std::env::var_os(self.variable) {
            let value = value.to_string_lossy();
            return match value.parse() {
                Ok(bytes) => Ok(Some(bytes)),
                Err(_) => Err(ThresholdError {
                    variable: self.variable,
                    value: value.into_owned(),
                }),
            };
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_counts_and_else_the_default() {
        let threshold = Threshold::new("HALFWAVE_TEST_NOT_THERE", || 300);
        assert_eq!(threshold.check(), Ok(()));
        assert_eq!(threshold.get(), 300);
        threshold.set(7);
        assert_eq!(threshold.get(), 7);
        threshold.set(0);
        assert_eq!(threshold.get(), 1);
        let set_before_asked = Threshold::new("HALFWAVE_TEST_NOT_THERE", || 300);
        set_before_asked.set(usize::MAX);
        assert_eq!(set_before_asked.get(), usize::MAX);
    }

    #[test]
    #[cfg(feature = "std")]
    fn what_is_no_number_is_told_and_never_taken() {
        // There is one, and it is a path.
        let threshold = Threshold::new("PATH", || 300);
        let message = std::format!("{}", threshold.check().unwrap_err());
        assert!(message.starts_with("PATH=\""), "{message}");
        assert!(
            message.ends_with("\" is not a number of bytes"),
            "{message}"
        );
        std::panic::catch_unwind(|| threshold.get()).expect_err("it must panic");
        threshold.set(7);
        assert_eq!(threshold.get(), 7);
    }
}
