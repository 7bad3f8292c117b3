use crate::prelude::*;

/// Replaces what does not exceed a threshold: `x > threshold ? x : value`, as PyTorch's `Threshold`.
///
/// PyTorch has no defaults; here both are 0, which makes it a relu that returns `+0` for `-0.0`.
///
/// | x | threshold(x) |
/// |---|---|
/// | `x ≤ threshold`, `-∞` | `value` |
/// | `x > threshold`, `+∞` | `x` |
/// | `±0` where the threshold is 0 | `value` |
/// | NaN | the same NaN |
///
/// Either parameter is any number but NaN, and may be infinite.
///
/// The derivative is 0 up to and at the threshold, and 1 beyond and for NaN. The output tells it as
/// well if `value`, rounded to the dtype, does not exceed the threshold.
///
/// *Exact*. Both parameters are rounded to `f32` for `f32`, `f16` and `bf16`, finite ones to a finite one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    threshold: f64,
    value: f64,
}

parameters!(Threshold { threshold: 0.0 in NUMBER, value: 0.0 in NUMBER });

impl Threshold {
    /// What `x` must exceed to be kept; any number but NaN, default 0.
    pub const fn threshold(self) -> f64 {
        self.threshold
    }

    /// What replaces the numbers that do not; any number but NaN, default 0.
    pub const fn value(self) -> f64 {
        self.value
    }
}

impl Unary for Threshold {
    const FORMULA: &'static str = "x > threshold ? x : value";
    const ON_HALF: OnHalf = OnHalf::Select;
    const FROM_OUTPUT: FromOutput = FromOutput::AsFromInput;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let out = x.le(x.parameter(self.threshold));
        out.select(x.parameter(self.value), x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let out = x.le(x.parameter(self.threshold));
        out.select(x.splat(0.0), x.splat(1.0))
    }

    fn output_suffices<E: Float>(self) -> bool {
        E::from_f64(E::parameter(self.value)).to_f64() <= E::parameter(self.threshold)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Threshold {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x <= N::of(P::value(self.threshold)) {
            N::of(P::value(self.value))
        } else {
            x
        }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let low = x <= N::of(P::value(self.threshold));
        N::of(if low { 0.0 } else { 1.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Threshold::new(1.0, -7.0).unwrap(),
            &[
                (-INF, -7.0),
                (-3.0, -7.0),
                (-0.0, -7.0),
                (1.0, -7.0),
                (1.5, 1.5),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
        outputs(Threshold::default(), &[(-0.0, 0.0), (0.0, 0.0), (2.0, 2.0)]);
        let open = Threshold::new(-INF, 3.0).unwrap();
        outputs(open, &[(-INF, 3.0), (-9.0, -9.0), (-0.0, -0.0)]);
        let shut = Threshold::new(INF, -INF).unwrap();
        outputs(shut, &[(INF, -INF), (0.0, -INF), (NAN, NAN)]);
    }

    #[test]
    fn the_derivative_at_the_kink() {
        derivatives(
            Threshold::new(1.0, -7.0).unwrap(),
            &[(-INF, 0.0), (1.0, 0.0), (1.5, 1.0), (INF, 1.0), (NAN, 1.0)],
        );
    }

    #[test]
    fn the_output_suffices_unless_the_value_is_above() {
        let of = |t, v| Threshold::new(t, v).unwrap();
        assert!(of(0.0, 0.0).output_suffices::<f32>() && of(1.0, -7.0).output_suffices::<f32>());
        assert!(!of(1.0, 1.5).output_suffices::<f32>());
        // The f16 nearest to 0.3 is 0.30005.
        let third = of(0.3, 0.3);
        assert!(third.output_suffices::<f32>() && !third.output_suffices::<half::f16>());
    }
}
