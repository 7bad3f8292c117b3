//! Rrelu in training against a plain generator, and its slopes against what is uniform.

mod floats;
mod thresholds;

use floats::{Plain, assert_same, numbers};
use halfwave::{Backend, Prelu, RreluTraining, backends, bf16, f16};
use rayon::ThreadPoolBuilder;

/// Philox4x32-10 as its paper has it.
fn philox(counter: u64, seed: u64) -> [u32; 4] {
    let mut c = [counter as u32, (counter >> 32) as u32, 0, 0];
    let mut key = [seed as u32, (seed >> 32) as u32];
    for _ in 0..10 {
        let p = u64::from(c[0]) * 0xD251_1F53;
        let q = u64::from(c[2]) * 0xCD9E_8D57;
        let high = |x: u64| (x >> 32) as u32;
        c = [
            high(q) ^ c[1] ^ key[0],
            q as u32,
            high(p) ^ c[3] ^ key[1],
            p as u32,
        ];
        key = [
            key[0].wrapping_add(0x9E37_79B9),
            key[1].wrapping_add(0xBB67_AE85),
        ];
    }
    c
}

/// Word `i` of the stream.
fn word(i: u64, seed: u64) -> u32 {
    let counter = 4 * (i / 16) + i % 8 / 2;
    philox(counter, seed)[(2 * (i % 16 / 8) + i % 2) as usize]
}

trait Slope: Plain {
    /// Slope `i` as the generator has it.
    fn drawn(i: u64, lower: f64, upper: f64, seed: u64) -> Self;

    /// Slope `i` as it must come out: no slope is `-0`.
    fn slope(i: u64, lower: f64, upper: f64, seed: u64) -> Self {
        let slope = Self::drawn(i, lower, upper, seed);
        if slope.to_f64() == 0.0 {
            Self::default()
        } else {
            slope
        }
    }
}

impl Slope for f32 {
    fn drawn(i: u64, lower: f64, upper: f64, seed: u64) -> f32 {
        let t = ((word(i, seed) >> 9) as f32 + 0.5) / 2f32.powi(23);
        // A finite bound stays finite.
        let bound = |x: f64| (x as f32).clamp(f32::MIN, f32::MAX);
        let (lower, upper) = (bound(lower), bound(upper));
        ((1.0 - t) * lower + t * upper).clamp(lower, upper)
    }
}

impl Slope for f64 {
    fn drawn(i: u64, lower: f64, upper: f64, seed: u64) -> f64 {
        let draw = philox(4 * (i / 8) + i % 4, seed);
        let pair = 2 * (i % 8 / 4) as usize;
        let bits = u64::from(draw[pair + 1]) << 20 | u64::from(draw[pair] >> 12);
        let t = (bits as f64 + 0.5) / 2f64.powi(52);
        ((1.0 - t) * lower + t * upper).clamp(lower, upper)
    }
}

impl Slope for f16 {
    fn drawn(i: u64, lower: f64, upper: f64, seed: u64) -> f16 {
        f16::from_f32(f32::drawn(i, lower, upper, seed))
    }
}

impl Slope for bf16 {
    fn drawn(i: u64, lower: f64, upper: f64, seed: u64) -> bf16 {
        bf16::from_f32(f32::drawn(i, lower, upper, seed))
    }
}

const BOUNDS: [(f64, f64); 6] = [
    (0.125, 1.0 / 3.0),
    (-0.5, 0.25),
    (0.1, 0.1),
    (0.0, 0.0),
    (-1e30, 1e30),
    (f64::MIN, f64::MAX),
];

/// Bounds between which some dtype rounds a slope to `-0`: on both sides of half the smallest number of
/// `f16`, `bf16`, `f32` and `f64`, and zeros themselves.
const TINY: [(f64, f64); 14] = [
    (-0.0, -0.0),
    (-0.0, 0.0),
    (-1e-9, 1e-9),
    (-2.9802322387695313e-8, -2.9802322387695313e-8), // -2^-25, which f16 rounds to even
    (-2.98023259404e-8, -2.98023259404e-8),           // and one that it does not
    (-1e-7, 1e-7),
    (-1e-42, 1e-42),
    (-4.591774807899561e-41, -4.591774807899561e-41), // -2^-134, which bf16 rounds to even
    (-4.5919149377459e-41, -4.5919149377459e-41),     // and one that it does not
    (-1e-40, 1e-40),
    (-2e-45, -0.0),
    (-1e-45, 1e-45),
    (-5e-324, -0.0),
    (-5e-324, 5e-324),
];

fn all_backends() -> impl Iterator<Item = Backend> {
    backends().iter().flat_map(|&b| [b, b.par()])
}

