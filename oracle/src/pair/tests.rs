use halfwave_kernels::*;

use super::*;
use crate::big::Big;
use crate::bounded::Bounded;
use crate::float::scaled;
use crate::{Format, Formula, settings, truth_for, truth_in_f64, truth_to_round};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    /// Of all magnitudes, from -1 to 1, from -40 to 40, from -1000 to 1000.
    fn number(&mut self) -> f64 {
        let unit = self.bits() as i64 as f64 / 2f64.powi(63);
        match self.bits() % 4 {
            0 => loop {
                let x = f64::from_bits(self.bits());
                if x.is_finite() {
                    return x;
                }
            },
            1 => unit,
            2 => unit * 40.0,
            _ => unit * 1000.0,
        }
    }
}

impl Pair {
    fn to_big(self) -> Big {
        let sum = Big::of(self.high) + Big::of(self.low);
        let value = scaled(&sum.value, self.exponent as i32);
        Big {
            value,
            error: f64::NEG_INFINITY,
        }
    }
}

/// Functions of one number, also of one that was rounded before.
struct Function(usize, bool);

const FUNCTIONS: usize = 12;

impl Formula for Function {
    fn at<N: OracleNumber>(&self, x: N) -> N {
        let x = if self.1 { x / N::of(3.0) } else { x };
        let third = || N::of(1.0) / N::of(3.0);
        match self.0 {
            0 => x.exp(),
            1 => x.exp_m1(),
            2 => x.abs().ln_1p(),
            3 => x.tanh(),
            4 => x.erfc(),
            5 => x.abs().sqrt(),
            6 => x * N::pi(),
            7 => x + third(),
            8 => x - third(),
            9 => x.clone() / (x * third() + N::of(1.0)),
            10 => (-x.abs()).exp().ln_1p(),
            _ => x.clone() - x.tanh(),
        }
    }
}

/// No value is further off than the bound that it states; in `f64` neither.
#[test]
fn errors_are_below_their_bounds() {
    let mut random = Random(1);
    let mut known = [0; FUNCTIONS];
    const COUNT: usize = 4_000;
    for _ in 0..COUNT {
        let x = random.number();
        for (i, known) in known.iter_mut().enumerate() {
            for rounded in [false, true] {
                let f = Function(i, rounded);
                let big = f.at(Big::of(x));
                let off = |near: Big| (near - big.clone()).log2();
                if big.value.is_inf() || big.value.is_nan() {
                    continue;
                }
                let y = f.at(Pair::of(x));
                if y.high.is_finite() && y.exponent > -100_000_000 {
                    let bound = y.error.log2() + y.exponent as f64;
                    assert!(
                        off(y.to_big()) <= crate::big::sum(bound + 1e-9, big.error),
                        "{i} {rounded} at {x:e}: {:e} within 2^{bound}",
                        y.to_f64()
                    );
                    *known += usize::from(y.is_known_to(2f64.powi(-76), -1150));
                }
                let y = f.at(Bounded::of(x));
                if y.value.is_finite() {
                    assert!(
                        off(Big::of(y.value)) <= crate::big::sum(y.error.log2() + 1e-9, big.error),
                        "{i} {rounded} at {x:e}: {y:?}",
                    );
                }
            }
        }
    }
    // Else they would be of no use.
    for (i, known) in known.into_iter().enumerate() {
        assert!(known > COUNT, "{i}: {known} of {}", 2 * COUNT);
    }
}

/// An operation in one of its forms, with parameters rounded as a dtype has them.
struct Case<O, E>(O, Form, core::marker::PhantomData<E>);

impl<O: Oracle, E: Format> Formula for Case<O, E> {
    fn at<N: OracleNumber>(&self, x: N) -> N {
        match (self.1, E::DTYPE) {
            (Form::Forward, Dtype::F64) => self.0.oracle::<f64, N>(x),
            (Form::Forward, _) => self.0.oracle::<f32, N>(x),
            (_, Dtype::F64) => self.0.derivative_oracle::<f64, N>(x),
            (_, _) => self.0.derivative_oracle::<f32, N>(x),
        }
    }
}

fn same<E: Format>(name: &str, x: f64, f: &impl Formula) {
    let x = E::from_f64(x).to_f64();
    if !x.is_finite() {
        return;
    }
    let (fast, slow) = (truth_for::<E>(x, f), truth_to_round::<E>(x, |x| f.at(x)));
    let nearest = slow.nearest::<E>();
    let said = format!("{name} of {x:e} is {:e}", slow.to_f64());
    assert!(fast.nearest::<E>() == nearest, "{said}");
    // What vanishes keeps its sign.
    let negative = slow.to_f64().is_sign_negative();
    let exact = E::DTYPE != Dtype::F64 || slow.ulps(E::from_bits(0)) == 0.0;
    let signs = exact || fast.to_f64().is_sign_negative() == negative;
    assert!(signs, "{said}, {:?} or {:?}", fast.to_f64(), slow.to_f64());
    for y in [nearest, E::from_bits(nearest.bits() ^ 1)] {
        let (fast, slow) = (fast.ulps(y), slow.ulps(y));
        let close = |by: f64| (fast - slow * by).abs() <= 2f64.powi(-12) * (1.0 + by * slow);
        // By a power of two, it counts as below, where an ulp is half as large.
        let below = nearest.bits() << (64 + 1 - E::PRECISION) == 0;
        let fits = close(1.0) || fast == slow || below && close(2.0);
        assert!(fits, "{said}, {fast} or {slow} ulps off");
    }
}

fn in_f64(name: &str, x: f64, f: &impl Formula) {
    let x = f64::from(x as f32);
    if x.is_finite() {
        let want = truth_to_round::<f32>(x, |x| f.at(x)).nearest::<f32>();
        assert_eq!(truth_in_f64(x, f) as f32, want, "{name} of {x:e}");
    }
}

fn operation<O: Oracle + BuiltinOp>(random: &mut Random) {
    let mut settings = settings::<O>(20);
    settings.push(O::DEFAULT);
    for op in settings {
        for form in [Form::Forward, Form::Backward] {
            let name = format!("{} {:?} {form:?}", O::NAME, op.values());
            for _ in 0..20 {
                let x = random.number();
                // Of subnormal numbers and near them, results may be ties but for next to nothing.
                for x in [x, f64::from_bits(random.bits() % 100), x * 2f64.powi(-130)] {
                    same::<f64>(&name, x, &Case::<_, f64>(op, form, Default::default()));
                    same::<f32>(&name, x, &Case::<_, f32>(op, form, Default::default()));
                    same::<bf16>(&name, x, &Case::<_, bf16>(op, form, Default::default()));
                    same::<f16>(&name, x, &Case::<_, f16>(op, form, Default::default()));
                    in_f64(&name, x, &Case::<_, f32>(op, form, Default::default()));
                }
            }
        }
    }
}

/// Whichever way a truth is had.
#[test]
fn truths_are_those_of_arbitrary_precision() {
    let mut random = Random(2);
    macro_rules! operations {
        ($($name:ident: $Op:ident in $Row:ident;)*) => {
            $(operation::<$Op>(&mut random);)*
        };
    }
    for_each_op!(operations);
}
