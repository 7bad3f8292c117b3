use crate::math::{
    self, DoubleWord, GRADIENT_RANGE_8, TANH_DENSITY, density_8, density_32, density_tail,
    logistic_density,
};
use crate::math::{cells_bf16, cells_f16, half_cells};
use crate::prelude::*;

/// The hyperbolic tangent, `(e^x - e^-x)/(e^x + e^-x)`, in networks the sigmoid that is odd (LeCun, Bottou,
/// Orr & Müller, 1998).
///
/// | x | tanh(x) |
/// |---|---|
/// | `-∞`, `+∞` | -1, 1; so is what rounds to it, beyond about 9.01 on `f32` and 19.06 on `f64` |
/// | `±0`, subnormal | `x` |
/// | NaN | the same NaN |
///
/// Never outside `[-1, 1]`, and `tanh(-x)` is `-tanh(x)` by bits. ONNX Runtime's is wrong in the seventh
/// digit of `tanh(1e-4)`.
///
/// The derivative is `1 - tanh²(x)`, computed as `1/cosh²(x)`: 1 at 0, 0 at `±∞`, and for NaN a NaN. From the
/// output it is `(1 - y)·(1 + y)`: accurate for `y`, so it knows of `x` what `y` does (0 once `y` has become
/// ±1, where from the input it still is `4·e^-2|x|`).
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by 8 cells, 2.3 and 1.6
/// times as fast as by the formula that `portable` has (4,096 elements, standard normal times 2, Zen 5).
/// On `f32`, the bits of the derivative from the input are each backend's own: `avx512` computes by 32 cells and `avx2`
/// by a table of 8 powers.
/// On `f64`, `avx512` and `avx2` compute by a table of tanh: their bits are the same, and not those of `portable`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tanh;

parameters!(Tanh);

impl Unary for Tanh {
    const FORMULA: &'static str = "tanh x";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    // Below, tanh x is x.
    const NEAR_FROM: f64 = 1.0 / (1 << 20) as f64;
    const SUBNORMALS_APART: bool = true;
    const HALF_AT_ONCE: bool = true;
    const FROM_OUTPUT: FromOutput = FromOutput::ByItself;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        math::tanh(x)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        (math::tanh_in_cells(x), None)
    }

    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        if const { matches!(E::DTYPE, Dtype::F16) } {
            half_cells::tanh(x, &cells_f16::TANH)
        } else {
            half_cells::tanh(x, &cells_bf16::TANH)
        }
    }

    const BY_TABLES: ByTables = ByTables::Gathering;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        math::tanh_64(x)
    }

    // 1/cosh² x = 4σ′(2x)
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        logistic_density(4.0, DoubleWord::exact(x + x))
    }

    const DERIVATIVE_ENTRIES: usize = 8;
    const NEAR_DERIVATIVE_BELOW: Option<f64> = Some(GRADIENT_RANGE_8 / 2.0);

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (density_8(4.0, x + x), None)
        } else {
            density_32(x, &TANH_DENSITY)
        }
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        let a = x.abs();
        density_tail(x.splat(4.0), DoubleWord::exact(a + a))
    }

    // (1 - y)(1 + y)
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        let one = y.splat(1.0);
        (one - y) * (one + y)
    }
}

#[cfg(feature = "oracle")]
impl Oracle for Tanh {
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        x.tanh()
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let d = N::of(2.0) / (x.clone().exp() + (-x).exp());
        d.clone() * d
    }

    fn derivative_from_output_oracle<P: Precision, N: OracleNumber>(self, y: N) -> N {
        (N::of(1.0) - y.clone()) * (N::of(1.0) + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            Tanh,
            &[
                (-INF, -1.0),
                (-1024.0, -1.0),
                (-0.0, -0.0),
                (0.0, 0.0),
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
            Tanh,
            &[
                (-INF, 0.0),
                (-1024.0, 0.0),
                (-0.0, 1.0),
                (0.0, 1.0),
                (1024.0, 0.0),
                (INF, 0.0),
            ],
        );
    }
}
