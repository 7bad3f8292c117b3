//! What this CPU has.

/// Asks the CPU; without `std`, what the build was promised.
#[cfg(target_arch = "x86_64")]
macro_rules! has {
    ($($feature:tt)+) => {{
        #[cfg(feature = "std")]
        let has = $(std::arch::is_x86_feature_detected!($feature))&&+;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&+;
        has
    }};
}
#[cfg(target_arch = "x86_64")]
pub(crate) use has;
