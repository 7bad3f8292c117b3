use crate::coefficients::QUICK_GELU;
use crate::math::{
    DoubleWord, GATE_RANGE_64, Gate, Grid, HALF_RANGE_8, NATURAL, OF_QUICK_GELU, QUICK_GELU_32,
    QUICK_GELU_64, QUICK_GELU_SLOPE_32, RANGE_8, TINY_64, TINY_PART, gate_32, gate_tail, gated,
    gated_8, gated_64, gated_derivative, gated_derivative_8, gated_derivative_32,
    gated_derivative_tail, gated_near_64, lifted, product, shut_or_open, tiny_times, unseen_square,
};
use crate::prelude::*;

/// A quick approximation of [`Gelu`](crate::Gelu), `x·sigmoid(1.702·x)` (Hendrycks & Gimpel, 2016).
///
/// CLIP's activation, and ONNX Runtime's `QuickGelu` with its default `alpha`; PyTorch, Keras and JAX have
/// none by that name. It is [`Silu`](crate::Silu) with a `beta` of 1.702, which here is not rounded to `f32`.
/// It is off from [`Gelu`](crate::Gelu) by up to 0.0204, at `x = ±2.27`.
///
/// | x | quick_gelu(x) |
/// |---|---|
/// | `-∞` | `-0.0` (ONNX Runtime makes NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.16361 at `x = -0.75115`. On `f32`, ONNX Runtime's quick_gelu of -10.57 is `-9.4e-7`, where
/// `-1.6e-7` is true.
///
/// The derivative is 0 at `-∞`, negative up to `x = -0.75115`, 1/2 at 0, largest, 1.0998, at 1.41, 1 at `+∞`, and for
/// NaN a NaN. The output does not tell it: the function falls before it rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`).
///
/// On `f32` the bits are each backend's own, and those of the derivative: `avx2` computes both by a table of 8 powers,
/// and `avx512` by 32 cells, 1.6 and 1.9 times as fast as by that table (4,096 elements, standard normal times 2, Xeon).
/// On `f64`, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuickGelu;

parameters!(QuickGelu);

/// 1.702x: the constant is the decimal number, not the nearest of the dtype.
#[inline(always)]
fn argument<X: Lane>(x: X) -> DoubleWord<X> {
    let (factor, factor_low) = x.splat_pair(QUICK_GELU);
    let v = product(factor, x);
    let low = match v.low {
        Some(low) => Some(factor_low.mul_add(x, low)),
        None => None,
    };
    DoubleWord { low, ..v }
}

const GATE_32: Gate<5> = Gate {
    cells: &QUICK_GELU_32,
    grid: Grid {
        scale: 3.400_000_095_367_431_6,
        growth: -0.017_999_999_225_139_618,
        limit: 9.933_578_491_210_938,
    },
    first: -0.025_158_595_293_760_3,
};

const SLOPE_GRID: Grid = Grid {
    scale: 2.683_000_087_738_037,
    growth: 0.0,
    limit: 11.925_999_641_418_457,
};

impl Unary for QuickGelu {
    const FORMULA: &'static str = "x·sigmoid(1.702·x)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(RANGE_8 / 1.703);
    const OPEN: bool = true;
    const NEAR_FROM: f64 = RANGE_8 / 1.703 * TINY_PART;
    const SUBNORMALS_APART: bool = true;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        gated(x, argument(lifted(x)), X::CONSTANTS.range)
    }

    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, y: X) -> X {
        unseen_square(1.702 / 4.0, x, y)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            let y = gated_8(x, DoubleWord::exact(x), &OF_QUICK_GELU);
            (y, Some(x.abs().lt(x.splat(RANGE_8 / 1.703))))
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
        let a = x.splat(128.0).min(x.abs());
        shut_or_open(x, gate_tail(a, argument(a), &NATURAL))
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        gated_64(x, 1.702, &QUICK_GELU_64)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((TINY_64, GATE_RANGE_64 / 1.702));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        gated_near_64(x, &QUICK_GELU_64)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let v = argument(lifted(x));
        gated_derivative(v, v)
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Some(HALF_RANGE_8 / 1.703);

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            let left = x.splat(-0.0) - lifted(x.abs());
            let (v, g) = (DoubleWord::exact(left), argument(left));
            let y = gated_derivative_8(x, v, g, &OF_QUICK_GELU, false);
            (y, Some(x.abs().lt(x.splat(HALF_RANGE_8 / 1.703))))
        } else {
            gated_derivative_32(x, &QUICK_GELU_SLOPE_32, &SLOPE_GRID)
        }
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        let v = argument(x.splat(128.0).min(x.abs()));
        gated_derivative_tail(x, v, v, &NATURAL)
    }

    fn stationary_point(self) -> Option<f64> {
        Some(-0.751_154_255_441_289)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for QuickGelu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let v = x.clone() * N::of(1702.0) / N::of(1000.0);
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let v = x * N::of(1702.0) / N::of(1000.0);
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
            QuickGelu,
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
            QuickGelu,
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
