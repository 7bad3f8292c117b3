//! The contract of the rectifier spelled out, and what all kernels share: the result of an element
//! depends on nothing but the element.

use crate::common::*;
use halfwave_kernels::{Clip, Float, Operation, bf16, f16};

/// Asserts that relu of `x` is relu of `x`, by every function pointer.
fn check<E: Bits>(x: &[E]) {
    let all = operations::<E>();
    let mut tested = 0;
    for kernel in all.iter().filter(|kernel| kernel.name.contains(" relu ")) {
        assert_relu(x, &kernel.together(x), kernel);
        let mut y = vec![E::default(); x.len()];
        (kernel.run)(x.as_ptr(), y.as_mut_ptr(), x.len(), true);
        assert_relu(x, &y, format_args!("{kernel} stream"));
        let mut y = x.to_vec();
        let p = y.as_mut_ptr();
        (kernel.run)(p, p, x.len(), false);
        assert_relu(x, &y, format_args!("{kernel} in place"));
        tested += 1;
    }
    assert_eq!(tested, isas().len());
}

#[test]
fn relu_of_edge_cases() {
    fn test<E: Bits>() {
        for edge in E::edges() {
            check(&[edge]);
            check(&[edge; 200]);
        }
        check(&E::edges());
    }
    for_each_dtype!(test);
}

/// The table in `Relu`'s documentation, spelled out, so that the oracle itself is held to it.
#[test]
fn the_documented_table() {
    let bits = |x: f32| Bits::bits(Bits::relu(x)) as u32;
    assert_eq!(bits(-1.0), 0);
    assert_eq!(bits(f32::NEG_INFINITY), 0);
    assert_eq!(bits(-1e-45), 0, "a negative subnormal");
    assert_eq!(bits(1e-45), 1, "a subnormal is a number");
    assert_eq!(bits(0.0), 0);
    assert_eq!(bits(-0.0), 0x8000_0000);
    assert_eq!(bits(f32::INFINITY), 0x7F80_0000);
    for nan in [
        0x7FC0_0000,
        0xFFC0_0000,
        0x7FC1_2345,
        0xFFC1_2345,
        0x7F80_0001,
        0xFF80_0001,
    ] {
        assert_eq!(bits(f32::from_bits(nan)), nan, "{nan:#x}");
    }
    check(&[
        -1.0,
        f32::NEG_INFINITY,
        -1e-45,
        1e-45,
        0.0,
        -0.0,
        f32::INFINITY,
        f32::NAN,
        -f32::NAN,
    ]);
}

/// All 256 of `i8` and all 65,536 of the 16-bit dtypes.
fn all<E: Bits>() -> Vec<E> {
    (0..1u64 << (8 * size_of::<E>()))
        .map(E::from_bits)
        .collect()
}

#[test]
fn relu_of_every_input_of_the_small_dtypes() {
    fn test<E: Bits>() {
        check(&all::<E>());
    }
    test::<i8>();
    test::<i16>();
    test::<f16>();
    test::<bf16>();
}

/// Alone, an element has the bits it has in a crowd: every edge in every lane, and every input of
/// the small dtypes.
#[test]
fn one_element_alone_is_the_same_in_a_crowd() {
    fn edges<E: Bits>() {
        for kernel in maps::<E>() {
            let edges = E::edges();
            for (edge, alone) in edges.iter().zip(kernel.alone(&edges)) {
                assert_same(&kernel.together(&[*edge; 67]), &[alone; 67], &kernel);
            }
        }
    }
    fn every_input<E: Bits>() {
        let x: Vec<E> = all().into_iter().step_by(one_in(61)).collect();
        for kernel in maps::<E>() {
            assert_same(&kernel.together(&x), &kernel.alone(&x), &kernel);
        }
    }
    for_each_dtype!(edges);
    every_input::<i8>();
    every_input::<i16>();
    every_input::<f16>();
    every_input::<bf16>();
}

/// The same of two arrays: every edge with every other, but for two NaNs (see `two_arrays`).
#[test]
fn one_pair_alone_is_the_same_in_a_crowd() {
    fn test<E: Bits + Float>() {
        let (a, b) = every_two_edges::<E>();
        let all = a.into_iter().zip(b);
        let (a, b): (Vec<E>, Vec<E>) = all.filter(|(a, b)| !is_nan(*a) || !is_nan(*b)).unzip();
        for kernel in pairs::<E>() {
            assert_same(&kernel.together(&a, &b), &kernel.alone(&a, &b), &kernel);
        }
    }
    for_each_float!(test);
}

/// A selection gives back every 16-bit float there is: to `f32` and back nothing is lost, but that a
/// signalling NaN comes out quiet.
#[test]
fn every_16_bit_float_survives_widening() {
    fn test<E: Bits + Float>()
    where
        Clip: Operation<E>,
    {
        let everything = Clip::new(f64::NEG_INFINITY, f64::INFINITY).unwrap();
        let x = all::<E>();
        for isa in isas() {
            let name = format!("{isa} clip to everything {}", E::DTYPE);
            let kernel = map_case(name, Clip::kernels_for(isa).map, everything);
            let want: Vec<E> = x.iter().map(|&x| quieted(x)).collect();
            let got: Vec<E> = kernel.together(&x).into_iter().map(quieted).collect();
            assert_same(&got, &want, &kernel);
        }
    }
    test::<f16>();
    test::<bf16>();
}

/// All 2^32 patterns of `f32`, on every backend, in every form:
/// `cargo test --release -p halfwave-kernels -- --ignored`.
#[test]
#[ignore = "all 2^32 inputs; run in release mode"]
fn every_f32() {
    const BLOCK: u64 = 1 << 16;
    let mut x = vec![0.0f32; BLOCK as usize];
    for block in 0..(1u64 << 32) / BLOCK {
        for (x, i) in x.iter_mut().zip(block * BLOCK..) {
            *x = f32::from_bits(i as u32);
        }
        check(&x);
    }
}
