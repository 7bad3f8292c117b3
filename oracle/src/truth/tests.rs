use halfwave_kernels::{bf16, f16};

use super::*;

/// The number itself.
fn itself(x: f64) -> Truth {
    truth(x, |x| x)
}

#[test]
fn rounding_is_to_the_nearest_and_ties_to_even() {
    fn between_all_neighbours<E: Format>() {
        for bits in 0..bits_of_infinity::<E>() - 1 {
            let (low, high) = (E::from_bits(bits).to_f64(), E::from_bits(bits + 1).to_f64());
            let middle = (low + high) / 2.0;
            for (x, want) in [
                (low, bits),
                (middle.next_down(), bits),
                (middle, bits + (bits & 1)),
                (middle.next_up(), bits + 1),
            ] {
                assert_eq!(itself(x).nearest::<E>().bits(), want, "{x:e}");
                assert_eq!(itself(-x).nearest::<E>().bits() & !E::SIGN, want, "-{x:e}");
            }
            let quarter = itself((low + middle) / 2.0);
            assert_eq!(quarter.ulps(E::from_bits(bits)), 0.25);
            assert_eq!(quarter.ulps(E::from_bits(bits + 1)), 0.75);
        }
        let largest = E::from_bits(bits_of_infinity::<E>() - 1).to_f64();
        let limit =
            itself(largest + (largest - E::from_bits(bits_of_infinity::<E>() - 2).to_f64()) / 2.0);
        assert_eq!(limit.nearest::<E>().to_f64(), f64::INFINITY);
    }
    between_all_neighbours::<f16>();
    between_all_neighbours::<bf16>();
    let mut bits = 1u64;
    for _ in 0..100_000 {
        bits = bits
            .wrapping_mul(0x5851_F42D_4C95_7F2D)
            .wrapping_add(0x1405_7B7E_F767_814F);
        let x = f64::from_bits(bits);
        if x.is_finite() {
            assert_eq!(itself(x).nearest::<f64>().to_bits(), x.to_bits());
            assert_eq!(
                itself(x).nearest::<f32>().to_bits(),
                (x as f32).to_bits(),
                "{x:e}"
            );
            assert_eq!(itself(x).to_f64(), x);
        }
    }
}

#[test]
fn infinity_is_right_where_the_truth_rounds_to_it() {
    let (max, inf) = (f64::MAX, f64::INFINITY);
    let twice = |x: f64| truth(x, |x| x.clone() + x);
    assert_eq!(twice(max).ulps(inf), 0.0);
    assert_eq!(twice(max).ulps(max), (1u64 << 53) as f64 - 1.0);
    assert_eq!(itself(max).ulps(inf), 1.0);
    assert_eq!(itself(1e39).ulps(f32::INFINITY), 0.0);
    assert!(itself(1e39).ulps(f32::NEG_INFINITY) > 1e7);
    assert_eq!(truth(1e300, Num::exp).ulps(inf), 0.0);
    assert!(truth(1e300, Num::exp).ulps(max) >= 1.0);
    assert_eq!(itself(1.0).ulps(f64::NAN), inf);
}

#[test]
fn below_the_normal_numbers_an_ulp_is_the_smallest_number() {
    let tiny = f64::from_bits(1);
    assert_eq!(itself(tiny).ulps(0.0), 1.0);
    assert_eq!(itself(0.0).ulps(tiny), 1.0);
    assert_eq!(truth(tiny, |x| x / Num::of(4.0)).ulps(tiny), 0.75);
    assert_eq!(truth(tiny, |x| x / Num::of(4.0)).nearest::<f64>(), 0.0);
    assert_eq!(
        itself(1e-50).ulps(f32::from_bits(1)),
        1.0 - 1e-50 / f64::from(f32::from_bits(1))
    );
}

/// What a formula cancels is made up for; what is left of it beyond `f64` is nothing.
#[test]
fn as_many_bits_as_it_takes() {
    let shrunk = |x| truth(x, |x: Big| x.clone() - x.tanh());
    // mpmath's values.
    for (x, want) in [
        (1.0, 0.238_405_844_044_235_1),
        (1e-3, 3.333_332_000_000_54e-10),
        (1e-20, 3.333_333_333_333_333e-61),
        (1e-100, 3.333_333_333_333_333_4e-301),
    ] {
        assert!(
            shrunk(x).ulps(want) <= 1.0,
            "{x:e}: {:e}",
            shrunk(x).to_f64()
        );
    }
    assert_eq!(shrunk(1e-200).nearest::<f64>(), 0.0);
    assert_eq!(shrunk(5e-324).ulps(0.0), 0.0);
    assert_eq!(truth(0.3, |x| x.clone() - x).ulps(0.0), 0.0);
}
