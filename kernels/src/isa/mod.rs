//! The instruction sets, one file each.

use core::fmt;

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
pub mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
pub mod zmm;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// Whatever the target always has: SSE2 on x86-64, NEON on aarch64, simd128 on wasm32 when
    /// enabled, scalar code elsewhere. By the crate `wide`.
    Portable,
    /// x86-64 AVX2, FMA and F16C (Haswell, Zen and newer).
    Avx2,
    /// x86-64 AVX-512 F, BW, DQ and VL (Skylake-X, Zen 4 and newer).
    Avx512,
}

impl Isa {
    /// `portable`, `avx2` or `avx512`.
    pub const fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Stamps the entry points of a vector unit, with the attributes their functions need.
macro_rules! entry {
    ($Unit:ident, $unit:expr $(, #[$feature:meta])?) => {
        $(#[$feature])?
        unsafe fn map<E: Element, O: Elementwise<E>>(
            op: O,
            src: *const E,
            dst: *mut E,
            len: usize,
            stream: bool,
        ) where
            Self: Lanes<E::Lane>,
        {
            // SAFETY: forwarded; the unit exists because the caller vouches for the CPU.
            unsafe { crate::map::map($unit, op, src, dst, len, stream) }
        }

        $(#[$feature])?
        #[inline(never)]
        unsafe fn enter<T: Task<Self>>(task: T) -> T::Out {
            // SAFETY: as above.
            unsafe { task.run($unit) }
        }
    };
}
pub(crate) use entry;

/// Writes lane methods whose body is an intrinsic.
#[cfg(target_arch = "x86_64")]
macro_rules! words {
    ($(fn $word:ident($($arg:ident: $T:ty),*) -> $R:ty = $body:expr;)*) => {$(
        #[inline(always)]
        fn $word(self, $($arg: $T),*) -> $R {
            // SAFETY: register arithmetic; a unit exists only where the CPU has its instructions.
            unsafe { $body }
        }
    )*};
}
#[cfg(target_arch = "x86_64")]
pub(crate) use words;
