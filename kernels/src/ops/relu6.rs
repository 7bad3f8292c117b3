use crate::element::{Int, Real};
use crate::lanes::{FloatLanes, Lanes};
use crate::num::Num;
use crate::ops::{FromOutput, Unary, UnaryInt};
use crate::parameters::parameters;

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
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relu6;

parameters!(Relu6);

impl Unary for Relu6 {
    const FORMULA: &'static str = "min(max(x, 0), 6)";
    const SELECTS: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        l.min(l.splat(R::of(6.0)), l.max(l.splat(R::of(0.0)), x))
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, six) = (l.splat(R::of(0.0)), l.splat(R::of(6.0)));
        let up_to_six = l.select(l.le(six, x), zero, l.splat(R::of(1.0)));
        l.select(l.le(x, zero), zero, up_to_six)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let (zero, six) = (N::of(0.0), N::of(6.0));
        if x < zero {
            zero
        } else if x > six {
            six
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let flat = x <= N::of(0.0) || x >= N::of(6.0);
        N::of(if flat { 0.0 } else { 1.0 })
    }
}

impl UnaryInt for Relu6 {
    #[inline(always)]
    fn int_lanes<E: Int, L: Lanes<E>>(self, l: L, x: L::V) -> L::V {
        l.min(l.splat(E::floor(6.0)), l.max(l.splat(E::ZERO), x))
    }
}
