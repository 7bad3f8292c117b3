use crate::half::rectify_bits;
use crate::prelude::*;

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
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu;

parameters!(Relu);

impl Unary for Relu {
    const FORMULA: &'static str = "max(x, 0)";
    const ON_HALF: OnHalf = OnHalf::Bits;
    const FUSED_WITH_SUM: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;
    const GATES: bool = true;

    // `0 > x ? 0 : x`. With the operands the other way round it would be `x > 0 ? x : 0`, which
    // loses NaN and -0.0. One `vmaxps`.
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        x.splat(0.0).max(x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        x.le(zero).select(zero, x.splat(1.0))
    }

    #[inline(always)]
    fn half_bits<X: IntLane<Int = i16>>(self, bits: X, negative_infinity: i16) -> X {
        rectify_bits(bits, negative_infinity)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Relu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let zero = N::of(0.0);
        if x < zero { zero } else { x }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        N::of(if x <= N::of(0.0) { 0.0 } else { 1.0 })
    }

    fn int_oracle(self, x: i128) -> i128 {
        x.max(0)
    }
}

impl UnaryInt for Relu {
    #[inline(always)]
    fn forward_int<X: IntLane>(self, x: X) -> X {
        x.splat(<X::Int as Default>::default()).max(x)
    }
}
