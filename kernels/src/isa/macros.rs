//! What the files of `core::arch` units stamp.

/// Stamps the entry points of a vector unit, with the features that their functions need.
macro_rules! entry_points {
    ($($feature:literal)*; $unit:expr) => {
        #[target_feature($(enable = $feature),*)]
        #[inline(never)]
        unsafe fn map<E, O: MapWithSimd<Self, E>>(
            op: O,
            src: *const E,
            dst: *mut E,
            len: usize,
            stream: bool,
        ) {
            // SAFETY: forwarded; the unit exists because the caller vouches for the CPU.
            unsafe { op.map_with_simd($unit, src, dst, len, stream) }
        }

        #[target_feature($(enable = $feature),*)]
        #[inline(never)]
        unsafe fn with_simd<T: WithSimd<Self>>(task: T) -> T::Output {
            // SAFETY: as above.
            unsafe { task.with_simd($unit) }
        }
    };
}
pub(crate) use entry_points;

/// Writes lane methods whose body is an intrinsic.
macro_rules! intrinsics {
    ($(fn $word:ident($($arg:ident: $T:ty),*) -> $R:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $word(self, $($arg: $T),*) -> $R {
            // SAFETY: register arithmetic; a unit exists only where the CPU has its instructions.
            unsafe { $body }
        }
    )*};
}
pub(crate) use intrinsics;
