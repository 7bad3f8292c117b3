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

/// Half an ulp, of what is dropped, as 128 bits.
pub(crate) const TIE: u128 = 1 << 127;

/// How many bits `E` keeps of 1.…·2^power.
pub(crate) fn kept<E: Format>(power: i32) -> i32 {
    E::PRECISION - (E::MIN_EXPONENT - power).max(0)
}

/// The element nearest to `x`: at once, where the CPU rounds to it. (The crate `half` rounds twice.)
pub(crate) fn nearest<E: Format>(x: f64) -> E {
    // Subnormal numbers of `f64` vanish.
    if E::PRECISION >= f32::PRECISION || !x.is_normal() {
        return E::from_f64(x);
    }
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7FF) as i32 - 1022;
    let top = 1 << 127 | u128::from(bits << 12) << 63;
    let sign = if x < 0.0 { E::SIGN } else { 0 };
    E::from_bits(sign | magnitude::<E>(top, exponent))
}

/// The bits of the magnitude nearest to `top/2^128·2^exponent`, where `top`'s highest bit is set.
pub(crate) fn magnitude<E: Format>(top: u128, exponent: i32) -> u64 {
    // As a normal number it is 1.… · 2^(exponent - 1).
    let power = exponent - 1;
    if power > E::MAX_EXPONENT {
        return bits_of_infinity::<E>();
    }
    let kept = kept::<E>(power);
    if kept < 0 {
        return 0;
    }
    let dropped = (128 - kept) as u32;
    let (whole, rest) = if dropped == 128 {
        (0, top)
    } else {
        (top >> dropped, top << kept)
    };
    let up = rest > TIE || rest == TIE && whole & 1 == 1;
    let whole = whole as u64 + u64::from(up);
    // A significand that was carried beyond its bits is the next exponent with a significand of 0.
    let biased = (power - E::MIN_EXPONENT).max(0) as u64;
    (biased << (E::PRECISION - 1)) + whole
}

pub(crate) fn bits_of_infinity<E: Format>() -> u64 {
    let exponents = (E::MAX_EXPONENT - E::MIN_EXPONENT + 2) as u64;
    exponents << (E::PRECISION - 1)
}
