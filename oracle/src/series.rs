//! The elementary functions, on the arithmetic of [`astro_float_num`].
//!
//! That has `exp`, `ln` and `tanh` itself, but takes 30 to 50 µs for each, and has neither `expm1`
//! nor `log1p` nor `erfc`. These here take a tenth, and keep the relative error small near zero.

use core::cell::RefCell;

use astro_float_num::{BigFloat, Consts};

use crate::float::{PRECISIONS, ROUND, fraction, from_f64, level, log2, scaled, to_f64};

/// The largest argument of `e^x`: on targets of 32 bits, exponents have no more than 29.
pub(crate) const EXPONENTS: f64 = 3e8;

/// The largest argument of `erfc`, for `e^(-x²)`.
pub(crate) const ERFC_ARGUMENTS: f64 = 3e4;

/// Constants and coefficients at one precision.
pub(crate) struct Context {
    precision: usize,
    ln2: BigFloat,
    pub(crate) pi: BigFloat,
    /// `1/n!`
    factorials: Vec<BigFloat>,
    /// `2^n/(2n + 1)!!`
    odd_factorials: Vec<BigFloat>,
}

thread_local! {
    static CONTEXTS: [RefCell<Context>; PRECISIONS.len()] =
        PRECISIONS.map(|precision| RefCell::new(Context::new(precision)));
}

/// Computes `f` at the precision of now.
pub(crate) fn with_context<T>(f: impl FnOnce(&mut Context) -> T) -> T {
    CONTEXTS.with(|contexts| f(&mut contexts[level()].borrow_mut()))
}

impl Context {
    fn new(precision: usize) -> Self {
        let mut constants = Consts::new().expect("memory for constants");
        let one = BigFloat::from_f64(1.0, precision);
        Self {
            precision,
            ln2: constants.ln_2(precision, ROUND),
            pi: constants.pi(precision, ROUND),
            factorials: vec![one.clone()],
            odd_factorials: vec![one],
        }
    }

    fn of(&self, x: f64) -> BigFloat {
        from_f64(x, self.precision)
    }

    fn add(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.add(b, self.precision, ROUND)
    }

    fn sub(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.sub(b, self.precision, ROUND)
    }

    fn mul(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.mul(b, self.precision, ROUND)
    }

    fn div(&self, a: &BigFloat, b: &BigFloat) -> BigFloat {
        a.div(b, self.precision, ROUND)
    }

    /// `Σ c[n] xⁿ` from `first` to `last`, over `x^first`, by Horner's rule.
    fn polynomial(&self, c: &[BigFloat], x: &BigFloat) -> BigFloat {
        let (last, rest) = c.split_last().expect("a coefficient");
        let step = |sum: BigFloat, c: &BigFloat| self.add(&self.mul(&sum, x), c);
        rest.iter().rev().fold(last.clone(), step)
    }

    /// `e^x - 1` for `|x| < 1/2`, with a small relative error: by Taylor's series at `x/2^s`, and
    /// `s` times by `e^2y - 1 = (e^y - 1)(2 + (e^y - 1))`.
    fn exp_m1_near_zero(&mut self, x: &BigFloat) -> BigFloat {
        if x.is_zero() {
            return x.clone();
        }
        // As many halvings as save a term each.
        let halvings = if log2(x) < -30.0 {
            0
        } else {
            (self.precision as f64).sqrt() as i32 / 2
        };
        let r = scaled(x, -halvings);
        // x^n/n! against x.
        let (bits, mut n, mut left) = (log2(&r), 1, self.precision as f64);
        while left > 0.0 {
            n += 1;
            left += bits - f64::from(n).log2();
        }
        while self.factorials.len() <= n as usize {
            let n = self.of(self.factorials.len() as f64);
            let next = self.div(self.factorials.last().expect("0!"), &n);
            self.factorials.push(next);
        }
        let series = self.polynomial(&self.factorials[1..=n as usize], &r);
        let mut m = self.mul(&series, &r);
        let two = self.of(2.0);
        for _ in 0..halvings {
            m = self.mul(&m, &self.add(&m, &two));
        }
        m
    }

    /// `(k, e^r - 1)` with `x = k·ln 2 + r` and `|r| < 0.35`; `None` beyond the exponents there are.
    fn exp_reduced(&mut self, x: &BigFloat) -> Option<(i32, BigFloat)> {
        let near = to_f64(x);
        if near.is_nan() || near.abs() > EXPONENTS {
            return None;
        }
        let k = (near / core::f64::consts::LN_2).round();
        let r = self.sub(x, &self.mul(&self.of(k), &self.ln2));
        Some((k as i32, self.exp_m1_near_zero(&r)))
    }

    pub(crate) fn exp(&mut self, x: &BigFloat) -> BigFloat {
        match self.exp_reduced(x) {
            Some((k, m)) => scaled(&self.add(&m, &self.of(1.0)), k),
            None if x.is_negative() => self.of(0.0),
            None if x.is_nan() => x.clone(),
            None => self.of(f64::INFINITY),
        }
    }

