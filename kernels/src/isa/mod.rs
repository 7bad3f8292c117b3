//! The instruction sets. Each is one file, with everything that is its own but what its folder has; what is here names
//! them.

use core::fmt;

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(target_arch = "x86_64")]
mod macros;
pub mod portable;
#[cfg(test)]
pub(crate) mod tests;

/// An instruction set that kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// Whatever the target always has: SSE2 on x86-64, NEON on aarch64, simd128 on wasm32 when
    /// enabled, scalar code elsewhere. By the crate `wide`.
    Portable,
    /// x86-64 AVX2, FMA, F16C and POPCNT (Haswell, Zen and newer).
    Avx2,
    /// x86-64 AVX-512 F, BW, DQ and VL (Skylake-X, Zen 4 and newer).
    Avx512,
}

impl Isa {
    /// Those of the target, the widest first.
    pub const ALL: &[Self] = &[
        #[cfg(target_arch = "x86_64")]
        Self::Avx512,
        #[cfg(target_arch = "x86_64")]
        Self::Avx2,
        Self::Portable,
    ];

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

/// Whether the CPU has the features that an [`Isa`] needs, each of which is asked for by `$has!`:
/// `is_available!(isa, has)` calls `has!("avx2" "fma" "f16c" "popcnt")`.
#[macro_export]
#[doc(hidden)]
macro_rules! is_available {
    ($isa:expr, $has:ident) => {
        match $isa {
            $crate::Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            $crate::Isa::Avx2 => $crate::avx2_features!($has),
            #[cfg(target_arch = "x86_64")]
            $crate::Isa::Avx512 => $crate::avx512_features!($has),
            #[allow(unreachable_patterns)] // in this crate
            _ => false,
        }
    };
}

/// Something for each instruction set of the target.
#[derive(Clone, Copy, Debug)]
pub struct PerIsa<T> {
    pub(crate) portable: T,
    #[cfg(target_arch = "x86_64")]
    pub(crate) avx2: T,
    #[cfg(target_arch = "x86_64")]
    pub(crate) avx512: T,
}

impl<T> PerIsa<T> {
    /// What there is for `isa`; for one of another target, what there is for the portable one.
    #[inline]
    pub const fn get(&self, isa: Isa) -> &T {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => &self.avx2,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => &self.avx512,
            _ => &self.portable,
        }
    }
}

/// A [`PerIsa`] of kernels, by their `of::<S, W>()`: `S` is the unit that has everything
/// ([`FullSimd`](crate::simd::FullSimd)), `W` the one for what is bound by computation.
macro_rules! per_isa {
    ($Kernels:ty) => {
        $crate::isa::PerIsa::<$Kernels> {
            portable: <$Kernels>::of::<
                $crate::isa::portable::Portable,
                $crate::isa::portable::Portable,
            >(),
            #[cfg(target_arch = "x86_64")]
            avx2: <$Kernels>::of::<$crate::isa::avx2::Avx2, $crate::isa::avx2::Avx2>(),
            #[cfg(target_arch = "x86_64")]
            avx512: <$Kernels>::of::<$crate::isa::avx512::Avx512Vl256, $crate::isa::avx512::Avx512>(
            ),
        }
    };
}
pub(crate) use per_isa;
