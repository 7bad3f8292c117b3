use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary, nan_of};
use crate::parameters::{FINITE_ON_F32, parameters};

/// The input gated by its own sigmoid: `x·sigmoid(βx)`; also called swish (Elfwing, Uchibe & Doya, 2018;
/// Ramachandran, Zoph & Le, 2017).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silu {
    beta: f64,
}

parameters!(Silu { beta: 1.0 in FINITE_ON_F32 });

impl Silu {
    /// β: how sharply the gate opens; finite, default 1.
    pub fn beta(self) -> f64 {
        self.beta
    }
}

impl Unary for Silu {
    const FORMULA: &'static str = "x·sigmoid(beta·x)";
    const ULPS: i32 = 1;
    const F32: F32Lanes = F32Lanes::Fused;
    const COMPUTE_BOUND: bool = true;

    #[inline(always)]
    fn lanes<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        // The gate is half open at infinity too.
        if R::value(self.beta) == 0.0 {
            return l.mul(x, math::constant::<R, L>(l, 0.5));
        }
        math::gated::<R, L>(l, x, math::times::<R, L>(l, self.beta, x))
    }

    #[inline(always)]
    fn derivative<R: Real, L: FloatLanes<R::Lane>>(self, l: L, x: L::V) -> L::V {
        if R::value(self.beta) == 0.0 {
            let half = math::constant::<R, L>(l, 0.5);
            return nan_of::<R, L>(l, x, half);
        }
        let v = math::times::<R, L>(l, self.beta, x);
        math::gated_derivative::<R, L>(l, v, v)
    }

    fn oracle<R: Real, N: Num>(self, x: N) -> N {
        let v = x.clone() * N::of(R::value(self.beta));
        x / (N::of(1.0) + (-v).exp())
    }

    fn derivative_oracle<R: Real, N: Num>(self, x: N) -> N {
        let v = x * N::of(R::value(self.beta));
        let one = || N::of(1.0);
        let gate = one() / (one() + (-v.clone()).exp());
        gate * (one() + v.clone() / (one() + v.exp()))
    }

    fn turn(self) -> Option<f64> {
        Some(-1.278_464_542_761_073_8 / self.beta)
    }
}
