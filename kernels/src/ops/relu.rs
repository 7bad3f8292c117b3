use crate::element::{Half, Int, Real};
use crate::lanes::{FloatLanes, Lanes, Simd, V};
use crate::num::Num;
use crate::ops::{FromOutput, Unary, UnaryInt};
use crate::parameters::parameters;

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
/// The derivative is 0 up to and at 0, and 1 beyond and for NaN. The output tells it as well.
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu;

parameters!(Relu);

impl Unary for Relu {
    const FORMULA: &'static str = "max(x, 0)";
    const UNROLL_HALF: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    // `0 > x ? 0 : x`. With the operands the other way round it would be `x > 0 ? x : 0`, which
    // loses NaN and -0.0. One `vmaxps`.
    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        l.max(l.splat(R::of(0.0)), x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let zero = l.splat(R::of(0.0));
        l.select(l.le(x, zero), zero, l.splat(R::of(1.0)))
    }

    // As signed 16-bit integers the patterns that must become zero, the negative numbers down to
    // -∞, run from 0x8001 to the bits of -∞: all but the lowest (0x8000, -0.0) of the negative
    // integers below the NaNs. Subtracting one wraps -0.0 round to the top and leaves
    // `0x8000..NEG_INFINITY_BITS`, which one comparison catches. Three instructions for twice as
    // many elements; widening to f32 and back takes six and falls behind memcpy in L1.
    #[inline(always)]
    fn half<H: Half, S: Simd>(self, s: S, x: V<S, i16>) -> V<S, i16> {
        let one: V<S, i16> = s.splat(1i16);
        let negative = Lanes::<i16>::lt(
            s,
            Lanes::<i16>::sub(s, x, one),
            s.splat(H::NEG_INFINITY_BITS),
        );
        Lanes::<i16>::select(s, negative, s.splat(0i16), x)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let zero = N::of(0.0);
        if x < zero { zero } else { x }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        N::of(if x <= N::of(0.0) { 0.0 } else { 1.0 })
    }
}

impl UnaryInt for Relu {
    #[inline(always)]
    fn int_lanes<E: Int, L: Lanes<E>>(self, l: L, x: L::V) -> L::V {
        l.max(l.splat(E::ZERO), x)
    }
}
