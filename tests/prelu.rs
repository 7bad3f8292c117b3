//! Prelu in every layout, on every dtype, backend and thread count, against plain loops.

mod floats;
mod thresholds;

use std::mem::MaybeUninit;

use floats::{Plain, Random, assert_same, numbers};
use halfwave::{Backend, Prelu, backends, bf16, f16};
use rayon::{ThreadPool, ThreadPoolBuilder};

fn pool(threads: usize) -> ThreadPool {
    let builder = ThreadPoolBuilder::new().num_threads(threads);
    builder.build().unwrap()
}

/// Serial and parallel, on each instruction set.
fn all_backends() -> impl Iterator<Item = (Backend, String)> {
    let both = |&b: &Backend| [b, b.par()];
    backends()
        .iter()
        .flat_map(both)
        .map(|b| (b, format!("{b:?}")))
}

/// The slope of element `i`.
fn slope<E: Plain>(prelu: Prelu<E>, i: usize) -> E {
    match prelu {
        Prelu::Shared(slope) => slope,
        Prelu::PerElement(slopes) => slopes[i],
        Prelu::PerChannel { slopes, inner } => slopes[i / inner % slopes.len()],
    }
}

fn forward<E: Plain>(x: E, slope: E) -> E {
    let (value, flat) = (x.to_f64(), slope.to_f64() == 0.0);
    if value == f64::NEG_INFINITY && flat {
        slope.times(E::from_f64(-1.0))
    } else if value < 0.0 {
        slope.times(x)
    } else {
        x
    }
}

fn backward<E: Plain>(x: E, dy: E, slope: E) -> E {
    if x.to_f64() > 0.0 {
        dy
    } else if slope.to_f64() == 0.0 {
        E::default()
    } else {
        slope.times(dy)
    }
}

/// Every form but the sums, on every backend, at an output that is not aligned.
fn check<E: Plain>(prelu: Prelu<E>, x: &[E], dy: &[E], shape: impl std::fmt::Display) {
    let slopes: Vec<E> = (0..x.len()).map(|i| slope(prelu, i)).collect();
    let y: Vec<E> = x
        .iter()
        .zip(&slopes)
        .map(|(&x, &a)| forward(x, a))
        .collect();
    let both = x.iter().zip(dy);
    let dx: Vec<E> = both
        .zip(&slopes)
        .map(|((&x, &dy), &a)| backward(x, dy, a))
        .collect();
    let canary = E::from_f64(7.5);
    for (b, name) in all_backends() {
        let same = |got: &[E], want: &[E], form| {
            assert_same(
                got,
                want,
                format_args!("{form}, {shape}, {}, {name}", E::DTYPE),
            );
        };
        let offset = x.len() % 5;
        let mut out = vec![canary; x.len() + 10];
        b.prelu(prelu, x, &mut out[offset..offset + x.len()]);
        same(&out[offset..offset + x.len()], &y, "forward");
        b.prelu_backward(prelu, x, dy, &mut out[offset..offset + x.len()]);
        same(&out[offset..offset + x.len()], &dx, "backward");
        let around = out[..offset].iter().chain(&out[offset + x.len()..]);
        assert!(around.clone().all(|&c| c == canary), "{shape}, {name}");

        let mut in_place = x.to_vec();
        b.prelu_in_place(prelu, &mut in_place);
        same(&in_place, &y, "in place");
        let mut in_place = dy.to_vec();
        b.prelu_backward_in_place(prelu, x, &mut in_place);
        same(&in_place, &dx, "backward in place");
        same(&b.prelu_to_vec(prelu, x), &y, "to a vector");
        let mut fresh = vec![MaybeUninit::uninit(); x.len()];
        same(
            b.prelu_backward_uninit(prelu, x, dy, &mut fresh),
            &dx,
            "backward, fresh",
        );
    }
}

