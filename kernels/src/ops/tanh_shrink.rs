use crate::math::{
    self, CUBE_LIMIT, squared_tanh_32, squared_tanh_tail, tanh_shrink_8, tanh_shrink_32,
    tanh_shrink_64, tanh_shrink_tail,
};
use crate::prelude::*;

/// What tanh lacks of its argument: `x - tanh(x)`. PyTorch's `Tanhshrink`, and Keras' `tanh_shrink`.
///
/// | x | tanh_shrink(x) |
/// |---|---|
/// | `-∞`, `+∞` | `x` |
/// | `±0` | `x` (PyTorch makes `+0` of `-0.0`) |
/// | small | `x³/3`: subnormal, or a zero of the sign of `x`, where that is |
/// | NaN | the same NaN |
///
/// Next to 0 the difference of the formula cancels; here no digit is lost. PyTorch's is 0 up to where
/// `tanh(x)` is no longer `x`: of `2.2e-4` on `f32`, where `3.64e-12` is true.
///
/// The derivative is `tanh²(x)`: 0 at 0 (and where the square rounds to it), 1 at `±∞`, and for NaN a NaN.
/// The output is not used for it: there is no formula for that.
///
/// At most 1 ulp on `f32` for every input, 1.5 on `f64`; correctly rounded on `f16` and `bf16`. The
/// derivative is at most 2 ulps off on `f32`, 4 on `f64`.
///
/// On `f32` the bits are each backend's own: `avx512` computes by 32 cells and `avx2` by 8. On `avx512` those of the
/// derivative are, too: it computes it by 32 cells.
/// On `f64`, `avx512` computes by a table of 16 powers: its bits are not those of the other backends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TanhShrink;

parameters!(TanhShrink);

impl Unary for TanhShrink {
    const FORMULA: &'static str = "x - tanh x";
    const F32_ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;
    const FORWARD_ENTRIES: usize = 8;
    const NEAR_BELOW: Option<f64> = Some(CUBE_LIMIT * (1u128 << 64) as f64 * (1u128 << 64) as f64);
    const NEAR_FROM: f64 = CUBE_LIMIT;

    #[inline(always)]
    fn forward<X: Lane>(self, x: X) -> X {
        math::tanh_shrink(x)
    }

    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        if const { X::ENTRIES < 32 } {
            (tanh_shrink_8(x), None)
        } else {
            tanh_shrink_32(x)
        }
    }

    #[inline(always)]
    fn tiny<X: PieceLane>(self, x: X) -> X {
        tanh_shrink_tail(x.abs_to(x.splat(1.0))).copysign(x)
    }

    // On 32 entries tiny numbers come here, on 8 those beyond 2^104.
    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        x.abs().lt(x.splat(1.0)).select(self.tiny(x), x)
    }

    // From 19 on, tanh is 1, and a little less.
    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, _y: X) -> X {
        let rest = x.splat(f64::EPSILON).copysign(x);
        x.splat(19.0).lt(x.abs()).select(rest, x.splat(0.0))
    }

    const BY_TABLES: ByTables = ByTables::Scaling;

    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        tanh_shrink_64(x)
    }

    // tanh²
    #[inline(always)]
    fn derivative<X: Lane>(self, x: X) -> X {
        let y = math::tanh(x);
        y * y
    }

    const DERIVATIVE_ENTRIES: usize = 32;

    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        squared_tanh_32(x)
    }

    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        squared_tanh_tail(x.abs())
    }
}

#[cfg(feature = "oracle")]
impl Oracle for TanhShrink {
    // By the continued fraction x/(1 + x²/(3 + x²/(5 + …))) of tanh, where the difference would cancel.
    fn oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        if x.clone().abs() > N::of(1.0) {
            return x.clone() - x.tanh();
        }
        let z = x.clone() * x.clone();
        let mut rest = N::of(0.0);
        for odd in (3..60).rev().filter(|n| n % 2 == 1) {
            rest = z.clone() / (N::of(f64::from(odd)) + rest);
        }
        x * rest.clone() / (N::of(1.0) + rest)
    }

    fn derivative_oracle<P: Precision, N: OracleNumber>(self, x: N) -> N {
        let y = x.tanh();
        y.clone() * y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{INF, NAN, derivatives, outputs};

    #[test]
    fn the_documented_table() {
        outputs(
            TanhShrink,
            &[
                (-INF, -INF),
                (-128.0, -127.0),
                (-64.0, -63.0),
                (-0.0, -0.0),
                (0.0, 0.0),
                (64.0, 63.0),
                (128.0, 127.0),
                (INF, INF),
                (NAN, NAN),
                (-NAN, -NAN),
            ],
        );
    }

    #[test]
    fn the_derivative() {
        derivatives(
            TanhShrink,
            &[
                (-INF, 1.0),
                (-64.0, 1.0),
                (-0.0, 0.0),
                (0.0, 0.0),
                (64.0, 1.0),
                (INF, 1.0),
            ],
        );
    }
}
