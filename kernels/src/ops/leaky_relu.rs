use crate::element::{Float, Real};
use crate::lanes::FloatLanes;
use crate::num::Num;
use crate::ops::{FromOutput, Unary};
use crate::parameters::{FINITE, parameters};

/// The leaky rectifier: `x < 0 ? slope · x : x` (Maas, Hannun & Ng, 2013).
///
/// The default slope, 0.01, is PyTorch's and ONNX's; TensorFlow's function has 0.2, Keras' layer 0.3.
///
/// | x | leaky_relu(x) |
/// |---|---|
/// | `x < 0` | `slope · x`, rounded once |
/// | `-∞` | the limit: `-∞` for a positive slope, `+∞` for a negative one, `-0.0` for `+0` |
/// | `x > 0`, `±0`, `+∞` | `x` |
/// | NaN | the same NaN |
///
/// The derivative is 1 for `x > 0`, else `slope`, at 0 too. Unless the slope is negative, the output tells it as well.
///
/// *Exact*. The slope is rounded to `f32` for `f32`, `f16` and `bf16`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    /// What negative numbers are multiplied by; finite.
    pub slope: f64,
}

parameters!(LeakyRelu { slope: 0.01 in FINITE });

impl Unary for LeakyRelu {
    const FORMULA: &'static str = "x < 0 ? slope·x : x";
    const ULPS: i32 = 1;
    const EXACT: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        // For a slope of zero, any number in place of -∞: else the product were NaN. From a table,
        // because LLVM makes a branch in the loop of an `if`.
        let flat = usize::from(R::value(self.slope) == 0.0);
        let least = [f64::NEG_INFINITY, -1.0][flat];
        let leak = l.mul(l.max(l.splat(R::of(least)), x), l.splat(R::of(self.slope)));
        l.select(l.lt(x, l.splat(R::of(0.0))), leak, x)
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let (zero, slope) = (l.splat(R::of(0.0)), l.splat(R::of(self.slope)));
        l.select(l.lt(zero, x), l.splat(R::of(1.0)), slope)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let slope = R::value(self.slope);
        if slope == 0.0 && x < N::of(f64::MIN) {
            N::of(-slope)
        } else if x < N::of(0.0) {
            N::of(slope) * x
        } else {
            x
        }
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let positive = x > N::of(0.0);
        N::of(if positive { 1.0 } else { R::value(self.slope) })
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.slope >= 0.0
    }
}
