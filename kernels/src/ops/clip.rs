use crate::prelude::*;

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
/// `min`, −1 by default, and `max`, 1 by default, are any numbers but NaN; an infinite bound is none. On an
/// integer dtype the bounds are the integers they enclose: `min` is rounded up, `max` down, and both
/// saturate. Bounds that are integers beyond 2^53 are exact there, if [`Clip::exact`] is given them or
/// they are parsed; a float dtype takes the nearest `f64`, and `f32`, `f16` and `bf16` the nearest `f32` to that,
/// of a finite bound a finite one.
///
/// The derivative is 1 between the bounds and for NaN, and 0 elsewhere, at both bounds too. The output
/// tells it as well, unless `f16` or `bf16` round a bound to a number between the bounds.
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clip {
    min: Number,
    max: Number,
}

parameters!(Clip { min: -1.0 in NUMBER, max: 1.0 in NUMBER } exact);

impl Clip {
    /// Checks the parameters.
    ///
    /// # Errors
    /// If one is NaN.
    pub const fn new(min: f64, max: f64) -> Result<Self, ParameterError> {
        Self::of(Number::new(min), Number::new(max))
    }

    /// [`new`](Clip::new), where bounds may be integers, which are kept to the last digit: what an `i64` or
    /// `u64` holds need not be an `f64`.
    ///
    /// ```
    /// use halfwave::Clip;
    ///
    /// let clip = Clip::exact(i64::MIN, 9007199254740993i64)?;  // 2^53 + 1, which f64 does not have
    /// assert_eq!(clip.max(), 9007199254740992.0);              // the nearest f64
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Errors
    /// If one is NaN.
    pub fn exact(min: impl Into<Number>, max: impl Into<Number>) -> Result<Self, ParameterError> {
        Self::of(min.into(), max.into())
    }

    const fn of(min: Number, max: Number) -> Result<Self, ParameterError> {
        checked(Self { min, max }, &[min.to_f64(), max.to_f64()], &[])
    }

    /// For operations that are a clip, of bounds that they have checked.
    #[inline(always)]
    pub(super) const fn unchecked(min: Number, max: Number) -> Self {
        Self { min, max }
    }

    /// The lower bound, as the nearest `f64`; any number but NaN, default −1.
    pub const fn min(self) -> f64 {
        self.min.to_f64()
    }

    /// The upper bound, as the nearest `f64`; any number but NaN, default 1.
    pub const fn max(self) -> f64 {
        self.max.to_f64()
    }
}

impl Unary for Clip {
    const FORMULA: &'static str = "min(max(x, min), max)";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        x.parameter(self.max()).min(x.parameter(self.min()).max(x))
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let up_to_max = x.parameter(self.max()).le(x).select(zero, one);
        x.le(x.parameter(self.min())).select(zero, up_to_max)
    }

    fn output_suffices<E: Float>(self) -> bool {
        let (held, used) = (|x| E::from_f64(E::parameter(x)).to_f64(), E::parameter);
        held(self.min()) <= used(self.min()) && used(self.max()) <= held(self.max())
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Clip {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (min, max) = (N::of(P::value(self.min())), N::of(P::value(self.max())));
        let raised = if x < min { min } else { x };
        if raised > max { max } else { raised }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (min, max) = (N::of(P::value(self.min())), N::of(P::value(self.max())));
        N::of(if x <= min || x >= max { 0.0 } else { 1.0 })
    }

    fn int_oracle(self, x: i128) -> i128 {
        let ((_, min), (max, _)) = (self.min.floor_and_ceil(), self.max.floor_and_ceil());
        x.max(min).min(max)
    }
}

impl UnaryInt for Clip {
    #[inline(always)]
    fn forward_int<X: IntLane>(self, x: X) -> X {
        let raised = x.splat(X::Int::ceil(self.min)).max(x);
        x.splat(X::Int::floor(self.max)).min(raised)
    }
}
