use crate::element::Real;
use crate::lanes::FloatLanes;
use crate::math;
use crate::num::Num;
use crate::ops::{F32Lanes, Unary, nan_of};
use crate::parameters::{MODERATE, parameters};

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
/// ```
/// use halfwave_kernels::Silu;
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
        Some(-1.278_464_542_761_074 / self.beta)
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
