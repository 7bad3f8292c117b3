//! The forms that are no operation's, by bits against plain arithmetic on single numbers; with it,
//! the ways of 16-bit floats to `f32` and back.

use crate::common::*;
use halfwave_kernels::{Float, bf16, f16};

/// The form called `name` of two numbers, as its documentation has it. `f64` holds every product of
/// the smaller dtypes, and has more than twice the bits of any of their sums: so a result that is
/// rounded from it is rounded as if once (Figueroa, 1995).
fn oracle(name: &str) -> fn(f64, f64) -> f64 {
    match name {
        "add" => |a, b| a + b,
        "mul" => |a, b| a * b,
        "scale_gradient" => |dy, slope| if slope == 0.0 { 0.0 } else { dy * slope },
        "prelu" => |x, slope| {
            if x == f64::NEG_INFINITY && slope == 0.0 {
                -slope
            } else if x < 0.0 {
                x * slope
            } else {
                x
            }
        },
        "prelu_slope" => |x, slope| if x > 0.0 { 1.0 } else { slope },
        "prelu_slope_gradient" => |x, dy| if x >= 0.0 { 0.0 } else { x * dy },
        _ => panic!("a form without an oracle: {name}"),
    }
}

/// Rounds to `E`, to nearest, ties to even.
trait Round: Bits + Float {
    fn round() -> Box<dyn Fn(f64) -> Self>;
}

impl Round for f64 {
    fn round() -> Box<dyn Fn(f64) -> f64> {
        Box::new(|x| x)
    }
}

impl Round for f32 {
    fn round() -> Box<dyn Fn(f64) -> f32> {
        Box::new(|x| x as f32)
    }
}

/// By the definition: among all the dtype has, the one on whose side of every middle `x` lies.
fn nearest<H: Bits + Float>() -> Box<dyn Fn(f64) -> H> {
    let infinity = H::from_f64(f64::INFINITY).bits();
    let value = |bits| H::from_bits(bits).to_f64();
    let mut middles: Vec<f64> = (0..infinity - 1)
        .map(|bits| (value(bits) + value(bits + 1)) / 2.0)
        .collect();
    let largest = value(infinity - 1);
    middles.push(largest + (largest - value(infinity - 2)) / 2.0);
    let sign = H::from_f64(-0.0).bits();
    Box::new(move |x| {
        if x.is_nan() {
            return H::from_f64(x);
        }
        let below = middles.partition_point(|&middle| middle < x.abs());
        let tie = middles.get(below) == Some(&x.abs());
        let bits = (below + usize::from(tie && below % 2 == 1)) as u64;
        H::from_bits(if x.is_sign_negative() {
            bits | sign
        } else {
            bits
        })
    })
}

impl Round for f16 {
    fn round() -> Box<dyn Fn(f64) -> f16> {
        nearest()
    }
}

impl Round for bf16 {
    fn round() -> Box<dyn Fn(f64) -> bf16> {
        nearest()
    }
}

/// Asserts that `got` is the form of `a` and `b`. A NaN is one of the operands', made quiet or not, or
/// any where neither is NaN (`∞ - ∞`, `0 · ∞`).
#[track_caller]
fn check<E: Round>(got: &[E], want: &[E], a: &[E], b: &[E], context: impl std::fmt::Display) {
    for (((got, want), &a), &b) in got.iter().zip(want).zip(a).zip(b) {
        let right = if is_nan(*want) {
            let mut nans = [a, b].into_iter().filter(|x| is_nan(*x)).peekable();
            let made = nans.peek().is_none();
            let kept = nans.any(|nan| quieted(nan).bits() == quieted(*got).bits());
            is_nan(*got) && (made || kept)
        } else {
            got.bits() == want.bits()
        };
        assert!(
            right,
            "{context}: of {:#x} and {:#x}: {:#x}, not {:#x}",
            a.bits(),
            b.bits(),
            got.bits(),
            want.bits()
        );
    }
}

/// Asserts that every form of `x` and each of `scalars` is what plain arithmetic says.
fn check_scalars<E: Round>(x: &[E], scalars: &[E]) {
    let round = E::round();
    let by_isa: Vec<_> = isas().into_iter().map(|isa| forms(isa, scalars)).collect();
    for (form, (name, ..)) in by_isa[0].iter().enumerate() {
        for (i, &scalar) in scalars.iter().enumerate() {
            let oracle = oracle(name);
            let want = x.iter().map(|x| round(oracle(x.to_f64(), scalar.to_f64())));
            let want: Vec<E> = want.collect();
            for forms in &by_isa {
                let kernel = &forms[form].2[i];
                check(
                    &kernel.together(x),
                    &want,
                    x,
                    &vec![scalar; x.len()],
                    kernel,
                );
            }
        }
    }
}

/// A dozen numbers that take products through normal and subnormal numbers, ties and overflow.
fn scalars<E: Round>() -> Vec<E> {
    let bits = |x| E::from_f64(x).bits();
    let (one, infinity, sign) = (bits(1.0), bits(f64::INFINITY), bits(-0.0));
    let smallest_normal = infinity & infinity.wrapping_neg();
    [
        0,
        sign,
        one,
        one + 1,
        bits(1.5),
        bits(-1.0 / 3.0),
        bits(0.01),
        1,
        (smallest_normal - 1) | sign,
        smallest_normal,
        (infinity - 1) | sign,
        infinity,
        infinity | smallest_normal >> 1 | 5 | sign,
    ]
    .map(E::from_bits)
    .to_vec()
}

/// All 65,536 numbers with each of a dozen.
#[test]
fn every_16_bit_float_with_one_number() {
    fn test<E: Round>() {
        let step = one_in(61);
        let x: Vec<E> = (0..1 << 16).step_by(step).map(E::from_bits).collect();
        check_scalars(&x, &scalars());
    }
    test::<f16>();
    test::<bf16>();
}

#[test]
fn edges_and_random_numbers_with_one_number() {
    fn test<E: Round>() {
        let mut x = mixed(6, 20_000 / one_in(100));
        x.extend(E::edges());
        check_scalars(&x, &scalars());
        check_scalars(&x, &E::edges());
    }
    test::<f32>();
    test::<f64>();
}

/// Every edge with every other, and random pairs.
#[test]
fn forms_of_two_arrays() {
    fn test<E: Round>() {
        let round = E::round();
        let (mut a, mut b) = every_two_edges::<E>();
        let random = 100_000 / one_in(200);
        a.extend(mixed::<E>(7, random));
        b.extend(mixed::<E>(8, random));
        for isa in isas() {
            for (name, kernel, _) in forms::<E>(isa, &[]) {
                let oracle = oracle(name);
                let pairs = a.iter().zip(&b);
                let want: Vec<E> = pairs
                    .map(|(a, b)| round(oracle(a.to_f64(), b.to_f64())))
                    .collect();
                check(&kernel.together(&a, &b), &want, &a, &b, &kernel);
            }
        }
    }
    for_each_float!(test);
}
