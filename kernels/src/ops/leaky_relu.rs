use crate::prelude::*;

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
/// *Exact*. The slope is any finite number, and is rounded to a finite `f32` for `f32`, `f16` and `bf16`.
///
/// ```
/// use halfwave::LeakyRelu;
///
/// assert_eq!(LeakyRelu::new(0.2)?.slope(), 0.2);
/// assert!(LeakyRelu::new(f64::NAN).is_err());
/// # Ok::<(), halfwave::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyRelu {
    slope: f64,
}

parameters!(LeakyRelu { slope: 0.01 in FINITE });

impl LeakyRelu {
    /// What negative numbers are multiplied by; finite, default 0.01.
    pub const fn slope(self) -> f64 {
        self.slope
    }

    /// [`new`](LeakyRelu::new) for code that has a slope from elsewhere: made of parameters that were
    /// checked, or an element of a slice, which may be infinite or NaN.
    #[doc(hidden)]
    #[inline(always)]
    pub const fn unchecked(slope: f64) -> Self {
        Self { slope }
    }
}

impl Unary for LeakyRelu {
    const FORMULA: &'static str = "x < 0 ? slope·x : x";
    const ON_HALF: OnHalf = OnHalf::Once;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        // For a slope of zero, any number in place of -∞: else the product were NaN. From a table,
        // because LLVM makes a branch in the loop of an `if`.
        let flat = usize::from(X::Precision::value(self.slope) == 0.0);
        let least = [f64::NEG_INFINITY, -1.0][flat];
        let leak = x.splat(least).max(x) * x.parameter(self.slope);
        x.lt(x.splat(0.0)).select(leak, x)
    }

    // The same, and a branch: with the conversions around it, that costs less than the maximum.
    #[inline(always)]
    fn forward_half<X: Lane>(self, x: X) -> X {
        if X::Precision::value(self.slope) == 0.0 {
            return self.forward(x);
        }
        let leak = x * x.parameter(self.slope);
        x.lt(x.splat(0.0)).select(leak, x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, slope) = (x.splat(0.0), x.parameter(self.slope));
        zero.lt(x).select(x.splat(1.0), slope)
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.slope >= 0.0
    }
}

#[cfg(feature = "oracle")]
impl Oracle for LeakyRelu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let slope = P::value(self.slope);
        if slope == 0.0 && x < N::of(f64::MIN) {
            N::of(-slope)
        } else if x < N::of(0.0) {
            N::of(slope) * x
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let positive = x > N::of(0.0);
        N::of(if positive { 1.0 } else { P::value(self.slope) })
    }
}