#[test]
fn slopes_are_the_generator_s() {
    fn test<E: Slope>() {
        for (lower, upper) in BOUNDS.into_iter().chain(TINY) {
            for (seed, start) in [
                (0, 0),
                (42, 3),
                (u64::MAX, (1 << 40) + 13),
                (7 << 32, 1 << 63),
            ] {
                let rrelu = RreluTraining::new(lower, upper, seed)
                    .unwrap()
                    .starting_at(start);
                for len in (0..50).chain([1000, 1024, 1041, 4000]) {
                    let at = |i: usize| E::slope(start + i as u64, lower, upper, seed);
                    let want: Vec<E> = (0..len).map(at).collect();
                    for b in all_backends() {
                        let mut slopes = vec![E::default(); len + 2];
                        b.rrelu_slopes(rrelu, &mut slopes[1..=len]);
                        let context = format!("{rrelu:?}, {len} {}, {b:?}", E::DTYPE);
                        assert_same(&slopes[1..=len], &want, &context);
                        assert_eq!([slopes[0], slopes[len + 1]], [E::default(); 2], "{context}");
                    }
                }
            }
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

/// Forward, noise and backward are prelu's with the slopes written out, cut anyhow.
#[test]
fn every_form_has_the_slopes_of_prelu() {
    fn test<E: Slope>(len: usize, bounds: (f64, f64)) {
        let (x, dy) = (numbers::<E>(len, 1), numbers::<E>(len, 2));
        let rrelu = RreluTraining::new(bounds.0, bounds.1, 12)
            .unwrap()
            .starting_at(5);
        let slope = |i: usize| E::slope(5 + i as u64, bounds.0, bounds.1, 12);
        let slopes: Vec<E> = (0..len).map(slope).collect();
        let prelu = Prelu::PerElement(&slopes);
        let y = prelu.apply_to_vec(&x);
        let (mut dx, mut derivatives) = (x.clone(), x.clone());
        prelu.backward(&x, &dy, &mut dx);
        prelu.backward(&x, &vec![E::from_f64(1.0); len], &mut derivatives);
        // A zero has one sign, in the slope and in what it is the derivative of.
        for ((x, &slope), &derivative) in x.iter().zip(&slopes).zip(&derivatives) {
            let positive = x.to_f64() > 0.0;
            let want = if positive { E::from_f64(1.0) } else { slope };
            assert_same(&[derivative], &[want], format_args!("{bounds:?}"));
        }
        for b in all_backends() {
            let same = |got: &[E], want: &[E], form| {
                let dtype = E::DTYPE;
                let context = format_args!("{form} of {len} {dtype} in {bounds:?}, {b:?}");
                assert_same(got, want, context);
            };
            let (mut out, mut noise) = (dy.clone(), dy.clone());
            b.rrelu(rrelu, &x, &mut out);
            same(&out, &y, "forward");
            b.rrelu_backward(rrelu, &x, &dy, &mut out);
            same(&out, &dx, "backward");
            b.rrelu_with_noise(rrelu, &x, &mut out, &mut noise);
            same(&out, &y, "forward with noise");
            same(&noise, &derivatives, "noise");
            same(&b.rrelu_to_vec(rrelu, &x), &y, "to a vector");
            out.copy_from_slice(&x);
            b.rrelu_in_place(rrelu, &mut out);
            same(&out, &y, "in place");
            out.copy_from_slice(&dy);
            b.rrelu_backward_in_place(rrelu, &x, &mut out);
            same(&out, &dx, "backward in place");
            let mut at = 0;
            for step in [1, 2, 15, 16, 17, 1000, 3000].into_iter().cycle() {
                let end = len.min(at + step);
                let part = rrelu.starting_at(5 + at as u64);
                b.rrelu(part, &x[at..end], &mut out[at..end]);
                at = end;
                if at == len {
                    break;
                }
            }
            same(&out, &y, "in parts");
        }
    }
    let around_zero = (-0.25, 1.0 / 3.0);
    let all = |len, bounds| {
        test::<f32>(len, bounds);
        test::<f64>(len, bounds);
        test::<f16>(len, bounds);
        test::<bf16>(len, bounds);
    };
    for len in (0..70).chain([1023, 1024, 1025, 10_000]) {
        all(len, around_zero);
    }
    for bounds in TINY {
        all(1100, bounds);
    }
    test::<f32>(thresholds::streamed::<f32>() + 250, around_zero);
    test::<f16>(thresholds::streamed::<f16>() + 500, around_zero);
}

/// What the tests of `TINY` stand on: the generator alone would give `-0`, and numbers beside it.
#[test]
fn some_slopes_round_to_zero() {
    fn test<E: Slope>() {
        let negative_zero = E::from_f64(-0.0).bits();
        let drawn = TINY.map(|(lower, upper)| {
            let slopes = (0..1000).map(|i| E::drawn(i, lower, upper, 42));
            slopes.map(E::bits).collect::<Vec<_>>()
        });
        let is_zero = |bits: &u64| *bits == negative_zero;
        let mixed = |slopes: &&Vec<u64>| {
            slopes.iter().any(is_zero)
                && slopes.iter().any(|bits| E::from_bits(*bits).to_f64() < 0.0)
        };
        assert!(drawn[0].iter().all(is_zero), "{}", E::DTYPE);
        assert!(drawn.iter().filter(mixed).count() > 0, "{}", E::DTYPE);
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

/// Of a usual layer, one slope in millions: the first that was found.
#[test]
fn a_slope_of_f16_that_rounds_to_zero() {
    let rrelu = RreluTraining::new(-0.25, 1.0 / 3.0, 12)
        .unwrap()
        .starting_at(15_170_641);
    for b in all_backends() {
        let (mut y, mut noise) = ([f16::ONE], [f16::ONE]);
        b.rrelu_with_noise(rrelu, &[f16::NEG_ONE], &mut y, &mut noise);
        assert_eq!(noise[0].to_bits(), 0, "{b:?}");
        assert_eq!(y[0].to_bits(), f16::NEG_ZERO.to_bits(), "{b:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = numbers::<f32>(thresholds::split() / 4 + 77, 3);
    let rrelu = RreluTraining::new(0.125, 0.5, 99).unwrap();
    let want = rrelu.apply_to_vec(&x);
    for threads in [1, 2, 3, 7, 16] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        for b in backends() {
            let y = pool.install(|| b.par().rrelu_to_vec(rrelu, &x));
            assert_same(&y, &want, format_args!("{threads} threads, {b:?}"));
        }
    }
}

/// Mean, variance, histogram and correlation of neighbours within five standard deviations: the seed is
/// fixed, so that this passes or fails once and for all.
#[test]
fn slopes_are_uniform() {
    fn test<E: Plain>(unit: impl Fn(&[E]) -> Vec<f64>) {
        const LEN: usize = 1 << 20;
        let mut slopes = vec![E::default(); LEN];
        RreluTraining::new(1.0, 2.0, 2026)
            .unwrap()
            .slopes(&mut slopes);
        let t = unit(&slopes);
        let n = LEN as f64;
        assert!(t.iter().all(|t| (0.0..=1.0).contains(t)));
        let mean = t.iter().sum::<f64>() / n;
        assert!(
            (mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(),
            "mean {mean}"
        );
        let variance = t.iter().map(|t| (t - 0.5).powi(2)).sum::<f64>() / n;
        assert!(
            (variance - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / n).sqrt(),
            "{variance}"
        );
        let mut histogram = [0.0; 64];
        t.iter()
            .for_each(|t| histogram[((t * 64.0) as usize).min(63)] += 1.0);
        let deviation = (n / 64.0 * (1.0 - 1.0 / 64.0)).sqrt();
        for (i, count) in histogram.into_iter().enumerate() {
            assert!((count - n / 64.0).abs() < 5.0 * deviation, "{i}: {count}");
        }
        for lag in [1, 2, 4, 8, 16, 1024] {
            let pairs = t.iter().zip(&t[lag..]);
            let covariance = pairs.map(|(a, b)| (a - 0.5) * (b - 0.5)).sum::<f64>() / n;
            assert!(
                covariance.abs() < 5.0 / 12.0 / n.sqrt(),
                "lag {lag}: {covariance}"
            );
        }
    }
    test::<f32>(|x| x.iter().map(|&x| f64::from(x) - 1.0).collect());
    test::<f64>(|x| x.iter().map(|&x| x - 1.0).collect());
}

#[test]
fn slopes_stay_between_the_bounds() {
    fn test<E: Plain>() {
        for (lower, upper) in BOUNDS.into_iter().chain(TINY) {
            if size_of::<E>() < 8 && upper == f64::MAX {
                continue; // infinite on this dtype
            }
            let mut slopes = vec![E::default(); 10_000];
            RreluTraining::new(lower, upper, 5)
                .unwrap()
                .slopes(&mut slopes);
            let bounds = E::from_f64(lower).to_f64()..=E::from_f64(upper).to_f64();
            let inside = |slope: &E| bounds.contains(&slope.to_f64());
            assert!(slopes.iter().all(inside), "{bounds:?}, {}", E::DTYPE);
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

#[test]
fn seeds_differ_and_bad_bounds_are_told() {
    let slopes = |seed| {
        let mut slopes = [0.0f32; 100];
        RreluTraining::new(0.0, 1.0, seed)
            .unwrap()
            .slopes(&mut slopes);
        slopes
    };
    for seed in [1, 1 << 31, 1 << 32, 1 << 63] {
        let same = slopes(0)
            .iter()
            .zip(slopes(seed))
            .filter(|(a, b)| **a == *b)
            .count();
        assert!(same < 3, "{seed}: {same}");
    }
    for (lower, upper, words) in [
        (f64::NAN, 1.0, ["lower is NaN", "finite"]),
        (0.0, f64::INFINITY, ["upper is inf", "finite"]),
        (0.5, 0.25, ["lower is 0.5", "upper is 0.25"]),
    ] {
        let message = RreluTraining::new(lower, upper, 0).unwrap_err().to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
}

#[test]
#[should_panic(expected = "3 elements from index 18446744073709551614 on")]
fn indexes_end_somewhere() {
    let rrelu = RreluTraining::new(0.0, 1.0, 0).unwrap();
    rrelu.starting_at(u64::MAX - 1).slopes(&mut [0.0f32; 3]);
}
