use crate::math::{
    DoubleWord, GATE_RANGE_64, Gate, Grid, HALF_RANGE_8, NATURAL, NATURAL_64, RANGE_8, SILU_32,
    SILU_SLOPE_32, TINY_64, TINY_PART, gate_32, gate_tail, gated, gated_8, gated_64,
    gated_derivative, gated_derivative_8, gated_derivative_32, gated_derivative_tail,
    gated_near_64, lifted, shut_or_open, times, tiny_times, unseen_square,
};
use crate::math::{cells_bf16, cells_f16, half_cells};
use crate::prelude::*;

/// The input gated by its own sigmoid, `x·sigmoid(beta·x)` (Elfwing, Uchibe & Doya, 2018), also called swish
/// (Ramachandran, Zoph & Le, 2017).
///
/// The default `beta`, 1, is TensorFlow's, and ONNX's for `Swish`, where it is called `alpha`; PyTorch, Keras
/// and JAX have no other.
///
/// | x | silu(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.2785 at `x = -1.2785`, both divided by `beta`. On `f32`, PyTorch's silu of -90 is `-0.0`,
/// where `-7.4e-38` is true. `beta` is any number from -1e30 to 1e30: with a negative one left and
/// right change places (`+∞` gives `+0`, and `-∞` itself), and with 0 it is `x/2`, at infinity too.
///
/// The derivative is `s + beta·x·s·(1 - s)` with `s = sigmoid(beta·x)`: 0 at `-∞`, negative up to `x = -1.2785/beta`,
/// 1/2 at 0, largest, 1.0998, at `2.3994/beta`, 1 at `+∞`, and for NaN a NaN. The output does not tell it: the function
/// falls before it rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`). `beta` is rounded to `f32` for
/// `f32`, `f16` and `bf16`.
///
/// On `f32` with a `beta` of 1 the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by a
/// table of 8 powers, 1.8 and 1.4 times as fast as by the formula that `portable` has (4,096 elements,
/// standard normal times 2, Zen 5).
/// On `f32` with a `beta` of 1, the bits of the derivative are each backend's own: `avx512` computes by 32 cells and
/// `avx2` by a table of 8 powers.
/// On `f64` with a `beta` of 1, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
///
/// ```
/// use halfwave::Silu;
///
/// assert!(Silu::new(1.702).is_ok());
/// let error = Silu::new(f64::INFINITY).unwrap_err().to_string();
/// assert!(error.starts_with("beta is inf; it must be "));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silu {
    beta: f64,
}

parameters!(Silu { beta: 1.0 in MODERATE });

impl Silu {
    /// β: how sharply the gate opens; finite, default 1.
    pub fn beta(self) -> f64 {
        self.beta
    }
}

/// For a beta of 1.
const GATE_32: Gate<5> = Gate {
    cells: &SILU_32,
    grid: Grid {
        scale: 1.904_999_971_389_770_5,
        growth: 0.0,
        limit: 16.796_850_204_467_773,
    },
    first: -0.001_737_989_136_017_859,
};

/// For a beta of 1.
const SLOPE_GRID: Grid = Grid {
    scale: 1.575_999_975_204_467_8,
    growth: 0.0,
    limit: 20.299_999_237_060_547,
};

