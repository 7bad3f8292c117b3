//! Against mpmath's values: `mpmath_values.py` made them.

use astro_float_num::{BigFloat, Consts, Radix};

use super::*;
use crate::float::{PRECISIONS, of, scaled, set_level};

/// The function, the argument, mpmath's value and how many digits of it there are, of every line.
fn lines() -> impl Iterator<Item = (&'static str, f64, (&'static str, f64))> {
    let lines = include_str!("mpmath_values.txt").lines();
    lines.map(|line| {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let (name, x, digits, value) = (word(), word(), word(), word());
        (name, x.parse().unwrap(), (value, digits.parse().unwrap()))
    })
}

fn call(name: &str, x: Big) -> Big {
    match name {
        "exp" => x.exp(),
        "exp_m1" => x.exp_m1(),
        "ln_1p" => x.ln_1p(),
        "tanh" => x.tanh(),
        "erfc" => x.erfc(),
        "sqrt" => x.sqrt(),
        _ => panic!("{name}"),
    }
}

/// How far `y` is off, and how far mpmath's digits may be, as powers of two.
fn off(y: &BigFloat, (want, digits): (&str, f64), constants: &mut Consts) -> (f64, f64) {
    let want = BigFloat::parse(want, Radix::Dec, 1408, ROUND, constants);
    let known = log2(&want) + (1.0 - digits) * 10f64.log2();
    (log2(&y.sub(&want, 1408, ROUND)), known)
}

#[test]
fn every_value_is_within_the_error_it_states() {
    let mut constants = Consts::new().unwrap();
    // The values have 2,000 bits.
    for level in 0..PRECISIONS.iter().filter(|&&bits| bits < 2000).count() {
        set_level(level);
        for (name, x, want) in lines() {
            let y = call(name, Big::of(x));
            let (off, known) = off(&y.value, want, &mut constants);
            let stated = y.error;
            assert!(
                off <= stated.max(known),
                "{name}({x:e}) is 2^{off} off and states 2^{stated}, with {} bits",
                precision()
            );
            // And that says something.
            let relative = stated - y.log2();
            // 1 less erf is up to a sixth shorter.
            let bits = precision() as f64;
            let lost = if name == "erfc" {
                30.0 + bits / 6.0
            } else {
                30.0
            };
            assert!(
                relative < lost - bits,
                "{name}({x:e}) states 2^{relative} of itself, with {} bits",
                precision()
            );
        }
    }
    set_level(0);
}

/// An argument that is off by what it states.
#[test]
fn an_error_of_the_argument_is_in_the_error_of_the_value() {
    let mut constants = Consts::new().unwrap();
    set_level(0);
    for (name, x, want) in lines() {
        for size in [-40.0, -70.0, -100.0] {
            let argument = Big::of(x);
            let error = argument.log2() + size;
            let shift = scaled(&of(1.0), error.floor() as i32);
            for shift in [shift.neg(), shift] {
                let value = argument.value.add(&shift, 128, ROUND);
                let y = call(name, Big { value, error });
                let (off, known) = off(&y.value, want, &mut constants);
                let stated = y.error;
                assert!(
                    off <= stated.max(known),
                    "{name}({x:e}) with an argument 2^{error} off is 2^{off} off and states 2^{stated}",
                );
            }
        }
    }
}

#[test]
fn what_no_exponent_holds_is_zero_or_infinite() {
    let huge = || Big::of(1e300);
    assert!(huge().exp().value.is_inf_pos());
    assert!((-huge()).exp().value.is_zero());
    assert_eq!(
        to_f64(&(Big::of(1.0) / (Big::of(1.0) + huge().exp())).value),
        0.0
    );
    assert_eq!(to_f64(&huge().erfc().value), 0.0);
    assert_eq!(to_f64(&(-huge()).erfc().value), 2.0);
    assert_eq!(to_f64(&(-huge()).tanh().value), -1.0);
    assert_eq!(to_f64(&(-huge()).exp_m1().value), -1.0);
    assert!(Big::of(-1.0).ln_1p().value.is_inf_neg());
    assert!(Big::of(f64::NAN).exp().value.is_nan());
}
