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
    assert_eq!(truth(1e300, OracleNumber::exp).ulps(inf), 0.0);
    assert!(truth(1e300, OracleNumber::exp).ulps(max) >= 1.0);
    assert_eq!(itself(1.0).ulps(f64::NAN), inf);
}

#[test]
fn below_the_normal_numbers_an_ulp_is_the_smallest_number() {
    let tiny = f64::from_bits(1);
    assert_eq!(itself(tiny).ulps(0.0), 1.0);
    assert_eq!(itself(0.0).ulps(tiny), 1.0);
    assert_eq!(truth(tiny, |x| x / OracleNumber::of(4.0)).ulps(tiny), 0.75);
    assert_eq!(
        truth(tiny, |x| x / OracleNumber::of(4.0)).nearest::<f64>(),
        0.0
    );
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

/// Textbook formulas, with cancellation and tails: the `f64` nearest to what mpmath has with 4,000 bits.
#[test]
fn formulas_of_activations_are_mpmaths() {
    fn half_normal(x: Big) -> Big {
        (-x / Big::of(2.0).sqrt()).erfc() / Big::of(2.0)
    }
    fn softplus(x: Big) -> Big {
        let rest = (-x.clone().abs()).exp().ln_1p();
        if x > Big::of(0.0) { x + rest } else { rest }
    }
    fn formula(name: &str, x: Big) -> Big {
        let of = Big::of;
        match name {
            "sigmoid" => of(1.0) / (of(1.0) + (-x).exp()),
            "softplus" => softplus(x),
            "tanh_shrink" => x.clone() - x.tanh(),
            "gelu" => x.clone() * half_normal(x),
            "gelu_slope" => {
                let gauss = (-x.clone() * x.clone() / of(2.0)).exp();
                half_normal(x.clone()) + x * gauss / (of(2.0) * Big::pi()).sqrt()
            }
            "gelu_tanh" => {
                let cube = x.clone() * x.clone() * x.clone();
                let z = (of(2.0) / Big::pi()).sqrt() * (x.clone() + of(0.044715) * cube);
                x / (of(1.0) + (of(-2.0) * z).exp())
            }
            "mish" => x.clone() * softplus(x).tanh(),
            _ => panic!("{name}"),
        }
    }
    for &(name, x, want) in VALUES {
        let got: f64 = truth(x, |x| formula(name, x)).nearest();
        assert_eq!(got, want, "{name}({x:e})");
    }
}

#[rustfmt::skip]
#[allow(clippy::approx_constant)] // one of them is ln 2
const VALUES: &[(&str, f64, f64)] = &[
    ("sigmoid", 1e-300, 0.5),
    ("sigmoid", -1e-17, 0.5),
    ("sigmoid", 3e-05, 0.5000074999999994),
    ("sigmoid", -0.3, 0.425557483188341),
    ("sigmoid", 0.75, 0.679178699175393),
    ("sigmoid", -0.7517915246935645, 0.3204310619349326),
    ("sigmoid", -1.1924, 0.2328299724992768),
    ("sigmoid", 5.0, 0.9933071490757152),
    ("sigmoid", -6.0, 0.0024726231566347743),
    ("sigmoid", -14.0, 8.315280276641321e-07),
    ("sigmoid", 19.5, 0.9999999966017322),
    ("sigmoid", -37.25, 6.64554417291507e-17),
    ("sigmoid", -38.4, 2.104223637677623e-17),
    ("sigmoid", 40.0, 1.0),
    ("sigmoid", -100.0, 3.720075976020836e-44),
    ("sigmoid", -745.0, 5e-324),
    ("sigmoid", 100000.0, 1.0),
    ("sigmoid", -100000.0, 0.0),
    ("sigmoid", -10000000000.0, 0.0),
    ("sigmoid", 1e300, 1.0),
    ("sigmoid", -1e300, 0.0),
    ("softplus", 1e-300, 0.6931471805599453),
    ("softplus", -1e-17, 0.6931471805599453),
    ("softplus", 3e-05, 0.6931621806724453),
    ("softplus", -0.3, 0.5543552444685271),
    ("softplus", 0.75, 1.1368710061148999),
    ("softplus", -0.7517915246935645, 0.38629659643099895),
    ("softplus", -1.1924, 0.26504682356302023),
    ("softplus", 5.0, 5.006715348489118),
    ("softplus", -6.0, 0.0024756851377304495),
    ("softplus", -14.0, 8.315283733837542e-07),
    ("softplus", 19.5, 19.500000003398267),
    ("softplus", -37.25, 6.64554417291507e-17),
    ("softplus", -38.4, 2.104223637677623e-17),
    ("softplus", 40.0, 40.0),
    ("softplus", -100.0, 3.720075976020836e-44),
    ("softplus", -745.0, 5e-324),
    ("softplus", 100000.0, 100000.0),
    ("softplus", -100000.0, 0.0),
    ("softplus", -10000000000.0, 0.0),
    ("softplus", 1e300, 1e300),
    ("softplus", -1e300, 0.0),
    ("tanh_shrink", 1e-300, 0.0),
    ("tanh_shrink", -1e-17, -3.333333333333334e-52),
    ("tanh_shrink", 3e-05, 8.999999996760001e-15),
    ("tanh_shrink", -0.3, -0.008687387548409094),
    ("tanh_shrink", 0.75, 0.11485104761271268),
    ("tanh_shrink", -0.7517915246935645, -0.11557499002696388),
    ("tanh_shrink", -1.1924, -0.36107828069497294),
    ("tanh_shrink", 5.0, 4.000090795737405),
    ("tanh_shrink", -6.0, -5.000012288349205),
    ("tanh_shrink", -14.0, -13.000000000001382),
    ("tanh_shrink", 19.5, 18.5),
    ("tanh_shrink", -37.25, -36.25),
    ("tanh_shrink", -38.4, -37.4),
    ("tanh_shrink", 40.0, 39.0),
    ("tanh_shrink", -100.0, -99.0),
    ("tanh_shrink", -745.0, -744.0),
    ("tanh_shrink", 100000.0, 99999.0),
    ("tanh_shrink", -100000.0, -99999.0),
    ("tanh_shrink", -10000000000.0, -9999999999.0),
    ("tanh_shrink", 1e300, 1e300),
    ("tanh_shrink", -1e300, -1e300),
    ("gelu", 1e-300, 5e-301),
    ("gelu", -1e-17, -5e-18),
    ("gelu", 3e-05, 1.5000359048052309e-05),
    ("gelu", -0.3, -0.1146265733433142),
    ("gelu", 0.75, 0.5800294857173488),
    ("gelu", -0.7517915246935645, -0.16997120747990366),
    ("gelu", -1.1924, -0.1389768673092193),
    ("gelu", 5.0, 4.999998566742141),
    ("gelu", -6.0, -5.9195258702261885e-09),
    ("gelu", -14.0, -1.091095154686992e-43),
    ("gelu", 19.5, 19.5),
    ("gelu", -37.25, -1.9734635705229075e-302),
    ("gelu", -38.4, -2.535e-321),
    ("gelu", 40.0, 40.0),
    ("gelu", -100.0, 0.0),
    ("gelu", -745.0, 0.0),
    ("gelu", 100000.0, 100000.0),
    ("gelu", -100000.0, 0.0),
    ("gelu", -10000000000.0, 0.0),
    ("gelu", 1e300, 1e300),
    ("gelu", -1e300, 0.0),
    ("gelu_slope", 1e-300, 0.5),
    ("gelu_slope", -1e-17, 0.5),
    ("gelu_slope", 3e-05, 0.5000239365368169),
    ("gelu_slope", -0.3, 0.26767223317289013),
    ("gelu_slope", 0.75, 0.9992257217392351),
    ("gelu_slope", -0.7517915246935645, -6.453751729367753e-18),
    ("gelu_slope", -1.1924, -0.1171098550641877),
    ("gelu_slope", 5.0, 1.000007146946002),
    ("gelu_slope", -6.0, -3.5468709453902015e-08),
    ("gelu_slope", -14.0, -1.527455646325367e-42),
    ("gelu_slope", 19.5, 1.0),
    ("gelu_slope", -37.25, -7.351144191316405e-301),
    ("gelu_slope", -38.4, -9.7346e-320),
    ("gelu_slope", 40.0, 1.0),
    ("gelu_slope", -100.0, 0.0),
    ("gelu_slope", -745.0, 0.0),
    ("gelu_slope", 100000.0, 1.0),
    ("gelu_slope", -100000.0, 0.0),
    ("gelu_slope", -10000000000.0, 0.0),
    ("gelu_slope", 1e300, 1.0),
    ("gelu_slope", -1e300, 0.0),
    ("gelu_tanh", 1e-300, 5e-301),
    ("gelu_tanh", -1e-17, -5e-18),
    ("gelu_tanh", 3e-05, 1.5000359048052307e-05),
    ("gelu_tanh", -0.3, -0.11462907645724076),
    ("gelu_tanh", 0.75, 0.5799605551656203),
    ("gelu_tanh", -0.7517915246935645, -0.17004065395871265),
    ("gelu_tanh", -1.1924, -0.13918873474573296),
    ("gelu_tanh", 5.0, 4.999999770820381),
    ("gelu_tanh", -6.0, -8.439646700762303e-11),
    ("gelu_tanh", -14.0, -2.5694002773535836e-94),
    ("gelu_tanh", 19.5, 19.5),
    ("gelu_tanh", -37.25, 0.0),
    ("gelu_tanh", -38.4, 0.0),
    ("gelu_tanh", 40.0, 40.0),
    ("gelu_tanh", -100.0, 0.0),
    ("gelu_tanh", -745.0, 0.0),
    ("gelu_tanh", 100000.0, 100000.0),
    ("gelu_tanh", -100000.0, 0.0),
    ("gelu_tanh", -10000000000.0, 0.0),
    ("gelu_tanh", 1e300, 1e300),
    ("gelu_tanh", -1e300, 0.0),
    ("mish", 1e-300, 6e-301),
    ("mish", -1e-17, -6.0000000000000004e-18),
    ("mish", 3e-05, 1.8000287999567964e-05),
    ("mish", -0.3, -0.15113317713833457),
    ("mish", 0.75, 0.6100183352182934),
    ("mish", -0.7517915246935645, -0.276781952830543),
    ("mish", -1.1924, -0.3088434128871985),
    ("mish", 5.0, 4.999552077529406),
    ("mish", -6.0, -0.014854080479424993),
    ("mish", -14.0, -1.1641397227369876e-05),
    ("mish", 19.5, 19.5),
    ("mish", -37.25, -2.4754652044108637e-15),
    ("mish", -38.4, -8.080218768682072e-16),
    ("mish", 40.0, 40.0),
    ("mish", -100.0, -3.720075976020836e-42),
    ("mish", -745.0, -2.105e-321),
    ("mish", 100000.0, 100000.0),
    ("mish", -100000.0, 0.0),
    ("mish", -10000000000.0, 0.0),
    ("mish", 1e300, 1e300),
    ("mish", -1e300, 0.0),
];

/// Where no number of bits is enough, nothing is said.
#[test]
fn what_is_not_known_is_refused() {
    type Formula = fn(Big) -> Big;
    let textbook: [(f64, Formula); 4] = [
        // Infinite on the way, and finite in truth.
        (1e300, |x| x.exp().ln_1p()),
        (1e300, |x| (x.clone() / x.clone().exp()) * x.exp()),
        (1e300, |x| x.clone().exp() - x.exp()),
        // 10^-8100, of which 12,032 bits have nothing beside 1, times 10^3600.
        (1e300, |x| {
            let cube = x.clone() * x.clone() * x;
            let large = cube.clone() * cube.clone() * cube.clone();
            let small = Big::of(1.0) / (large.clone() * large.clone() * large.clone());
            (small + Big::of(1.0) - Big::of(1.0)) * large * cube
        }),
    ];
    for (x, f) in textbook {
        let known = std::panic::catch_unwind(|| truth(x, f).to_f64());
        assert!(known.is_err(), "{known:?}");
    }
}
