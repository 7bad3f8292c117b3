//! The elementary functions of [`Big`]: their values, by [`series`](crate::series), and the bounds of
//! their errors.

use astro_float_num::Sign;
use halfwave_kernels::OracleNumber;

use crate::big::{Big, VANISHED, sum};
use crate::float::{ROUND, level, level_of, log2, precision, set_level, to_f64};
use crate::series::{ERFC_ARGUMENTS, EXPONENTS, with_context};

/// What a function's own relative error may be, in ulps of the precision, as a power of two: each
/// does a few hundred operations at most. The tests hold them to it.
const OWN: f64 = 9.0;

/// What comes of an error in the argument, where the derivative is below `2^slope`.
fn propagated(error: f64, slope: f64) -> f64 {
    if error == f64::NEG_INFINITY {
        error
    } else {
        error + slope
    }
}

fn own() -> f64 {
    OWN - precision() as f64
}

impl OracleNumber for Big {
    fn of(x: f64) -> Self {
        Self::exact(x)
    }

    // The reduced argument is as far off as k times ln 2 is.
    fn exp(self) -> Self {
        let value = with_context(|c| c.exp(&self.value));
        let slope = log2(&value);
        let own = own() + self.log2().max(0.0);
        if value.is_zero() {
            let error = VANISHED;
            return Self { value, error };
        }
        Self::computed(value, own, propagated(self.error, slope + 1.0))
    }

    fn exp_m1(self) -> Self {
        let value = with_context(|c| c.exp_m1(&self.value));
        let x = to_f64(&self.value);
        if x < -EXPONENTS {
            // -1, but for a power that has vanished.
            let error = VANISHED;
            return Self { value, error };
        }
        let slope = x * core::f64::consts::LOG2_E + 1.0;
        let own = own() + self.log2().max(0.0);
        Self::computed(value, own, propagated(self.error, slope))
    }

    fn ln_1p(self) -> Self {
        let value = with_context(|c| c.ln_1p(&self.value));
        let above = Self::of(1.0) + self.clone();
        // Of what is infinite for want of exponents, the logarithm need not be.
        if self.error > above.log2() - 1.0 || self.value.is_inf() {
            let error = f64::INFINITY;
            return Self { value, error };
        }
        let slope = 1.0 - above.log2();
        Self::computed(value, own(), propagated(self.error, slope))
    }

    // With a negative argument of `exp_m1`, which goes to -1; where it is nearly that, by the power, of which
    // only so many bits count beside 1.
    fn tanh(self) -> Self {
        let negative = self.value.sign() == Some(Sign::Neg);
        let vanishing = 2.0 * to_f64(&self.value).abs() * core::f64::consts::LOG2_E;
        if vanishing > 100.0 {
            let whole = level();
            set_level(level_of(precision() as f64 - vanishing + 20.0));
            let power = (Self::of(-2.0) * self.abs()).exp();
            set_level(whole);
            let one = || Self::of(1.0);
            let t = one() - Self::of(2.0) * power.clone() / (one() + power);
            return if negative { -t } else { t };
        }
        let m = (Self::of(-2.0) * self.abs()).exp_m1();
        let t = -m.clone() / (m + Self::of(2.0));
        if negative { -t } else { t }
    }

    fn erfc(self) -> Self {
        let value = with_context(|c| c.erfc(&self.value));
        let x = to_f64(&self.value);
        if value.is_zero() || x < -ERFC_ARGUMENTS {
            let error = VANISHED;
            return Self { value, error };
        }
        // The derivative is -2/√π·e^(-x²). Besides, of one less erf, what that is off remains.
        let slope = 2.0 - x * x * core::f64::consts::LOG2_E;
        let from_argument = propagated(self.error, slope);
        let tail = x * x > precision() as f64 * core::f64::consts::LN_2 / 6.0;
        let difference = x > 0.0 && !tail;
        let absolute = if difference { own() } else { f64::NEG_INFINITY };
        let squared = (x * x).log2().max(0.0);
        Self::computed(value, own() + squared, sum(absolute, from_argument))
    }

    fn sqrt(self) -> Self {
        let value = self.value.sqrt(precision(), ROUND);
        let slope = -log2(&value).max(-1e9);
        Self::computed(value, own(), propagated(self.error, slope))
    }

    fn pi() -> Self {
        let value = with_context(|c| c.pi.clone());
        Self::computed(value, own(), f64::NEG_INFINITY)
    }
}

#[cfg(test)]
mod tests;