#[test]
fn every_layout_is_the_plain_loop() {
    fn test<E: Plain>() {
        let (x, dy, slopes) = (
            numbers::<E>(60_000, 1),
            numbers(60_000, 2),
            numbers(60_000, 3),
        );
        for channels in [1, 2, 3, 8, 17, 64, 100, 1000, 1024, 1025, 3001] {
            for inner in [1, 2, 3, 7, 49, 64, 131, 1023, 5000] {
                for batch in [1, 2, 5, 33] {
                    let len = channels * inner * batch;
                    if len <= 20_000 {
                        let slopes = &slopes[..channels];
                        let prelu = Prelu::PerChannel { slopes, inner };
                        let shape = format!("{batch} × {channels} × {inner}");
                        check(prelu, &x[..len], &dy[..len], shape);
                    }
                }
            }
        }
        for len in (0..=130).chain([1000, 1023, 1024, 1025, 5000]) {
            let (x, dy) = (&x[..len], &dy[..len]);
            check(Prelu::PerElement(&slopes[..len]), x, dy, len);
            for slope in [0.25, 0.0, -0.0, -2.0, 1.5, f64::NAN, f64::INFINITY] {
                check(
                    Prelu::Shared(E::from_f64(slope)),
                    x,
                    dy,
                    format_args!("{len} by {slope}"),
                );
            }
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

#[test]
fn beyond_the_cache_too() {
    fn test<E: Plain>() {
        let least = thresholds::streamed::<E>();
        let len = least + 40_000;
        let (x, dy, slopes) = (numbers::<E>(len, 4), numbers(len, 5), numbers(len, 6));
        check(Prelu::Shared(slopes[9]), &x, &dy, "shared");
        check(Prelu::PerElement(&slopes), &x, &dy, "per element");
        for (channels, inner) in [(3, 1), (3000, 1), (64, 49), (5, 7001)] {
            let period = channels * inner;
            let len = least.next_multiple_of(period);
            let slopes = &slopes[..channels];
            let prelu = Prelu::PerChannel { slopes, inner };
            check(
                prelu,
                &x[..len],
                &dy[..len],
                format_args!("{channels} × {inner}"),
            );
        }
    }
    pool(3).install(|| {
        test::<f32>();
        test::<bf16>();
    });
}

/// The shapes of sums: both ways to sum, few and many channels, blocks that come out even and not.
const SHAPES: [[usize; 3]; 17] = [
    [1, 1, 1],
    [3, 1, 5000],
    [2, 3, 1],
    [7, 1, 1],
    [1000, 3, 1],
    [700, 17, 1],
    [64, 256, 1],
    [130, 1000, 1],
    [65, 1024, 1],
    [66, 3001, 1],
    [37, 20, 7],
    [3, 70, 49],
    [129, 30, 63],
    [5, 3, 64],
    [2, 9, 196],
    [3, 2, 4096],
    [2, 3, 9001],
];

/// Sums of integers, which are exact whatever their order.
#[test]
fn slope_gradients_are_the_sums() {
    fn test<E: Plain>() {
        for [batch, channels, inner] in SHAPES {
            let len = batch * channels * inner;
            let mut random = Random(len as u64);
            let mut integers = || (0..len).map(|_| (random.next() % 9) as i64 - 4).collect();
            let (x, dy): (Vec<i64>, Vec<i64>) = (integers(), integers());
            let mut want = vec![0i64; channels];
            for (i, (&x, &dy)) in x.iter().zip(&dy).enumerate() {
                want[i / inner % channels] += x.min(0) * dy;
            }
            let shared: i64 = want.iter().sum();
            let of = |v: &[i64]| -> Vec<E> { v.iter().map(|&i| E::from_f64(i as f64)).collect() };
            let (x, dy, slopes) = (of(&x), of(&dy), vec![E::default(); channels]);
            let prelu = Prelu::PerChannel {
                slopes: &slopes,
                inner,
            };
            for (b, name) in all_backends() {
                let shape = format!("{batch} × {channels} × {inner} of {}, {name}", E::DTYPE);
                let mut dslope = vec![E::from_f64(f64::NAN); channels];
                b.prelu_backward_slope(prelu, &x, &dy, &mut dslope);
                assert_same(&dslope, &of(&want), &shape);
                let mut dslope = [E::from_f64(f64::NAN)];
                b.prelu_backward_slope(Prelu::Shared(E::default()), &x, &dy, &mut dslope);
                assert_same(&dslope, &of(&[shared]), &shape);
                let mut each = vec![E::from_f64(f64::NAN); len];
                b.prelu_backward_slope(Prelu::PerElement(&x), &x, &dy, &mut each);
                for (i, each) in each.into_iter().enumerate() {
                    let want = if x[i].to_f64() >= 0.0 {
                        E::default()
                    } else {
                        x[i].times(dy[i])
                    };
                    assert_same(&[each], &[want], &shape);
                }
            }
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

/// Against sums in integers of 128 bits: products of two multiples of 2^-53 are whole numbers of
/// 2^-106, and those of the lower dtypes too.
#[test]
fn slope_gradients_keep_their_bound() {
    fn test<E: Plain>(digits: u32) {
        let scale = 2f64.powi(digits as i32);
        for [batch, channels, inner] in SHAPES {
            let len = batch * channels * inner;
            let mut random = Random(len as u64 + 77);
            let mut integers = || {
                let number = |_| i128::from(random.next() as i64 >> (64 - digits - 1));
                (0..len).map(number).collect()
            };
            let (x, dy): (Vec<i128>, Vec<i128>) = (integers(), integers());
            let of = |v: &[i128]| -> Vec<E> {
                let exact = v.iter().map(|&i| E::from_f64(i as f64 / scale));
                exact.collect()
            };
            let (mut want, mut magnitude) = (vec![0i128; channels], vec![0i128; channels]);
            for (i, (&x, &dy)) in x.iter().zip(&dy).enumerate() {
                let channel = i / inner % channels;
                want[channel] += x.min(0) * dy;
                magnitude[channel] += (x.min(0) * dy).abs();
            }
            let (x, dy, slopes) = (of(&x), of(&dy), vec![E::default(); channels]);
            let prelu = Prelu::PerChannel {
                slopes: &slopes,
                inner,
            };
            let mut dslope = slopes.clone();
            prelu.backward_slope(&x, &dy, &mut dslope);
            for (channel, &got) in dslope.iter().enumerate() {
                let exact = want[channel] as f64 / scale / scale;
                let bound =
                    (140.0 + (len as f64).log2()) * 2f64.powi(-53) * magnitude[channel] as f64
                        / scale
                        / scale;
                let near = |by: f64| E::from_f64(exact + by).to_f64();
                let got = got.to_f64();
                assert!(
                    near(-bound) <= got && got <= near(bound),
                    "{batch} × {channels} × {inner} of {}, {channel}: {got} for {exact}",
                    E::DTYPE
                );
            }
        }
    }
    test::<f64>(52);
    test::<f32>(23);
    test::<f16>(10);
    test::<bf16>(7);
}

#[test]
fn slope_gradients_have_the_same_bits_everywhere() {
    fn test<E: Plain>(pools: &[ThreadPool]) {
        for [channels, inner] in [[1, 1], [3, 1], [1000, 1], [2500, 1], [48, 49], [7, 10_000]] {
            // Enough for threads to share, and for several blocks of each shape.
            let batch = 16 * thresholds::split() / size_of::<E>() / channels / inner + 1;
            let len = batch * channels * inner;
            let mut random = Random(len as u64);
            let mut floats = || -> Vec<E> {
                let number = |_| E::from_f64(random.next() as i64 as f64 / 2f64.powi(62));
                (0..len).map(number).collect()
            };
            let (x, dy) = (floats(), floats());
            let slopes = vec![E::default(); channels];
            let prelu = Prelu::PerChannel {
                slopes: &slopes,
                inner,
            };
            let sum = |b: Backend| {
                let mut dslope = slopes.clone();
                b.prelu_backward_slope(prelu, &x, &dy, &mut dslope);
                dslope.into_iter().map(E::bits).collect::<Vec<_>>()
            };
            let want = sum(backends()[0]);
            for &b in backends() {
                assert_eq!(sum(b), want, "{channels} × {inner} of {}, {b:?}", E::DTYPE);
                for pool in pools {
                    assert_eq!(pool.install(|| sum(b.par())), want, "{b:?}, {pool:?}");
                }
            }
        }
    }
    let pools = [1, 2, 3, 7, 16].map(pool);
    test::<f32>(&pools);
    test::<f64>(&pools);
    test::<f16>(&pools);
    test::<bf16>(&pools);
}

#[test]
fn slope_gradients_of_what_is_not_finite() {
    let infinity = f32::INFINITY;
    for (x, dy, want) in [
        ([1.0, 0.0, -0.0], [infinity, infinity, f32::NAN], 0.0),
        ([infinity, 0.0, -1.0], [f32::NAN, 1.0, 2.0], -2.0),
        ([-1.0, -1.0, 1.0], [infinity, 1.0, 1.0], -infinity),
        ([-infinity, -1.0, 1.0], [-1.0, 5.0, 1.0], infinity),
        ([-1.0, -1.0, 1.0], [infinity, -infinity, 1.0], f32::NAN),
        ([-infinity, -1.0, 1.0], [0.0, 5.0, 1.0], f32::NAN),
        ([f32::NAN, -1.0, 1.0], [1.0, 5.0, 1.0], f32::NAN),
    ] {
        for (b, name) in all_backends() {
            let mut dslope = [5.0];
            b.prelu_backward_slope(Prelu::Shared(0.1), &x, &dy, &mut dslope);
            assert_eq!(dslope[0].to_bits(), want.to_bits(), "{x:?} {dy:?}, {name}");
        }
    }
}

#[test]
fn nothing_has_a_gradient_of_zero() {
    for (b, _) in all_backends() {
        let mut dslope = [5.0f32; 3];
        let prelu = Prelu::PerChannel {
            slopes: &[0.0; 3],
            inner: 4,
        };
        b.prelu_backward_slope(prelu, &[], &[], &mut dslope);
        assert_eq!(dslope, [0.0; 3]);
        let none: Prelu<f32> = Prelu::PerChannel {
            slopes: &[],
            inner: 4,
        };
        b.prelu(none, &[], &mut []);
        b.prelu_backward_slope(none, &[], &[], &mut []);
    }
}

/// Signalling NaNs too: the bits do not depend on whether a channel's neighbours have a call of their own,
/// have their slopes written out, or are the whole array.
#[test]
fn nan_slopes_have_the_same_bits_in_every_layout() {
    fn test<E: Plain>(values: [E; 5], bits: fn(E) -> u64) {
        const LEN: usize = 768;
        let all = |i: usize| (values[i / 25], values[i / 5 % 5], values[i % 5]);
        for (slope, x, dy) in (0..125).map(all) {
            let (x, dy, slopes) = ([x; LEN], [dy; LEN], [slope; 2]);
            for (b, name) in all_backends() {
                let both = |prelu| {
                    let (mut y, mut dx) = ([E::default(); LEN], [E::default(); LEN]);
                    b.prelu(prelu, &x, &mut y);
                    b.prelu_backward(prelu, &x, &dy, &mut dx);
                    [y, dx].map(|each| each.map(bits))
                };
                let shared = both(Prelu::Shared(slope));
                for inner in [1, 3, 64, LEN / 2] {
                    let slopes = &slopes;
                    let got = both(Prelu::PerChannel { slopes, inner });
                    assert!(
                        got == shared,
                        "{inner}: {slope:?} {x:?} {dy:?} {name}",
                        x = x[0],
                        dy = dy[0]
                    );
                }
            }
        }
    }
    test(
        [0x7FC0_0001, 0xFFC0_0002, 0x7F80_0003, 0xBF80_0000, 0].map(f32::from_bits),
        |x| u64::from(x.to_bits()),
    );
    let f64_bits = [
        0x7FF8 << 48 | 1,
        0xFFF8 << 48 | 2,
        0x7FF0 << 48 | 3,
        0xBFF << 52,
        0,
    ];
    test(f64_bits.map(f64::from_bits), f64::to_bits);
}

#[test]
fn slopes_that_do_not_fit_are_told() {
    let told = |call: &dyn Fn(), words: &[&str]| {
        let call = std::panic::AssertUnwindSafe(call);
        let panic = std::panic::catch_unwind(call).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    let (slopes, x) = ([0.5f32; 3], [1.0f32; 10]);
    let rows = Prelu::PerChannel {
        slopes: &slopes,
        inner: 2,
    };
    told(
        &|| drop(rows.apply_to_vec(&x)),
        &["10 elements", "3 slopes", "2 elements"],
    );
    let huge = Prelu::PerChannel {
        slopes: &slopes,
        inner: usize::MAX,
    };
    told(
        &|| drop(huge.apply_to_vec(&x)),
        &["10 elements", "3 slopes"],
    );
    let none = Prelu::PerChannel {
        slopes: &slopes,
        inner: 0,
    };
    told(
        &|| drop(none.apply_to_vec(&x)),
        &["10 elements", "0 elements"],
    );
    let each = Prelu::PerElement(&slopes);
    told(
        &|| drop(each.apply_to_vec(&x)),
        &["x has 10", "slopes has 3"],
    );
    told(
        &|| rows.apply(&x[..6], &mut [0.0; 5]),
        &["x has 6", "y has 5"],
    );
    told(
        &|| rows.backward_slope(&x[..6], &x[..6], &mut [0.0; 2]),
        &["slopes has 3", "dslope has 2"],
    );
    told(
        &|| Prelu::Shared(1.0).backward_slope(&x, &x, &mut [0.0; 2]),
        &["dslope has 2"],
    );
}
