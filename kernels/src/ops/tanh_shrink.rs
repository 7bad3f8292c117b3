use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary};
use crate::parameters::parameters;

/// What tanh lacks of its argument: `x - tanh x`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TanhShrink;

parameters!(TanhShrink);

impl Unary for TanhShrink {
    const FORMULA: &'static str = "x - tanh x";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Double;
    const COMPUTE_BOUND: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        math::tanh_shrink::<R, L>(l, x)
    }

    // tanh²
    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        let y = math::tanh::<R, L>(l, x);
        l.mul(y, y)
    }

    // By the continued fraction x/(1 + x²/(3 + x²/(5 + …))) of tanh, where the difference would cancel.
    fn oracle<R: Real, N: Num>(self, x: N) -> N {
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

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let y = x.tanh();
        y.clone() * y
    }
}
