//! A product with a subnormal number, or one that becomes subnormal, takes Intel's CPUs a detour through microcode, of a
//! hundred instructions' time. Neither a timer nor such a CPU is needed to see that: x86-64 keeps account of what its
//! operations met, in `MXCSR`.
#![cfg(target_arch = "x86_64")]

use std::arch::asm;

use halfwave_kernels::{Dtype, Isa};

use crate::case::{Case, defaults, isas};
use crate::number::Number;

/// An operand was subnormal; a result was or vanished, and was rounded. (One that is exact leaves no trace.)
const DENORMAL: u32 = 1 << 1;
const UNDERFLOW: u32 = 1 << 4;

/// All exceptions masked, none met.
const CLEAR: u32 = 0x1F80;

/// What operations met while `f` ran.
fn met(f: impl FnOnce()) -> u32 {
    let mut word = CLEAR;
    // SAFETY: reads a word on the stack. The register is as it is at a program's start but for the account, in which no
    // Rust code is interested.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &word, options(nostack)) };
    f();
    // SAFETY: writes the register to a word on the stack.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack)) };
    word & (DENORMAL | UNDERFLOW)
}

/// Where results are subnormal, or vanish. And what is not worth an instruction of every register: half of x times a third
/// of it, on units that do not fuse.
fn excused<E: Number>(case: &Case<E>, isa: Isa, scale: f64) -> bool {
    let from = match case.name {
        "relu_squared" | "tanh_shrink" => 1e-12,
        "hard_swish" if isa == Isa::Portable => 1e-15,
        _ => 0.0,
    };
    E::DTYPE == Dtype::F32 && 0.0 < scale && scale < from
}

/// Where the numbers are normal, and the results are, every number on the way is.
fn none_on_the_way<E: Number>() {
    let least = if E::DTYPE == Dtype::F64 {
        f64::MIN_POSITIVE
    } else {
        f32::MIN_POSITIVE.into()
    };
    let mut found = Vec::new();
    let normal = |y: &E| y.to_f64() == 0.0 || y.to_f64().abs() >= least;
    for case in defaults::<E>() {
        for scale in [1.0, 1e-5, 1e-10, 1e-15, 1e-20, 1e-25, 1e-30, 0.0] {
            let numbers = |first: usize| -> Vec<E> {
                let one = |i| 0.1 + ((first + i) * 37 % 64) as f64 / 16.0;
                let signed = |i: usize| if i.is_multiple_of(3) { -one(i) } else { one(i) };
                (0..64).map(|i| E::round(scale * signed(i))).collect()
            };
            let (x, dy) = (numbers(0), (0..64).map(|i| E::round(1.0 + i as f64 / 64.0)));
            let dy: Vec<E> = dy.collect();
            for isa in isas() {
                if excused(&case, isa, scale) {
                    continue;
                }
                let mut y = x.clone();
                let forward = met(|| (case.map)(isa, &x, &mut y));
                if y.iter().all(normal) && forward != 0 {
                    found.push(format!("{isa} {} at {scale:e}", case.label));
                }
                let backward = met(|| (case.backward)(isa, &x, &dy, &mut y));
                if y.iter().all(normal) && backward != 0 {
                    found.push(format!("{isa} {}' at {scale:e}", case.label));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join(", "));
}

#[test]
fn no_subnormal_number_on_the_way() {
    none_on_the_way::<f32>();
}

#[test]
fn no_subnormal_number_on_the_way_in_f64() {
    none_on_the_way::<f64>();
}

/// Where results become subnormal and vanish, no number on the way does. Not so of `portable`, nor of what is computed
/// in `f64` and rounded to `f32`.
fn none_far_out<E: Number>(far: &[f64]) {
    let mut found = Vec::new();
    for case in defaults::<E>() {
        for far in far {
            let one = |i: usize| {
                let x = (1.0 + i as f64 / 1024.0) * far;
                E::round(if i.is_multiple_of(2) { x } else { -x })
            };
            let x: Vec<E> = (0..64).map(one).collect();
            let mut y = x.clone();
            for isa in isas() {
                let rounded = E::DTYPE == Dtype::F32 && case.name == "mish" && isa == Isa::Avx2;
                if isa == Isa::Portable || rounded {
                    continue;
                }
                if met(|| (case.map)(isa, &x, &mut y)) != 0 {
                    found.push(format!("{isa} {} at {far:e}", case.label));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join(", "));
}

#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "the short formula is computed of far registers as well, where nothing is optimised"
)]
fn no_subnormal_number_far_out() {
    none_far_out::<f32>(&[5.5, 13.0, 60.0, 85.0, 90.0, 100.0, 200.0, 1e10, 1e30, 3e38]);
}

#[test]
fn no_subnormal_number_far_out_in_f64() {
    none_far_out::<f64>(&[
        5.5, 13.0, 37.0, 38.0, 300.0, 400.0, 500.0, 570.0, 580.0, 600.0, 680.0, 700.0, 720.0,
        740.0, 800.0, 1e100, 1e300,
    ]);
}
