use crate::element::{Float, Int, Real};
use crate::lanes::{FloatLanes, Lanes};
use crate::num::Num;
use crate::ops::{FromOutput, Unary, UnaryInt};
use crate::parameters::{NUMBER, parameters};

/// Clips to `[min, max]`, the lower bound first: `x < min ? min : x`, and of that `> max ? max`. Also
/// called clamp, and hardtanh with its bounds of −1 and 1 (Collobert, 2004), which are the defaults.
///
/// | x | clip(x) |
/// |---|---|
/// | below `min`, `-∞` | `min` |
/// | above `max`, `+∞` | `max` |
/// | between, and `-0.0` where a bound is `0` | `x` |
/// | NaN | the same NaN |
/// | any number, where `min > max` | `max`, as PyTorch and ONNX |
///
/// A bound may be infinite, which is none. On an integer dtype the bounds are the integers they
/// enclose: `min` is rounded up, `max` down, and both saturate.
///
/// The derivative is 1 between the bounds and for NaN, and 0 elsewhere, at both bounds too. The output
/// tells it as well, unless `f16` or `bf16` round a bound to a number between the bounds.
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    min: f64,
    max: f64,
}

parameters!(Clip { min: -1.0 in NUMBER, max: 1.0 in NUMBER });

impl Clip {
    /// The lower bound.
    pub fn min(self) -> f64 {
        self.min
    }

    /// The upper bound.
    pub fn max(self) -> f64 {
        self.max
    }
}

impl Unary for Clip {
    const FORMULA: &'static str = "min(max(x, min), max)";
    const SELECTS: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        l.min(
            l.splat(R::parameter(self.max)),
            l.max(l.splat(R::parameter(self.min)), x),
        )
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, one) = (l.splat(R::of(0.0)), l.splat(R::of(1.0)));
        let up_to_max = l.select(l.le(l.splat(R::of(self.max)), x), zero, one);
        l.select(l.le(x, l.splat(R::of(self.min))), zero, up_to_max)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let (min, max) = (N::of(R::value(self.min)), N::of(R::value(self.max)));
        let raised = if x < min { min } else { x };
        if raised > max { max } else { raised }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let (min, max) = (N::of(R::value(self.min)), N::of(R::value(self.max)));
        N::of(if x <= min || x >= max { 0.0 } else { 1.0 })
    }

    fn output_suffices<E: Float>(self) -> bool {
        let (held, used) = (|x| E::from_f64(x).to_f64(), E::Constant::value);
        held(self.min) <= used(self.min) && used(self.max) <= held(self.max)
    }
}

impl UnaryInt for Clip {
    #[inline(always)]
    fn int_lanes<E: Int, L: Lanes<E>>(self, l: L, x: L::V) -> L::V {
        l.min(
            l.splat(E::floor(self.max)),
            l.max(l.splat(E::ceil(self.min)), x),
        )
    }
}
