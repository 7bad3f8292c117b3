//! The contract, by bits, on every backend this CPU runs.

use crate::common::{Bits, assert_relu, for_each_dtype, mixed, tables};
use halfwave_kernels::{Kernels, Operation, Relu, bf16, f16};

/// Relu of `x` by every function pointer of `kernels`: out of place, streaming, in place.
fn all_forms<E: Bits>(kernels: &Kernels, x: &[E]) -> [(&'static str, Vec<E>); 3]
where
    Relu: Operation<E>,
{
    let kernel = Relu::kernel(kernels);
    let (mut out, mut streamed, mut in_place) = (
        vec![E::default(); x.len()],
        vec![E::default(); x.len()],
        x.to_vec(),
    );
    let p = in_place.as_mut_ptr();
    // SAFETY: `tables` gives what this CPU runs; every array has as many elements as `x`.
    unsafe {
        (kernel.map)(Relu, x.as_ptr(), out.as_mut_ptr(), x.len());
        (kernel.stream)(Relu, x.as_ptr(), streamed.as_mut_ptr(), x.len());
        (kernel.map)(Relu, p, p, x.len());
    }
    [("map", out), ("stream", streamed), ("in place", in_place)]
}

fn check<E: Bits>(x: &[E])
where
    Relu: Operation<E>,
{
    for kernels in tables() {
        for (form, y) in all_forms(kernels, x) {
            assert_relu(x, &y, format_args!("{} {form}", kernels.isa));
        }
    }
}

#[test]
fn edge_cases_alone_and_in_every_lane() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
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
#[test]
fn every_input_of_the_small_dtypes() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        let all: Vec<E> = (0..1u64 << (8 * size_of::<E>()))
            .map(E::from_bits)
            .collect();
        check(&all);
    }
    test::<i8>();
    test::<i16>();
    test::<f16>();
    test::<bf16>();
}

/// The result of an element depends on nothing but the element: alone, it has the bits it has in a
/// crowd, at every position.
#[test]
fn one_element_alone_is_the_same_in_a_crowd() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        let crowd = mixed::<E>(300);
        for kernels in tables() {
            for (form, together) in all_forms(kernels, &crowd) {
                for (i, &x) in crowd.iter().enumerate() {
                    let [(_, alone), ..] = all_forms(kernels, &[x]);
                    assert_eq!(
                        alone[0].bits(),
                        together[i].bits(),
                        "{} {form} {i}",
                        kernels.isa
                    );
                }
            }
        }
    }
    for_each_dtype!(test);
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
