use crate::math::{
    DoubleWord, GATE_RANGE_64, GRADIENT_RANGE_8, NATURAL, RANGE_8, SIGMOID_DENSITY, density_8,
    density_32, density_tail, gate_tail, logistic, logistic_8, logistic_density, sigmoid_32,
    sigmoid_64, sigmoid_near_64,
};
use crate::math::{cells_bf16, cells_f16, half_cells};
use crate::prelude::*;

/// The logistic function, `1/(1 + e^-x)` (Verhulst, 1845; in networks since Rumelhart, Hinton & Williams,
/// 1986).
///
/// | x | sigmoid(x) |
/// |---|---|
/// | `-∞` | `+0`; so is what rounds to it, below about -104 on `f32` and -745 on `f64` |
/// | `±0`, subnormal | 0.5 |
/// | `+∞` | 1; so is what rounds to it, above about 17.3 on `f32` and 37.4 on `f64` |
/// | NaN | the same NaN |
///
/// Never outside `[0, 1]`. On `f32`, PyTorch's sigmoid of -90 and ONNX Runtime's of -20 are 0, where
/// `8.19e-40` and `2.06e-9` are true.
///
/// The derivative is `e^-|x|/(1 + e^-|x|)²`: 1/4 at 0, 0 at `±∞`, and for NaN a NaN. From the output it is
/// `y·(1 - y)`: accurate for `y`, so it knows of `x` what `y` does (0 once `y` has become 1, where from the
/// input it still is `e^-x`).
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by a table of 8 powers,
/// 1.5 and 1.1 times as fast as by the formula that `portable` has (4,096 elements, standard normal times 2,
/// Zen 5).
/// On `f32`, the bits of the derivative from the input are each backend's own: `avx512` computes by 32 cells and `avx2`
/// by a table of 8 powers.
/// On `f64`, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmoid;

parameters!(Sigmoid);

impl Unary for Sigmoid {
    const FORMULA: &'static str = "1/(1 + e^-x)";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(RANGE_8);
    const HALF_AT_ONCE: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;
    const GATES: bool = true;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        logistic(DoubleWord::exact(x))
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (logistic_8(x), None)
        } else {
            sigmoid_32(x)
        }
    }

    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        let (zero, one) = (x.splat(0.0), x.splat(1.0));
        let left = gate_tail(one, DoubleWord::exact(x.abs()), &NATURAL);
        x.lt(zero).select(left, one)
    }

    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        if const { matches!(E::DTYPE, Dtype::F16) } {
            half_cells::sigmoid(x, &cells_f16::SIGMOID)
        } else {
            half_cells::sigmoid(x, &cells_bf16::SIGMOID)
        }
    }

    #[inline(always)]
    fn half_tail<E: Float>(self) -> Option<HalfTail> {
        match E::DTYPE {
            Dtype::F16 => Some(cells_f16::SIGMOID_TAIL),
            _ => Some(cells_bf16::SIGMOID_TAIL),
        }
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        sigmoid_64(x)
    }

    const TABLE_RANGE: Option<(f64, f64)> = Some((0.0, GATE_RANGE_64));

    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        sigmoid_near_64(x)
    }

    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        logistic_density(1.0, DoubleWord::exact(x))
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Some(GRADIENT_RANGE_8);

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (density_8(1.0, x), None)
        } else {
            density_32(x, &SIGMOID_DENSITY)
        }
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        density_tail(x.splat(1.0), DoubleWord::exact(x.abs()))
    }

    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        y * (y.splat(1.0) - y)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Sigmoid {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        N::of(1.0) / (N::of(1.0) + (-x).exp())
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        N::of(1.0) / ((N::of(1.0) + (-x.clone()).exp()) * (N::of(1.0) + x.exp()))
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        y.clone() * (N::of(1.0) - y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Sigmoid,
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 0.5),
                (0.0, 0.5),
                (1024.0, 1.0),
                (INF, 1.0),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            Sigmoid,
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 0.25),
                (0.0, 0.25),
                (1024.0, 0.0),
                (INF, 0.0),
            ],
        );
    }
}
