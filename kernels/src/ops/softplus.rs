use crate::math::{
    DoubleWord, SOFTPLUS_RANGE_64, exp_precise, exp_times, log1p_exp, logistic, one_minus_exp,
    reciprocal, softplus_8, softplus_32, softplus_64, softplus_near_64, softplus_tail, times,
};
use crate::ops::Sigmoid;
use crate::prelude::*;

/// A smooth relu, `log1p(e^(beta·x))/beta` (Dugas, Bengio, Bélisle, Nadeau & Garcia, 2001). The larger
/// `beta`, the nearer to relu.
///
/// The default `beta`, 1, is PyTorch's; ONNX, Keras and JAX have no other. PyTorch has a second parameter,
/// `threshold`: where `beta·x` is above it, 20 by default, it gives `x`. Here there is none, as the
/// formula is computed exactly everywhere. (On `f32` and with these defaults, what is left out there is below
/// half an ulp; on `f64` it is not.)
///
/// | x | softplus(x) |
/// |---|---|
/// | `-∞` | `+0`; so is what rounds to it, with `beta` 1 below about -104 on `f32` and -745 on `f64` |
/// | `±0` | `ln 2/beta` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// `beta` is from 1e-30 to 1e30.
///
/// The derivative is `sigmoid(beta·x)`: 0 at `-∞`, 1/2 at 0, 1 at `+∞`, and for NaN a NaN. From the output it
/// is `1 - e^(-beta·y)`; on the left, where `y` is small, that loses nothing. On `f16` the output does not tell it
/// with a `beta` below 2.5e-4 or from 512 on: too many outputs are infinite or zero.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`. `beta` is rounded to `f32` for `f32`, `f16` and `bf16`.
///
/// On `f32` with a `beta` of 1 the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by a
/// table of 8 powers and 8 cells. So are those of the
/// derivative from the input, which is computed as [`Sigmoid`](crate::Sigmoid).
/// On `f64` with a `beta` of 1, `avx512` computes by a table of 16 powers and one of 16 logarithms: its bits are not those
/// of the other backends.
///
/// ```
/// use halfwave::Softplus;
///
/// assert!(Softplus::new(4.0).is_ok());
/// let error = Softplus::new(0.0).unwrap_err().to_string();
/// assert!(error.starts_with("beta is 0; it must be from 1e-30"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softplus {
    beta: f64,
}

parameters!(Softplus { beta: 1.0 in POSITIVE });

impl Softplus {
    /// β: how sharply it bends; positive, default 1.
    pub fn beta(self) -> f64 {
        self.beta
    }
}

/// max(x, 0) + log1p(e<sup>−|v|</sup>)/β with v = β·x, for a β that is not 1 if there is one.
#[inline(always)]
fn forward<X: Lane>(x: X, v: DoubleWord<X>, beta: Option<DoubleWord<X>>) -> X {
    let zero = x.splat(0.0);
    // A logarithm that is nearly subnormal has lost bits, and they count where it is divided by a small β: so with a β
    // the other way begins sooner.
    let range = match beta {
        None => X::CONSTANTS.range,
        Some(_) => X::CONSTANTS.settled,
    };
    let beyond = x.splat(range).lt(v.high.abs());
    let mut log = log1p_exp(exp_precise(v.lifted_unless(beyond).minus_abs()));
    if let Some(beta) = beta {
        log = (log / beta).double_word();
    }
    let y = (DoubleWord::exact(zero.max(x)) + log).rounded();
    let y = y.or_nan_of(x);
    if !beyond.any() {
        return y;
    }
    let right = zero.lt(x);
    let factor = match beta {
        None => DoubleWord::exact(x.splat(1.0)),
        Some(beta) => reciprocal(beta).double_word(),
    };
    let far = exp_times(factor, v.minus_abs().unless(right));
    beyond.select(right.select(x, far), y)
}

impl Unary for Softplus {
    const FORMULA: &'static str = "log1p(e^(beta·x))/beta";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(60.0);
    const OPEN: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        if self.beta == 1.0 {
            return forward(x, DoubleWord::exact(x), None);
        }
        let beta = DoubleWord::exact(x.parameter(self.beta));
        forward(x, times(self.beta, x), Some(beta))
    }

    #[inline(always)]
    fn in_pieces(self) -> bool {
        self.beta == 1.0
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (softplus_8(x), None)
        } else {
            softplus_32(x)
        }
    }

    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        softplus_tail(x.splat(1.0), x.abs())
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        softplus_64(x)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((0.0, SOFTPLUS_RANGE_64));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        softplus_near_64(x)
    }

    // σ(βx)
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        if self.beta == 1.0 {
            return logistic(DoubleWord::exact(x));
        }
        logistic(times(self.beta, x))
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Sigmoid::NEAR_DERIVATIVE_BELOW;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        Sigmoid.near(x)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        Sigmoid.far(x)
    }

    // 1 - e^(-βy)
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        one_minus_exp(y.splat(0.0) - y.parameter(self.beta) * y)
    }

    // The outputs from where the derivative is 2^-16 to where it is as good as 1 must be numbers of the
    // dtype. Only f16 has so few exponents that with some β they are not.
    fn output_suffices<E: Float>(self) -> bool {
        let output = |beta_y: f64| E::from_f64(beta_y / self.beta).to_f64();
        output(1.0 / 65_536.0) > 0.0 && output(16.0).is_finite()
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Softplus {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let beta = N::of(P::value(self.beta));
        let log = (-(x.clone() * beta.clone()).abs()).exp().ln_1p() / beta;
        if x > N::of(0.0) { x + log } else { log }
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + (-(x * N::of(P::value(self.beta)))).exp())
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        -(-(y * N::of(P::value(self.beta)))).exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Softplus::default(),
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (1024.0, 1024.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            Softplus::default(),
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1024.0, 1.0),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn other_betas() {
        for beta in [2.0, 4.0, 1e30] {
            outputs(
                Softplus::new(beta).unwrap(),
                &[
                    (-INF, 0.0),
                    (-1024.0, 0.0),
                    (1024.0, 1024.0),
                    (INF, INF),
                    (NAN, NAN),
                    (-NAN, -NAN),
                ],
            );
            derivatives(
                Softplus::new(beta).unwrap(),
                &[
                    (-INF, 0.0),
                    (-1024.0, 0.0),
                    (-0.0, 0.5),
                    (0.0, 0.5),
                    (1024.0, 1.0),
                    (INF, 1.0),
                ],
            );
        }
    }

    #[test]
    fn a_small_beta_is_half_a_line() {
        outputs(
            Softplus::new(2f64.powi(-99)).unwrap(),
            &[(-INF, 0.0), (INF, INF), (NAN, NAN), (-NAN, -NAN)],
        );
        derivatives(
            Softplus::new(2f64.powi(-99)).unwrap(),
            &[
                (-INF, 0.0),
                (-1.0, 0.5),
                (-0.0, 0.5),
                (1.0, 0.5),
                (INF, 1.0),
            ],
        );
    }

    #[test]
    fn parameters_that_cannot_be_meant_are_refused() {
        for value in [0.0, -1.0, 1e-39, 1e39, f64::INFINITY, f64::NAN] {
            assert!(Softplus::new(value).is_err(), "{value}");
        }
    }
}
