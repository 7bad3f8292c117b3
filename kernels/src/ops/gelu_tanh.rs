use crate::coefficients::{GELU_TANH_1, GELU_TANH_3};
use crate::math::{
    DoubleWord, GELU_TANH_32, GELU_TANH_SLOPE_32, Gate, Grid, OF_GELU_TANH, TINY_PART, gate_32,
    gate_tail, gated, gated_8, gated_derivative, gated_derivative_8, gated_derivative_32,
    gated_derivative_tail, gelu_tanh_64, lifted, product, shut_or_open, tiny_times, unseen_square,
};
use crate::math::{cells_bf16, cells_f16, half_cells};
use crate::prelude::*;

/// [`Gelu`](crate::Gelu) by the approximation with tanh, `x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))` (Hendrycks
/// & Gimpel, 2016), which is `x` times the sigmoid of twice that argument.
///
/// PyTorch and ONNX have it as `approximate="tanh"`, TensorFlow and Keras as `approximate=True`, which is the default
/// in JAX. It is off from [`Gelu`](crate::Gelu) by up to 4.8e-4, at `x = ±2.70`; on the far left the two have no
/// digit in common.
///
/// | x | gelu_tanh(x) |
/// |---|---|
/// | `-∞` | `-0.0` (PyTorch and ONNX Runtime make NaN of it); so is what rounds to it |
/// | `±0` | `x` |
/// | `+∞` | `+∞`; far on the right it is `x` |
/// | NaN | the same NaN |
///
/// Its minimum is -0.17004 at `x = -0.75246`. On `f32`, PyTorch's gelu_tanh of -6.04 is `-0.0`, where
/// `-5.82e-11` is true.
///
/// The derivative is 0 at `-∞`, negative up to `x = -0.75246`, 1/2 at 0, largest, 1.1290, at 1.42, 1 at `+∞`, and for
/// NaN a NaN. The output does not tell it: the function falls before it rises.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`; from half of where it changes its sign to twice
/// that, half an ulp of 1 counts as two (2^-24 on `f32`). `√(2/π)` and
/// `0.044715` are taken to more digits than the dtype has.
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by a table of 8 powers,
/// 2.6 and 1.7 times as fast as by the formula that `portable` has (4,096 elements, standard normal times 2,
/// Zen 5).
/// On `f32`, the bits of the derivative are each backend's own: `avx512` computes by 32 cells and `avx2` by a table of
/// 8 powers.
/// On `f64`, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeluTanh;

parameters!(GeluTanh);

const GATE_32: Gate<6> = Gate {
    cells: &GELU_TANH_32,
    grid: Grid {
        scale: 3.0,
        growth: 0.5,
        limit: 5.543_769_836_425_781,
    },
    first: 0.0,
};

const SLOPE_GRID: Grid = Grid {
    scale: 3.0,
    growth: 0.5,
    limit: 5.539_999_961_853_027,
};

/// From where on 8 entries do not do: v is next to the end of their range.
const LIMIT_8: f64 = 9.9;

/// The same for the derivative, at half of the range.
const DERIVATIVE_LIMIT_8: f64 = 7.5;

/// So small that the derivative there is 1/2.
const LEAST_8: f64 = 1.0 / (1u64 << 40) as f64;

/// v as `argument` says, in the units that make d one number; c keeps its second part.
#[inline(always)]
fn argument_8<X: PieceLane>(x: X) -> DoubleWord<X> {
    let (c, c_low) = (1.594_829_559_326_171_9, 4.172_306_091_732_025e-7);
    let d = x.splat(0.071_312_822_401_523_59);
    cubic(x, (x.splat(c), x.splat(c_low)), (d, None))
}

/// x·v′ = x·(c + 3d·x²).
#[inline(always)]
fn slope<X: PieceLane>(x: X) -> DoubleWord<X> {
    let c = x.splat_pair((-GELU_TANH_1.0, -GELU_TANH_1.1));
    let (d, d_low) = x.splat_pair((-3.0 * GELU_TANH_3.0, -3.0 * GELU_TANH_3.1));
    cubic(x, c, (d, Some(d_low)))
}

/// x·(c + d·x²).
#[inline(always)]
fn cubic<X: PieceLane>(x: X, c: (X, X), d: (X, Option<X>)) -> DoubleWord<X> {
    let ((c, mut c_low), (d, d_low)) = (c, d);
    let z = product(x, x);
    if let Some(d_low) = d_low {
        c_low = d_low.mul_add(z.high, c_low);
    }
    let w = z.high.mul_add(d, c);
    let w_low = z.high.mul_add(d, c - w) + z.low_or_zero().mul_add(d, c_low);
    let v = product(x, w);
    let low = Some(x.mul_add(w_low, v.low_or_zero()));
    DoubleWord { low, ..v }
}

