use crate::prelude::*;

/// The rectifier with a ceiling: `relu6(x) = x < 0 ? 0 : x > 6 ? 6 : x` (Krizhevsky, 2010).
///
/// | x | relu6(x) |
/// |---|---|
/// | `x < 0`, `-∞` | `+0` |
/// | `0 ≤ x ≤ 6`, `-0.0` | `x` |
/// | `x > 6`, `+∞` | 6 |
/// | NaN | the same NaN |
///
/// The derivative is 1 between 0 and 6 and for NaN, and 0 elsewhere, at 0 and 6 too.
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu6;

parameters!(Relu6);

impl Unary for Relu6 {
    const FORMULA: &'static str = "min(max(x, 0), 6)";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        x.splat(6.0).min(x.splat(0.0).max(x))
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, six) = (x.splat(0.0), x.splat(6.0));
        let up_to_six = six.le(x).select(zero, x.splat(1.0));
        x.le(zero).select(zero, up_to_six)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Relu6 {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (zero, six) = (N::of(0.0), N::of(6.0));
        if x < zero {
            zero
        } else if x > six {
            six
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let flat = x <= N::of(0.0) || x >= N::of(6.0);
        N::of(if flat { 0.0 } else { 1.0 })
    }

    fn int_oracle(self, x: i128) -> i128 {
        x.clamp(0, 6)
    }
}

impl UnaryInt for Relu6 {
    #[inline(always)]
    fn forward_int<X: IntLane>(self, x: X) -> X {
        let zero = x.splat(<X::Int as Default>::default());
        x.splat(X::Int::floor(Number::new(6.0))).min(zero.max(x))
    }
}
