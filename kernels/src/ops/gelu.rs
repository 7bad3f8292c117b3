use crate::coefficients::DENSITY_0;
use crate::math::{
    DoubleWord, GELU_32, GELU_SLOPE_32, Gate, Grid, TINY_PART, beyond_range, exp, exp_times,
    gate_32, gated_derivative_32, gelu_8, gelu_64, lifted, mills, normal_slope_tail, normal_tail,
    product, shut_or_open, tiny_times, two_sum, unseen_square,
};
use crate::math::{cells_bf16, cells_f16, half_cells};
use crate::prelude::*;

/// The Gaussian error linear unit: `x·Φ(x) = x/2·erfc(-x/√2)`, with `Φ` the distribution function of the
/// standard normal distribution (Hendrycks & Gimpel, 2016).
///
/// What PyTorch, ONNX, TensorFlow and Keras call gelu, unless told to approximate it. JAX approximates by
/// default: its `gelu` is [`GeluTanh`](crate::GeluTanh), and this one is `gelu(x, approximate=False)`.
///
/// | x | gelu(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞` (NaN in PyTorch); far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.16997 at `x = -0.75179`. On `f32`, PyTorch's and ONNX Runtime's gelu of -6 is 0, where
/// `-5.9e-9` is true, and PyTorch's is infinite above 1.7e38.
///
/// The derivative is `Φ(x) + x·φ(x)`, with `φ` the density: 0 at `-∞`, negative up to `x = -0.75179`, 1/2 at 0,
/// largest, 1.1289, at `√2`, 1 at `+∞`, and for NaN a NaN. The output does not tell it: the function falls before it
/// rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`).
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by 8 cells, 2.8 and 1.9
/// times as fast as by the formula that `portable` has (4,096 elements, standard normal times 2, Zen 5).
/// On `f32`, the derivative on `avx512` is computed by 32 cells: its bits are not those of the other backends.
/// On `f64`, `avx512` and `avx2` compute by a table of Φ: their bits are the same, and not those of `portable`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gelu;

parameters!(Gelu);

/// |x|, or where the tail has vanished if that is nearer.
#[inline(always)]
fn clamped_abs<X: Lane>(x: X) -> X {
    let far_on_f64 = X::CONSTANTS.compensated;
    x.splat(if far_on_f64 { 39.0 } else { 20.0 }).min(x.abs())
}

/// -x²/2, and what it lost.
#[inline(always)]
fn exponent<X: Lane>(x: X) -> DoubleWord<X> {
    let half = x.splat(-0.5);
    let z = product(x, x);
    let low = match z.low {
        Some(low) => Some(half * low),
        None => None,
    };
    DoubleWord {
        high: half * z.high,
        low,
    }
}

const GATE_32: Gate<6> = Gate {
    cells: &GELU_32,
    grid: Grid {
        scale: 3.099_999_904_632_568_4,
        growth: 0.310_000_002_384_185_8,
        limit: 6.323_398_590_087_891,
    },
    first: 0.0,
};

const SLOPE_GRID: Grid = Grid {
    scale: 3.099_999_904_632_568_4,
    growth: 0.310_000_002_384_185_8,
    limit: 6.320_000_171_661_377,
};

impl Unary for Gelu {
    const FORMULA: &'static str = "x·Φ(x) = x/2·erfc(-x/√2)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(8.0);
    const OPEN: bool = true;
    const NEAR_FROM: f64 = 8.0 * TINY_PART;
    const SUBNORMALS_APART: bool = true;
    const HALF_AT_ONCE: bool = true;
    const GATES: bool = true;

    // max(x, 0) - |x|·Φ(-|x|)
    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        let zero = x.splat(0.0);
        let relu = zero.max(x);
        let a = clamped_abs(x);
        let v = exponent(lifted(a));
        let (top, bottom) = mills(a);
        let tail = (exp(v).value() * top * a / bottom).double_word();
        if const { !X::CONSTANTS.compensated } {
            return relu - tail.high;
        }
        let sum = two_sum(relu, zero - tail.high);
        let mut y = sum.high + (sum.low_or_zero() - tail.low_or_zero());
        let beyond = beyond_range(v.high);
        if beyond.any() {
            let m = (top / bottom).double_word();
            let minus_tail = exp_times(m * (zero - a), v);
            y = beyond.select(relu + minus_tail, y);
        }
        // The sums have made +0 of -0.0.
        y.copysign(x).or_nan_of(x)
    }

    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, y: X) -> X {
        unseen_square(DENSITY_0.0, x, y)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (gelu_8(x), None)
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
        shut_or_open(x, normal_tail(x.abs()))
    }

    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        if const { matches!(E::DTYPE, Dtype::F16) } {
            half_cells::gate_down(x, &cells_f16::GELU)
        } else {
            half_cells::gate_up(x, &cells_bf16::GELU)
        }
    }

    #[inline(always)]
    fn half_tail<E: Float>(self) -> Option<HalfTail> {
        match E::DTYPE {
            Dtype::F16 => None,
            _ => Some(cells_bf16::GELU_TAIL),
        }
    }

    const BY_TABLES: ByTables = ByTables::Gathering;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        gelu_64(x)
    }

    // Φ(x) + x·φ(x)
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let a = lifted(clamped_abs(x));
        let (top, bottom) = mills(a);
        let m = (top / bottom).rounded();
        // Φ(-a) - a·φ(a) is the derivative for negative x, and 1 less that for positive.
        let density = x.splat(DENSITY_0.0);
        let tail = density.neg_mul_add(a, m);
        let v = exponent(a);
        let tail = if const { X::CONSTANTS.compensated } {
            exp_times(DoubleWord::exact(tail), v)
        } else {
            tail * exp(v).value().high
        };
        let tail = tail.or_nan_of(x);
        x.lt(zero).select(tail, one - tail)
    }

    const DERIVATIVE_ENTRIES: usize = 32;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        gated_derivative_32(x, &GELU_SLOPE_32, &SLOPE_GRID)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        normal_slope_tail(x)
    }

    fn stationary_point(self) -> Option<f64> {
        Some(-0.751_791_524_693_564_5)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Gelu {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        x.clone() / N::of(2.0) * (-x / N::of(2.0).sqrt()).erfc()
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let two = || N::of(2.0);
        let tail = (-x.clone() / two().sqrt()).erfc() / two();
        let density = (-(x.clone() * x.clone()) / two()).exp() / (two() * N::pi()).sqrt();
        tail + x * density
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Gelu,
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
            Gelu,
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
