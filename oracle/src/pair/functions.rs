//! The elementary functions of [`Pair`].

use std::sync::LazyLock;

use halfwave_kernels::OracleNumber;

use super::{APART, LARGEST, NOTHING, Pair, ROUNDING, VANISHED};
use crate::big::Big;
use crate::double_double::{
    DoubleDouble, add, mul, power_of_two, quick_two_sum, two_product, two_sum,
};
use crate::float::to_f64;

/// What a function loses.
const OWN: f64 = power_of_two(-94);

impl Pair {
    /// `(k, e^r - 1, 2^(i/64))` and the error of r, where the argument is `(k + i/64)·ln 2 + r`, which has an exponent
    /// of less than [`LARGEST`].
    fn exp_reduced(self) -> (i64, usize, DoubleDouble, f64) {
        let (x, error) = self.plain();
        let n = (x.0 * (64.0 / core::f64::consts::LN_2)).round();
        let (high, low) = TABLES.ln2_64;
        let (product, lost) = two_product(n, high);
        let r = add(add(x, (-product, -lost)), (-n * low, 0.0));
        let n_error = n.abs() * power_of_two(-111);
        let k = (n as i64 + 32) >> 6;
        let i = (n as i64 - (k << 6) + 32) as usize;
        (k, i, exp_m1_near_zero(r), error + n_error)
    }
}

/// `e^r - 1` for `|r| ≤ ln 2/128`, by Taylor's series. What the last terms round off does not count.
fn exp_m1_near_zero(r: DoubleDouble) -> DoubleDouble {
    const SHORT: usize = 7;
    let c = &TABLES.factorials;
    let mut tail = c[12].0;
    for c in c[SHORT..12].iter().rev() {
        tail = tail * r.0 + c.0;
    }
    let mut sum = (tail, 0.0);
    for &c in c[1..SHORT].iter().rev() {
        sum = add(mul(sum, r), c);
    }
    mul(sum, r)
}

/// For `erfc`: how many expansions there are to 1, and up to where.
const NODES: f64 = 64.0;
const LAST_NODE: f64 = 28.5;
/// How many terms each has, of which the last ones are so small that `f64` holds enough of them.
const TERMS: usize = 25;
const LONG_TERMS: usize = 15;

struct Tables {
    /// ln 2/64
    ln2_64: DoubleDouble,
    /// `1/n!`
    factorials: [DoubleDouble; 13],
    /// `2^(i/64)` for i from -32 to 31.
    powers: [DoubleDouble; 64],
    pi: DoubleDouble,
}

fn double_double(x: &Big) -> DoubleDouble {
    let high = to_f64(&x.value);
    let low = to_f64(&(x.clone() - Big::of(high)).value);
    two_sum(high, low)
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let ln2_64 = || Big::of(1.0).ln_1p() / Big::of(64.0);
    let mut factorial = 1.0;
    let factorials = std::array::from_fn(|n| {
        factorial *= n.max(1) as f64;
        double_double(&(Big::of(1.0) / Big::of(factorial)))
    });
    let power = |i| double_double(&(Big::of(i as f64 - 32.0) * ln2_64()).exp());
    Tables {
        ln2_64: double_double(&ln2_64()),
        factorials,
        powers: std::array::from_fn(power),
        pi: double_double(&Big::pi()),
    }
});

/// Of each node c, erfc's Taylor coefficients over 2^exponent, the one with which erfc(c) is about 1.
static ERFC: LazyLock<Vec<(i64, [DoubleDouble; TERMS])>> = LazyLock::new(|| {
    let nodes = 0..=(LAST_NODE * NODES) as u32;
    nodes.map(|i| erfc_at(f64::from(i) / NODES)).collect()
});

/// With f′ = -2/√π·e^(-x²) it is f″ = -2x·f′, so for the coefficients a of f and n ≥ 1:
/// `(n + 1)·(n + 2)·a[n + 2] = -2c·(n + 1)·a[n + 1] - 2n·a[n]`
fn erfc_at(c: f64) -> (i64, [DoubleDouble; TERMS]) {
    let of = Big::of;
    let mut a = vec![of(c).erfc()];
    a.push(-(of(2.0) / Big::pi().sqrt() * (-(of(c) * of(c))).exp()));
    for n in 0..TERMS - 2 {
        let (m, x) = (n as f64, of(c));
        let above = of(-2.0 * (m + 1.0)) * x * a[n + 1].clone() - of(2.0 * m) * a[n].clone();
        a.push(above / of((m + 1.0) * (m + 2.0)));
    }
    let exponent = a[0].log2().floor() as i64;
    let scale = |a: &Big| {
        let half = of(power_of_two(-exponent / 2));
        let rest = of(power_of_two(-exponent + exponent / 2));
        double_double(&(a.clone() * half * rest))
    };
    (exponent, std::array::from_fn(|n| scale(&a[n])))
}

impl OracleNumber for Pair {
    fn of(x: f64) -> Self {
        const UP: i64 = 600;
        if x.is_finite() && x.abs() > 1.0 {
            Self::new((x * power_of_two(-UP), 0.0), UP, 0.0)
        } else if x.is_subnormal() {
            Self::new((x * power_of_two(UP), 0.0), -UP, 0.0)
        } else if x.is_infinite() {
            Self::infinite(x)
        } else {
            Self::new((x, 0.0), 0, 0.0)
        }
    }