impl Unary for Silu {
    const FORMULA: &'static str = "x·sigmoid(beta·x)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(RANGE_8);
    const OPEN: bool = true;
    const NEAR_FROM: f64 = RANGE_8 * TINY_PART;
    const SUBNORMALS_APART: bool = true;
    const HALF_AT_ONCE: bool = true;
    const GATES: bool = true;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        // The gate is half open at infinity too.
        if X::Precision::value(self.beta) == 0.0 {
            return x * x.splat(0.5);
        }
        if self.beta == 1.0 {
            return gated(x, DoubleWord::exact(x), X::CONSTANTS.range);
        }
        gated(x, times(self.beta, x), X::CONSTANTS.settled)
    }

    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, y: X) -> X {
        unseen_square(X::Precision::value(self.beta) / 4.0, x, y)
    }

    #[inline(always)]
    fn in_pieces(self) -> bool {
        self.beta == 1.0
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (gated_8(x, DoubleWord::exact(x), &NATURAL), None)
        } else {
            gate_32(x, &GATE_32)
        }
    }

    #[inline(always)]
    fn tiny<X: PieceLane>(self, x: X) -> X {
        tiny_times(x, 0.5)
    }

    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        let a = x.abs();
        shut_or_open(
            x,
            gate_tail(x.splat(128.0).min(a), DoubleWord::exact(a), &NATURAL),
        )
    }

    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        if const { matches!(E::DTYPE, Dtype::F16) } {
            half_cells::gate_up(x, &cells_f16::SILU)
        } else {
            half_cells::gate_up(x, &cells_bf16::SILU)
        }
    }

    #[inline(always)]
    fn half_tail<E: Float>(self) -> Option<HalfTail> {
        match E::DTYPE {
            Dtype::F16 => Some(cells_f16::SILU_TAIL),
            _ => Some(cells_bf16::SILU_TAIL),
        }
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        gated_64(x, 1.0, &NATURAL_64)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((TINY_64, GATE_RANGE_64));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        gated_near_64(x, &NATURAL_64)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        if X::Precision::value(self.beta) == 0.0 {
            return x.splat(0.5).or_nan_of(x);
        }
        if self.beta == 1.0 {
            let v = DoubleWord::exact(x);
            return gated_derivative(v, v);
        }
        let v = times(self.beta, x);
        gated_derivative(v, v)
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Some(HALF_RANGE_8);

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            let v = DoubleWord::exact(x.splat(-0.0) - lifted(x.abs()));
            (gated_derivative_8(x, v, v, &NATURAL, false), None)
        } else {
            gated_derivative_32(x, &SILU_SLOPE_32, &SLOPE_GRID)
        }
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        let a = DoubleWord::exact(x.splat(128.0).min(x.abs()));
        gated_derivative_tail(x, a, a, &NATURAL)
    }

    fn stationary_point(self) -> Option<f64> {
        Some(-1.278_464_542_761_074 / self.beta)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Silu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let v = x.clone() * N::of(P::value(self.beta));
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let v = x * N::of(P::value(self.beta));
        let one = || N::of(1.0);
        let gate = one() / (one() + (-v.clone()).exp());
        gate * (one() + v.clone() / (one() + v.exp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Silu::default(),
            &[
                (-INF, -0.0),
                (-1024.0, -0.0),
                (-0.0, -0.0),
                (0.0, 0.0),
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
            Silu::default(),
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
    fn positive_betas() {
        for beta in [2.0, 4.0, 1e30] {
            outputs(
                Silu::new(beta).unwrap(),
                &[
                    (-INF, -0.0),
                    (-1024.0, -0.0),
                    (-0.0, -0.0),
                    (0.0, 0.0),
                    (1024.0, 1024.0),
                    (INF, INF),
                    (NAN, NAN),
                    (-NAN, -NAN),
                ],
            );
            derivatives(
                Silu::new(beta).unwrap(),
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
    fn negative_betas() {
        for beta in [-1.0, -2.0, -1e30] {
            outputs(
                Silu::new(beta).unwrap(),
                &[
                    (-INF, -INF),
                    (-1024.0, -1024.0),
                    (-0.0, -0.0),
                    (0.0, 0.0),
                    (1024.0, 0.0),
                    (INF, 0.0),
                    (NAN, NAN),
                    (-NAN, -NAN),
                ],
            );
            derivatives(
                Silu::new(beta).unwrap(),
                &[
                    (-INF, 1.0),
                    (-1024.0, 1.0),
                    (-0.0, 0.5),
                    (0.0, 0.5),
                    (1024.0, 0.0),
                    (INF, 0.0),
                ],
            );
        }
    }

    #[test]
    fn a_beta_of_zero_halves() {
        for beta in [0.0, -0.0] {
            outputs(
                Silu::new(beta).unwrap(),
                &[
                    (-INF, -INF),
                    (-4.0, -2.0),
                    (-0.0, -0.0),
                    (0.0, 0.0),
                    (3.0, 1.5),
                    (INF, INF),
                    (NAN, NAN),
                    (-NAN, -NAN),
                ],
            );
            derivatives(
                Silu::new(beta).unwrap(),
                &[
                    (-INF, 0.5),
                    (-4.0, 0.5),
                    (-0.0, 0.5),
                    (0.0, 0.5),
                    (3.0, 0.5),
                    (INF, 0.5),
                ],
            );
        }
    }

    #[test]
    fn parameters_that_cannot_be_meant_are_refused() {
        for value in [1e39, -1e39, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert!(Silu::new(value).is_err(), "{value}");
        }
    }
}