    pub(crate) fn exp_m1(&mut self, x: &BigFloat) -> BigFloat {
        match self.exp_reduced(x) {
            Some((0, m)) => m,
            Some((k, m)) => {
                let one = self.of(1.0);
                self.sub(&scaled(&self.add(&m, &one), k), &one)
            }
            None if x.is_negative() => self.of(-1.0),
            None => x.clone(),
        }
    }

    /// From an `f64` near it, `y`: `ln(1 + x) = y + ln((1 + x)/e^y)`, where the second logarithm is
    /// `2·artanh(d)` with `d = (1 + x - e^y)/(1 + x + e^y)`, about 2^-50; for small `x` relative to
    /// that, if `1` is taken from both terms above.
    pub(crate) fn ln_1p(&mut self, x: &BigFloat) -> BigFloat {
        if x.is_inf() || x.is_nan() {
            return x.clone();
        }
        let (one, two) = (self.of(1.0), self.of(2.0));
        let (y, above, below);
        if log2(x) < -1.0 {
            y = self.of(to_f64(x).ln_1p());
            let m = self.exp_m1(&y);
            above = self.sub(x, &m);
            below = self.add(&two, &self.add(x, &m));
        } else {
            let a = self.add(x, &one);
            let (Some(f), Some(e)) = (fraction(&a), a.exponent()) else {
                return a;
            };
            if f <= 0.0 {
                return self.of(if f == 0.0 {
                    f64::NEG_INFINITY
                } else {
                    f64::NAN
                });
            }
            y = self.of(f.ln() + f64::from(e) * core::f64::consts::LN_2);
            let b = self.exp(&y);
            above = self.sub(&a, &b);
            below = self.add(&a, &b);
        }
        let d = self.div(&above, &below);
        let square = self.mul(&d, &d);
        let (mut power, mut sum, mut n) = (d.clone(), d.clone(), 1.0);
        while log2(&power) > log2(&sum) - self.precision as f64 {
            power = self.mul(&power, &square);
            n += 2.0;
            sum = self.add(&sum, &self.div(&power, &self.of(n)));
        }
        self.add(&y, &self.mul(&sum, &two))
    }

    pub(crate) fn erfc(&mut self, x: &BigFloat) -> BigFloat {
        let near = to_f64(x);
        if near.is_nan() {
            return x.clone();
        }
        if near.abs() > ERFC_ARGUMENTS {
            return self.of(if near < 0.0 { 2.0 } else { 0.0 });
        }
        let size = x.abs();
        let square = self.mul(x, x);
        let mut gauss = self.exp(&square.neg());
        gauss = self.div(&gauss, &self.pi.sqrt(self.precision, ROUND));
        let natural = self.precision as f64 * core::f64::consts::LN_2;
        let tail = near * near > natural / 6.0;
        let rest = if tail {
            self.fraction_of_tail(&size, &square)
        } else {
            self.series_of_erf(&size, &square)
        };
        let one_sided = self.mul(&gauss, &rest);
        let (one, two) = (self.of(1.0), self.of(2.0));
        match (tail, near < 0.0) {
            (true, false) => one_sided,
            (true, true) => self.sub(&two, &one_sided),
            (false, false) => self.sub(&one, &one_sided),
            (false, true) => self.add(&one, &one_sided),
        }
    }

    /// `erf(x)·√π·e^(x²)` for `x ≥ 0`: `2x·Σ (2x²)^n/(2n + 1)!!`, where no term is negative
    /// (Abramowitz & Stegun 7.1.6).
    fn series_of_erf(&mut self, x: &BigFloat, square: &BigFloat) -> BigFloat {
        if x.is_zero() {
            return x.clone();
        }
        let bits = log2(square) + 1.0;
        let (mut n, mut term) = (0, 0.0);
        // The terms grow before they fall.
        while term > -(self.precision as f64) {
            n += 1;
            term += bits - f64::from(2 * n + 1).log2();
        }
        while self.odd_factorials.len() <= n as usize {
            let odd = self.of((2 * self.odd_factorials.len() + 1) as f64);
            let two = self.of(2.0);
            let last = self.odd_factorials.last().expect("1!!");
            let next = self.div(&self.mul(last, &two), &odd);
            self.odd_factorials.push(next);
        }
        let series = self.polynomial(&self.odd_factorials[..=n as usize], square);
        self.mul(&self.mul(&series, x), &self.of(2.0))
    }

    /// `erfc(x)·√π·e^(x²)` for large `x`, by Laplace's continued fraction
    /// `1/(x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …))))` (Abramowitz & Stegun 7.1.14), from the inside.
    ///
    /// After n levels the error is about `e^(-√(8n)·x)`, but no less than the n-th term of the
    /// asymptotic series, `n!/(2x²)^n`. Enough levels for both are taken, and some more; the tests
    /// hold it to mpmath's values.
    fn fraction_of_tail(&self, x: &BigFloat, square: &BigFloat) -> BigFloat {
        let natural = self.precision as f64 * core::f64::consts::LN_2;
        let square = to_f64(square);
        let levels =
            natural * natural / (8.0 * square) * 1.25 + natural / (2.0 * square).ln() + 8.0;
        let mut inner = x.clone();
        for n in (1..=levels as u32).rev() {
            let half = self.of(f64::from(n) / 2.0);
            inner = self.add(x, &self.div(&half, &inner));
        }
        self.div(&self.of(1.0), &inner)
    }
}
