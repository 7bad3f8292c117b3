//! e<sup>−x</sup> on `f64` by a table of 16 powers, and what it closes a gate by.
//!
//! e<sup>−x</sup> = S·(1 + p) with S = s·2<sup>n</sup>, n in sixteenths. The 16 powers are numbers of `f64` to a tenth of
//! an ulp, all of them times the same s, which is next to 1: its reciprocal is in the polynomial p. So S needs no
//! second part, and 1 + S + S·p is known to twice the digits.
//! The numbers are from `docs/fits/tables_64.py`: least squares on Chebyshev nodes, one coefficient rounded after the
//! other.

use crate::math::by_tables::{SHIFT_16, scaled_down};
use crate::math::tables::Aligned;
use crate::register::TableLane;

/// What e<sup>−factor·x</sup> is computed by.
pub(crate) struct Decay {
    /// Octaves in 1.
    octaves: f64,
    /// An octave, in two parts.
    octave: [f64; 2],
    /// e<sup>−factor·r</sup>/s − 1.
    exp: [f64; 7],
}

/// The factor 1.
#[expect(clippy::approx_constant, reason = "as the program prints it")]
pub(crate) const NATURAL: Decay = Decay {
    octaves: 1.4426950408889634,
    octave: [0.6931471805599453, 2.3190468138462996e-17],
    exp: [
        -4.239063354230269e-06,
        -0.999995760936648,
        0.49999788046832355,
        -0.1666659601179534,
        0.0416664900320402,
        -0.008333460917053476,
        0.0013889065093280449,
    ],
};

/// The factor 1.702.
pub(crate) const QUICK_GELU: Decay = Decay {
    octaves: 2.4554669595930156,
    octave: [0.4072545126674179, 1.3951574412911617e-17],
    exp: [
        -4.239063354230269e-06,
        -1.701992785114175,
        1.4483958601321614,
        -0.8217232511254503,
        0.34964324337883623,
        -0.11902089300581646,
        0.03376215756521935,
    ],
};

/// The factor 2.
pub(crate) const TWICE: Decay = Decay {
    octaves: 2.8853900817779268,
    octave: [0.34657359027997264, 1.1595234069231498e-17],
    exp: [
        -4.239063354230269e-06,
        -1.999991521873296,
        1.9999915218732942,
        -1.3333276809436272,
        0.6666638405126432,
        -0.2666707493457112,
        0.08889001659699487,
    ],
};

/// 2<sup>j/16</sup>·s, within 0.098 ulps.
static POWERS: Aligned<[f64; 16]> = Aligned([
    1.000004239081324,
    1.044278209188902,
    1.0905123554162208,
    1.1387934621743252,
    1.1892121561483926,
    1.2418630764097423,
    1.296845052059346,
    1.3542612877362896,
    1.4142195573393954,
    1.4768324063256333,
    1.5422173629650484,
    1.610497158948743,
    1.6817999597640076,
    1.7562596052690327,
    1.8340158609187696,
    1.9152146801135133,
]);

/// e<sup>−x</sup> = S·(1 + p).
#[derive(Clone, Copy)]
pub(crate) struct Decayed<X> {
    /// What [`TableLane::power`] makes S of.
    pub(crate) shifted: X,
    pub(crate) p: X,
    /// p to 26 bits or so, but sooner.
    pub(crate) early: X,
}

/// e<sup>−x</sup>.
#[inline(always)]
pub(crate) fn decay<X: TableLane>(x: X, by: &'static Decay) -> Decayed<X> {
    let shift = x.splat(SHIFT_16);
    let shifted = x.neg_mul_add(x.splat(by.octaves), shift);
    let n = shifted - shift;
    let r = n.mul_add(x.splat(by.octave[0]), x);
    let r = n.mul_add(x.splat(by.octave[1]), r);
    Decayed::new(shifted, r, &by.exp)
}

impl<X: TableLane> Decayed<X> {
    /// With the polynomial for the rest r. It is not by Horner's scheme, because it is the time that one takes which
    /// bounds these operations, and most of all the time until the division.
    #[inline(always)]
    pub(crate) fn new(shifted: X, r: X, exp: &'static [f64; 7]) -> Self {
        let c = |i: usize| r.splat(exp[i]);
        let r2 = r * r;
        let early = r2.mul_add(c(3).mul_add(r, c(2)), c(1).mul_add(r, c(0)));
        let late = r2.mul_add(c(6), c(5).mul_add(r, c(4)));
        let p = (r2 * r2).mul_add(late, early);
        Self { shifted, p, early }
    }

    /// S.
    #[inline(always)]
    pub(crate) fn scale(self) -> X {
        self.shifted.power(&POWERS.0)
    }

    /// y·e<sup>−x</sup>, down to nothing, for n from −1240 to 0 and |y| from 2<sup>−20</sup> to 2<sup>20</sup>.
    #[inline(always)]
    pub(crate) fn times(self, y: X) -> X {
        let n = self.shifted - y.splat(SHIFT_16);
        let t = self.shifted.gather(&POWERS.0);
        scaled_down(t.mul_add(self.p, t) * y, n)
    }

    /// 1/(1 + e<sup>−x</sup>) = g·(1 + t). Next to the reciprocal, g has so few digits that 1 − g is exact unless it
    /// matters little, and g·S and g·S·p are rounded where little is left of 1.
    #[inline(always)]
    pub(crate) fn gate(self) -> (X, X) {
        let (s, one) = (self.scale(), self.p.splat(1.0));
        let g = s.mul_add(self.early, s + one).short_reciprocal();
        let rest = s * self.p;
        let e = g.neg_mul_add(rest, g.neg_mul_add(s, one - g));
        (g, e.mul_add(e, e).mul_add(e, e))
    }
}
