//! One backend beside another, by bits.

use halfwave_kernels::{Isa, bf16, f16, table};

use crate::case::{Case, cases, isas};
use crate::number::{Number, Random, one_in};

/// The instruction sets of this CPU whose lanes round a product and a sum once: whatever a register's
/// length, they give the same bits. The portable one is among them where the build has FMA.
fn fused() -> Vec<Isa> {
    let mut fused = isas();
    fused.retain(|isa| table::fuses(*isa));
    fused
}

/// Asserts that `f` makes the same on all of `isas`; but a signalling NaN may come out quiet or not.
fn same<E: Number>(label: &str, isas: &[Isa], x: &[E], f: impl Fn(Isa, &mut [E])) {
    let [first, others @ ..] = isas else {
        return;
    };
    let (mut want, mut got) = (vec![E::default(); x.len()], vec![E::default(); x.len()]);
    f(*first, &mut want);
    for isa in others {
        f(*isa, &mut got);
        for ((x, got), want) in x.iter().zip(&got).zip(&want) {
            assert!(
                got.bits() == want.bits()
                    || x.to_f64().is_nan() && got.is_nan_of(*want) | want.is_nan_of(*got),
                "{label}({:e} = {:#x}) is {:e} = {:#x} on {}, {:e} = {:#x} on {}",
                x.to_f64(),
                x.bits(),
                got.to_f64(),
                got.bits(),
                isa,
                want.to_f64(),
                want.bits(),
                first
            );
        }
    }
}

/// The result, and both derivatives. In pieces and by tables, they depend on how many entries a backend looks up.
fn all_forms<E: Number>(case: &Case<E>, x: &[E]) {
    let fused = fused();
    if !case.in_pieces {
        same(&case.label, &fused, x, |isa, y| (case.map)(isa, x, y));
    }
    if case.gathered {
        let mut gathering = fused.clone();
        gathering.retain(|isa| *isa != Isa::Portable);
        same(&case.label, &gathering, x, |isa, y| (case.map)(isa, x, y));
    }
    let mut random = Random(5);
    let dy: Vec<E> = x.iter().map(|_| E::round(random.within(9.0))).collect();
    let label = format!("derivative of {}", case.label);
    if !case.derivative_in_pieces {
        same(&label, &fused, x, |isa, dx| {
            (case.backward)(isa, x, &dy, dx);
        });
    }
    if let Some(from_output) = &case.from_output {
        let label = format!("derivative from the output of {}", case.label);
        same(&label, &fused, x, |isa, dx| {
            from_output(isa, x, &dy, dx);
        });
    }
}

#[test]
fn what_fuses_gives_the_same_bits() {
    fn test<E: Number>() {
        for case in cases::<E>() {
            all_forms(&case, &case.inputs(40_000));
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

/// Correctly rounded, there is but one result, whatever a backend can fuse. NaNs are among them.
#[test]
fn every_16_bit_float_has_the_same_bits_on_every_backend() {
    fn test<E: Number>() {
        let all: Vec<E> = (0..=E::LAST).step_by(one_in()).map(E::from_bits).collect();
        for case in cases::<E>() {
            let label = &case.label;
            same(label, &isas(), &all, |isa, y| (case.map)(isa, &all, y));
        }
    }
    test::<f16>();
    test::<bf16>();
}
