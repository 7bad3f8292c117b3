use crate::element::{Half, Number};
use crate::lanes::Lanes;
use crate::ops::{Unary, UnaryInt};

/// The rectifier: `relu(x) = x < 0 ? 0 : x`, also called ramp, positive part, and half-wave
/// rectifier (Fukushima, 1969; Nair & Hinton, 2010).
///
/// | x | relu(x) |
/// |---|---|
/// | `x < 0`, `-∞` | `+0` |
/// | `+0`, `x > 0`, `+∞` | `x` |
/// | `-0.0` | `-0.0`, as PyTorch and ONNX Runtime do on CPU |
/// | NaN | the same NaN: sign and payload kept, signalling stays signalling |
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Relu;

impl Unary for Relu {
    const FORMULA: &'static str = "max(x, 0)";

    // `0 > x ? 0 : x`. With the operands the other way round it would be `x > 0 ? x : 0`, which
    // loses NaN and -0.0. One `vmaxps`.
    #[inline(always)]
    fn lanes<E: Number, L: Lanes<E>>(self, l: L, x: L::V) -> L::V {
        l.max(l.splat(E::ZERO), x)
    }

    // As signed 16-bit integers the patterns that must become zero, the negative numbers down to
    // -∞, run from 0x8001 to the bits of -∞: all but the lowest (0x8000, -0.0) of the negative
    // integers below the NaNs. Subtracting one wraps -0.0 round to the top and leaves
    // `0x8000..NEG_INFINITY_BITS`, which one comparison catches. Three instructions for twice as
    // many elements; widening to f32 and back takes six and falls behind memcpy in L1.
    #[inline(always)]
    fn half<H: Half, L: Lanes<i16>>(self, l: L, x: L::V) -> L::V {
        let negative = l.lt(l.sub(x, l.splat(1)), l.splat(H::NEG_INFINITY_BITS));
        l.select(negative, l.splat(0), x)
    }
}

impl UnaryInt for Relu {
    #[inline(always)]
    fn int_lanes<E: Number, L: Lanes<E>>(self, l: L, x: L::V) -> L::V {
        l.max(l.splat(E::ZERO), x)
    }
}
