//! What there is to know of a dtype to round to it.

use halfwave_kernels::{Float, bf16, f16};

/// A float dtype by its bits.
pub trait Format: Float {
    /// Bits in the significand, the hidden one included.
    const PRECISION: i32;
    /// The exponent of the smallest normal number.
    const MIN_EXPONENT: i32;
    /// The exponent of the largest number.
    const MAX_EXPONENT: i32 = 1 - Self::MIN_EXPONENT;
    /// The bit of the sign.
    const SIGN: u64;

    /// The bits.
    fn bits(self) -> u64;
    /// From bits, of which it has no more than it takes.
    fn from_bits(bits: u64) -> Self;
}

macro_rules! formats {
    ($($E:ident $U:ident $precision:literal $min:literal;)*) => {$(
        impl Format for $E {
            const PRECISION: i32 = $precision;
            const MIN_EXPONENT: i32 = $min;
            const SIGN: u64 = 1 << ($U::BITS - 1);
            #[inline]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            #[inline]
            fn from_bits(bits: u64) -> Self {
                $E::from_bits(bits as $U)
            }
        }
    )*};
}
formats! {
    f32 u32 24 -126;
    f64 u64 53 -1022;
    f16 u16 11 -14;
    bf16 u16 8 -126;
}