    // Over d in the argument, e^x changes by 2·d of itself or less, for d up to 1.
    fn exp(self) -> Self {
        if self.high.is_nan() || self.high == 0.0 && self.exponent > -APART && !self.is_exact() {
            return Self::UNKNOWN;
        }
        if self.is_infinite() || self.exponent >= LARGEST {
            return if self.high < 0.0 {
                Self::vanished(VANISHED, 1.0)
            } else {
                Self::infinite(1.0)
            };
        }
        if self.exponent < -APART {
            let error = power_of_two(-APART) * (4.0 + self.error);
            return Self::new((1.0, 0.0), 0, error);
        }
        let (k, i, m, error) = self.exp_reduced();
        if error > 0.5 {
            return Self::UNKNOWN;
        }
        let power = TABLES.powers[i];
        let value = add(power, mul(power, m));
        Self::new(value, k, value.0 * (2.0 * error + OWN))
    }

    fn exp_m1(self) -> Self {
        if !self.high.is_finite() || self.exponent >= LARGEST {
            return self.exp() - Self::of(1.0);
        }
        // x + x²/2, where the second counts for nothing.
        if self.exponent < -110 {
            return self.off_by(power_of_two(-109));
        }
        let (k, i, m, error) = self.exp_reduced();
        if error > 0.5 {
            return Self::UNKNOWN;
        }
        if k != 0 {
            return self.exp() - Self::of(1.0);
        }
        let (high, low) = TABLES.powers[i];
        let value = if i == 32 {
            m
        } else {
            add(add((high, low), (-1.0, 0.0)), mul((high, low), m))
        };
        Self::new(value, 0, value.0.abs() * OWN + 4.0 * error)
    }

    // From an `f64` near it, y: ln(1 + x) = y + ln(1 + d) with d = (1 + x - e^y)/e^y, of about 2^-52 of y.
    fn ln_1p(self) -> Self {
        if self.exponent < -110 {
            return self.off_by(power_of_two(-109));
        }
        if !self.high.is_finite() || self.exponent > 1000 || self.error > 0.25 {
            return Self::UNKNOWN;
        }
        let (x, _) = self.plain();
        if x.0 < -0.75 {
            return Self::UNKNOWN;
        }
        let y = OracleNumber::ln_1p(x.0);
        if y == 0.0 {
            return Self::UNKNOWN;
        }
        let y = Self::of(y);
        let m = y.exp_m1();
        let d = (self - m) / (Self::of(1.0) + m);
        let square = d * d;
        let result = y + (d - square / Self::of(2.0));
        // The third term is below the square of d.
        result.off_by(OWN) + Self::vanished(square.exponent, 4.0 * power_of_two(-30))
    }

    fn tanh(self) -> Self {
        let m = (Self::of(-2.0) * self.abs()).exp_m1();
        let t = -m / (m + Self::of(2.0));
        if self.is_negative() { -t } else { t }
    }

    fn erfc(self) -> Self {
        if !self.high.is_finite() || self.exponent > 30 {
            // Of far out, this much is known.
            return match self.high {
                x if x == f64::INFINITY || x > 0.0 => Self::vanished(NOTHING, 1.0),
                x if x < 0.0 => Self::of(2.0),
                _ => Self::UNKNOWN,
            };
        }
        if self.exponent < -APART {
            let error = power_of_two(-APART) * (4.0 + self.error);
            return Self::new((1.0, 0.0), 0, error);
        }
        let (x, error) = self.abs().plain();
        let tail = if x.0 >= LAST_NODE {
            // It is below e^(-x²).
            let exponent = -((x.0 - 1e-9) * (x.0 - 1e-9) * core::f64::consts::LOG2_E) as i64;
            Self::vanished(exponent, if error < 1e-9 { 1.0 } else { f64::INFINITY })
        } else {
            let i = (x.0 * NODES).round();
            let h = add(x, (-i / NODES, 0.0));
            let (exponent, a) = &ERFC[i as usize];
            let short = a[LONG_TERMS..].iter().rev();
            let tail = short.fold(0.0, |sum, a| sum * h.0 + a.0);
            let mut sum = (tail, 0.0);
            for &a in a[..LONG_TERMS].iter().rev() {
                sum = add(mul(sum, h), a);
            }
            // The slope is at most 2·x + 2 times the value.
            let slope = (2.0 * x.0 + 2.0) * 2.0;
            if error * slope > 0.1 {
                return Self::UNKNOWN;
            }
            Self::new(sum, *exponent, sum.0 * (slope * error + OWN))
        };
        if self.high < 0.0 {
            Self::of(2.0) - tail
        } else {
            tail
        }
    }

    fn sqrt(self) -> Self {
        if self.error > 0.25 || self.high.is_nan() || self.high <= 0.0 || self.is_infinite() {
            return Self::UNKNOWN;
        }
        let odd = self.exponent & 1;
        let scale = if odd == 1 { 2.0 } else { 1.0 };
        let x = (self.high * scale, self.low * scale);
        let root = OracleNumber::sqrt(x.0);
        let (high, low) = two_product(root, root);
        let rest = add(x, (-high, -low));
        let value = quick_two_sum(root, rest.0 / (2.0 * root));
        let error = self.error * scale + value.0 * power_of_two(-99);
        Self::new(value, (self.exponent - odd) / 2, error)
    }

    fn pi() -> Self {
        Self::new(TABLES.pi, 0, 4.0 * ROUNDING)
    }

    fn abs(self) -> Self {
        if self.high < 0.0 { -self } else { self }
    }
}
