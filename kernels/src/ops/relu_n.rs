use crate::ops::Clip;
use crate::prelude::*;

/// The rectifier with a ceiling of choice: `relu_n(x) = x < 0 ? 0 : x > ceiling ? ceiling : x`. It is
/// [`Clip`] from 0 to `ceiling`, and with a `ceiling` of 6 [`Relu6`](crate::Relu6).
///
/// Keras has it as `ReLU(max_value=ceiling)`. PACT (Choi et al., 2018, "PACT: Parameterized Clipping
/// Activation for Quantized Neural Networks") learns the ceiling.
///
/// | x | relu_n(x) |
/// |---|---|
/// | `x < 0`, `-∞` | `+0` |
/// | `0 ≤ x ≤ ceiling`, `-0.0` | `x` |
/// | `x > ceiling`, `+∞` | `ceiling` |
/// | NaN | the same NaN |
///
/// `ceiling`, 1 by default, is any positive finite number. On an integer dtype it is rounded down, and
/// saturates. One that is an integer beyond 2^53 is exact there, if [`ReluN::exact`] is given it or it is
/// parsed; a float dtype takes the nearest `f64`. For `f32`, `f16` and `bf16` it is rounded to a finite
/// `f32`, which may be 0.
///
/// The derivative is 1 between 0 and `ceiling` and for NaN, and 0 elsewhere, at 0 and `ceiling` too. The
/// output tells it as well, unless `f16` or `bf16` round the ceiling down. The derivative by the ceiling is
/// 1 from the ceiling on and 0 below: the ceiling's gradient is the sum of `dy` over `x ≥ ceiling`.
///
/// *Exact*, on every dtype: `f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64`.
///
/// ```
/// use halfwave::{Activation, ReluN};
///
/// let op = ReluN::new(2.0)?;
/// let (x, dy) = ([-1.0f32, 0.5, 2.0, 9.0], [1.0, 10.0, 100.0, 1000.0]);
/// assert_eq!(op.apply_to_vec(&x), [0.0, 0.5, 2.0, 2.0]);
/// let mut dx = [0.0; 4];
/// op.backward(&x, &dy, &mut dx);
/// assert_eq!(dx, [0.0, 10.0, 0.0, 0.0]);
/// let above = x.iter().zip(dy).filter(|(x, _)| **x >= 2.0);
/// assert_eq!(above.map(|(_, dy)| dy).sum::<f32>(), 1100.0);   // the ceiling's gradient
/// assert!(ReluN::new(0.0).is_err());
/// # Ok::<(), halfwave::ParameterError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReluN {
    ceiling: Number,
}

parameters!(ReluN { ceiling: 1.0 in ABOVE_ZERO } exact);

impl ReluN {
    /// Checks the parameter.
    ///
    /// # Errors
    /// If it is not positive, or not finite.
    pub const fn new(ceiling: f64) -> Result<Self, ParameterError> {
        Self::of(Number::new(ceiling))
    }

    /// [`new`](ReluN::new), where the ceiling may be an integer, which is kept to the last digit: what an
    /// `i64` or `u64` holds need not be an `f64`.
    ///
    /// ```
    /// use halfwave::{Activation, ReluN};
    ///
    /// let op = ReluN::exact(9007199254740993i64)?;             // 2^53 + 1, which f64 does not have
    /// assert_eq!(op.eval(i64::MAX), 9007199254740993);
    /// assert_eq!(op.ceiling(), 9007199254740992.0);            // the nearest f64
    /// # Ok::<(), halfwave::ParameterError>(())
    /// ```
    ///
    /// # Errors
    /// If it is not positive, or not finite.
    pub fn exact(ceiling: impl Into<Number>) -> Result<Self, ParameterError> {
        Self::of(ceiling.into())
    }

    const fn of(ceiling: Number) -> Result<Self, ParameterError> {
        checked(Self { ceiling }, &[ceiling.to_f64()], &[])
    }

    /// The largest result, as the nearest `f64`; positive and finite, default 1.
    pub const fn ceiling(self) -> f64 {
        self.ceiling.to_f64()
    }

    /// The clip that this is.
    #[inline(always)]
    const fn clip(self) -> Clip {
        Clip::unchecked(Number::new(0.0), self.ceiling)
    }
}

impl Unary for ReluN {
    const FORMULA: &'static str = "min(max(x, 0), ceiling)";
    const ON_HALF: OnHalf = Clip::ON_HALF;
    const FROM_OUTPUT: FromOutput = Clip::FROM_OUTPUT;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        self.clip().forward(x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        self.clip().derivative(x)
    }

    fn output_suffices<E: Float>(self) -> bool {
        self.clip().output_suffices::<E>()
    }
}

impl UnaryInt for ReluN {
    #[inline(always)]
    fn forward_int<X: IntLane>(self, x: X) -> X {
        self.clip().forward_int(x)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for ReluN {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (zero, ceiling) = (N::of(0.0), N::of(P::value(self.ceiling())));
        if x < zero {
            zero
        } else if x > ceiling {
            ceiling
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let flat = x <= N::of(0.0) || x >= N::of(P::value(self.ceiling()));
        N::of(if flat { 0.0 } else { 1.0 })
    }

    fn int_oracle(self, x: i128) -> i128 {
        let (ceiling, _) = self.ceiling.floor_and_ceil();
        x.clamp(0, ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            ReluN::default(),
            &[
                (-INF, 0.0),
                (-2.0, 0.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (0.5, 0.5),
                (1.0, 1.0),
                (1.5, 1.0),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        let three = ReluN::new(3.0).unwrap();
        outputs(three, &[(-0.0, -0.0), (1.5, 1.5), (3.5, 3.0), (INF, 3.0)]);
    }

    #[test]
    fn the_derivative_at_the_kinks() {
        derivatives(
            ReluN::default(),
            &[
                (-INF, 0.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (0.5, 1.0),
                (1.0, 0.0),
                (1.5, 0.0),
                (INF, 0.0),
                (NAN, 1.0),
            ],
        );
    }

    #[test]
    fn the_ceiling_is_checked() {
        for wrong in [-1.0, -0.0, 0.0, INF, NAN] {
            assert!(ReluN::new(wrong).is_err(), "{wrong}");
        }
        assert!(ReluN::new(f64::MAX).is_ok());
        assert_eq!(ReluN::exact(1u64), Ok(ReluN::default()));
    }
}