impl Unary for GeluTanh {
    const FORMULA: &'static str = "x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³)))";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    // The factor of the derivative has three roundings of its own.
    const F32_DERIVATIVE: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(LIMIT_8);
    const OPEN: bool = true;
    const NEAR_FROM: f64 = LIMIT_8 * TINY_PART;
    const SUBNORMALS_APART: bool = true;
    const HALF_AT_ONCE: bool = true;
    const GATES: bool = true;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        gated(x, argument(lifted(x)), X::CONSTANTS.range)
    }

    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, y: X) -> X {
        unseen_square(GELU_TANH_1.0 / -4.0, x, y)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (gated_8(x, argument_8(x), &OF_GELU_TANH), None)
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
        let a = x.splat(16.0).min(x.abs());
        shut_or_open(x, gate_tail(a, argument_8(a), &OF_GELU_TANH))
    }

    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        if const { matches!(E::DTYPE, Dtype::F16) } {
            half_cells::gate_down(x, &cells_f16::GELU_TANH)
        } else {
            half_cells::gate_up(x, &cells_bf16::GELU_TANH)
        }
    }

    #[inline(always)]
    fn half_tail<E: Float>(self) -> Option<HalfTail> {
        match E::DTYPE {
            Dtype::F16 => None,
            _ => Some(cells_bf16::GELU_TANH_TAIL),
        }
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        gelu_tanh_64(x)
    }

    // σ(v) + x·v′·σ′(v), where -v′ = c + 3d·x²
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let x = lifted(clamped(x));
        let v = argument(x);
        let (c, _) = x.splat_pair(GELU_TANH_1);
        let d_3 = x.splat(3.0 * GELU_TANH_3.0);
        let minus_g = x * d_3.mul_add(x * x, c);
        gated_derivative(v, DoubleWord::exact(x.splat(0.0) - minus_g))
    }

    const DERIVATIVE_ENTRIES: usize = 8;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            // On the right, it has arrived at 1. No further from 0 than where what the square loses is normal.
            let left = x.splat(-LEAST_8) - x.abs_to(x.splat(DERIVATIVE_LIMIT_8));
            let (v, g) = (argument_8(left), slope(left));
            let y = gated_derivative_8(x, v, g, &OF_GELU_TANH, true);
            (y, Some(x.splat(-DERIVATIVE_LIMIT_8).lt(x)))
        } else {
            gated_derivative_32(x, &GELU_TANH_SLOPE_32, &SLOPE_GRID)
        }
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        let a = x.splat(11.0).min(x.abs());
        gated_derivative_tail(x, argument_8(a), slope(a), &OF_GELU_TANH)
    }

    fn stationary_point(self) -> Option<f64> {
        Some(-0.752_461_415_588_463)
    }
}

/// Where the gate is open or shut on every dtype, and x³ is still finite.
const SATURATED: f64 = 1000.0;

/// x, no further than that.
#[inline(always)]
fn clamped<X: Lane>(x: X) -> X {
    x.splat(SATURATED).min(x.splat(-SATURATED).max(x))
}

/// v = 2·√(2/π)·(x + 0.044715x³) = -x·(c + d·x²), in two words: up to 87 (or 708) of it go into an
/// exponential, where an error of its own last place would be one of 64 (or 512).
#[inline(always)]
fn argument<X: Lane>(x: X) -> DoubleWord<X> {
    let x = clamped(x);
    let (c, c_low) = x.splat_pair(GELU_TANH_1);
    let (d, d_low) = x.splat_pair(GELU_TANH_3);
    let z = product(x, x);
    let Some(z_low) = z.low else {
        return DoubleWord::exact(x * d.mul_add(z.high, c)).zero_minus();
    };
    let w = DoubleWord::exact(c) + product(d, z.high);
    let w_low = d_low.mul_add(z.high, d.mul_add(z_low, c_low)) + w.low_or_zero();
    let v = product(x, w.high);
    let low = Some(x.mul_add(w_low, v.low_or_zero()));
    DoubleWord { low, ..v }.zero_minus()
}

#[cfg(feature = "oracle")]
impl Oracle for GeluTanh {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (v, _) = oracle_argument(x.clone());
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let (v, slope) = oracle_argument(x.clone());
        let one = || N::of(1.0);
        let gate = one() / (one() + (-v.clone()).exp());
        gate * (one() + x * slope / (one() + v.exp()))
    }
}

/// 2·√(2/π)·(x + 0.044715x³), and its derivative.
#[cfg(feature = "oracle")]
fn oracle_argument<N: OracleNumber>(x: N) -> (N, N) {
    let factor = N::of(2.0) * (N::of(2.0) / N::pi()).sqrt();
    let cubic = N::of(44715.0) / N::of(1e6) * x.clone() * x.clone();
    let v = factor.clone() * x * (N::of(1.0) + cubic.clone());
    (v, factor * (N::of(1.0) + N::of(3.0) * cubic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            GeluTanh,
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
            GeluTanh,
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
