//! Quantised outputs and tables of bytes against their definitions in plain arithmetic.

mod lut;
#[path = "../thresholds/mod.rs"]
mod thresholds;

use std::fmt::Debug;
use std::mem::MaybeUninit;

use halfwave::{
    Activation, Backend, Clip, Float, LeakyRelu, Operation, Quantizable, Quantization, Quantize,
    Quantized, Relu, backends, bf16, dequantize, f16, quantize,
};
use rayon::ThreadPoolBuilder;

/// ONNX's formula: a division in f32, half to even, and no cleverness.
fn expected<Q: Quantized>(x: f64, to: Quantization<Q>) -> Q {
    let zero_point: i32 = to.zero_point().into();
    let steps = x as f32 / to.scale();
    let q = if steps.is_nan() {
        i64::from(zero_point)
    } else {
        // Saturates far beyond any byte.
        (steps.round_ties_even() as i64).saturating_add(i64::from(zero_point))
    };
    let q = q.clamp(Q::MIN.into(), Q::MAX.into());
    Q::try_from(q as i32).ok().expect("clamped")
}

fn to<Q: Quantized>(scale: f32, zero_point: i32) -> Quantization<Q> {
    Quantization::new(scale, zero_point).unwrap()
}

/// Every backend, alone and on the pool.
fn all() -> Vec<Backend> {
    backends().iter().flat_map(|b| [*b, b.par()]).collect()
}

#[track_caller]
fn assert_same<T: PartialEq + Debug>(got: &[T], want: &[T], context: impl Debug) {
    assert_eq!(got.len(), want.len(), "{context:?}");
    if let Some(i) = (0..got.len()).find(|&i| got[i] != want[i]) {
        panic!("{context:?}: at {i} {:?}, not {:?}", got[i], want[i]);
    }
}

#[track_caller]
fn assert_quantized<E: Quantizable, Q: Quantized>(x: &[E], to: Quantization<Q>) {
    let want: Vec<_> = x.iter().map(|x| expected(x.to_f64(), to)).collect();
    for b in all() {
        let mut q = vec![Q::default(); x.len()];
        b.quantize(x, to, &mut q);
        if q != want {
            let i = (0..q.len()).find(|&i| q[i] != want[i]).unwrap();
            let (x, q, want) = (x[i].to_f64(), q[i], want[i]);
            panic!("{b:?} {to:?}: {x:e} at {i} is {q:?}, not {want:?}");
        }
    }
}

const SCALES: [f32; 9] = [
    1.0,
    0.5,
    0.1,
    3.0,
    0.007_874_016,
    0.023_529_412,
    1e-30,
    f32::MIN_POSITIVE / 64.0,
    f32::MAX,
];

fn zero_points<Q: Quantized>() -> [i32; 5] {
    [Q::MIN, Q::MIN + 1, 7, Q::MAX - 2, Q::MAX]
}

fn for_each_grid<Q: Quantized>(mut then: impl FnMut(Quantization<Q>)) {
    for scale in SCALES {
        for zero_point in zero_points::<Q>() {
            then(to(scale, zero_point));
        }
    }
}

#[test]
fn every_half() {
    fn test<H: Quantizable, Q: Quantized>(of: fn(u16) -> H) {
        let x: Vec<_> = (0..=u16::MAX).map(of).collect();
        for_each_grid::<Q>(|to| assert_quantized(&x, to));
    }
    test::<f16, i8>(f16::from_bits);
    test::<f16, u8>(f16::from_bits);
    test::<bf16, i8>(bf16::from_bits);
    test::<bf16, u8>(bf16::from_bits);
}

#[test]
fn edges_of_f32() {
    let mut x = vec![f32::NAN, -f32::NAN, f32::from_bits(0xFF80_0001)];
    for edge in [
        0.0,
        f32::from_bits(1),
        f32::MIN_POSITIVE,
        1.0,
        127.5,
        8_388_608.0,
        2_147_483_520.0,
        2_147_483_648.0,
        4_294_967_296.0,
        f32::MAX,
        f32::INFINITY,
    ] {
        x.extend([edge, -edge, edge.next_down(), -edge.next_down()]);
    }
    for_each_grid::<i8>(|to| assert_quantized(&x, to));
    for_each_grid::<u8>(|to| assert_quantized(&x, to));
}

/// 64 floats on either side of every number where the result changes, ties among them: with a scale
/// that is a power of two, these are exact.
#[test]
fn around_every_rounding_boundary() {
    for scale in SCALES {
        let mut x = vec![];
        for step in -260..260 {
            let middle = ((f64::from(step) + 0.5) * f64::from(scale)) as f32;
            if middle.is_finite() {
                let bits = middle.to_bits();
                x.extend((bits.saturating_sub(64)..=bits + 64).map(f32::from_bits));
            }
        }
        for zero_point in [0, -128, 127, 3] {
            assert_quantized(&x, to::<i8>(scale, zero_point));
            assert_quantized(&x, to::<u8>(scale, zero_point + 128));
        }
    }
}

#[test]
fn ties_go_to_even_before_the_zero_point() {
    let x = [-2.5f32, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5];
    let mut q = [0i8; 7];
    quantize(&x, to(1.0, 3), &mut q);
    assert_eq!(q, [1, 1, 3, 3, 3, 5, 5]);
}

/// The node tests `test_quantizelinear` and `test_dequantizelinear` of the package `onnx` 1.23.2: those
/// of its that have one scale for all.
#[test]
fn the_examples_of_onnx() {
    let mut q = [0u8; 6];
    quantize(
        &[0.0f32, 2.0, 3.0, 1000.0, -254.0, -1000.0],
        to(2.0, 128),
        &mut q,
    );
    assert_eq!(q, [128, 129, 130, 255, 1, 0]);

    let mut x = [0.0f32; 4];
    dequantize(&[0u8, 3, 128, 255], to(2.0, 128), &mut x);
    assert_eq!(x, [-256.0, -250.0, 0.0, 254.0]);
}

fn numbers<E: Float>(len: usize) -> Vec<E> {
    let mut state = 1u64;
    let next = |i: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        match i % 37 {
            5 => E::from_f64(f64::NAN),
            9 => E::from_f64(f64::NEG_INFINITY),
            _ => E::from_f64(((state >> 40) as f64 - 8_388_608.0) / 4e4),
        }
    };
    (0..len).map(next).collect()
}

/// Every length around the loops' blocks, every offset of source and destination, and nothing written
/// but what was asked for.
#[test]
fn every_length_and_offset() {
    fn test<E: Quantizable + Debug, Q: Quantized>() {
        let to = to::<Q>(1.7, 11);
        let all_x = numbers::<E>(300);
        let canary = Q::of_bits(0xA5);
        for b in backends() {
            for len in 0..=4 * 32 + 3 {
                for offset in 0..33 {
                    let x = &all_x[offset % 9..][..len];
                    let want: Vec<Q> = x.iter().map(|x| expected(x.to_f64(), to)).collect();
                    let mut q = [canary; 200];
                    b.quantize(x, to, &mut q[offset..][..len]);
                    assert_same(&q[offset..][..len], &want, (b, len, offset));
                    let around = q[..offset].iter().chain(&q[offset + len..]);
                    assert!(
                        around.into_iter().all(|q| *q == canary),
                        "{b:?} {len} {offset}"
                    );

                    let mut y = [E::from_f64(-77.0); 200];
                    b.dequantize(&want, to, &mut y[offset..][..len]);
                    for (i, y) in y.iter().enumerate() {
                        let want = match i.checked_sub(offset).and_then(|i| want.get(i)) {
                            Some(q) => E::from_f64(f64::from(value(*q, to))),
                            None => E::from_f64(-77.0),
                        };
                        assert_eq!(*y, want, "{b:?} {len} {offset} at {i}");
                    }
                }
            }
        }
    }
    test::<f32, i8>();
    test::<f32, u8>();
    test::<f16, i8>();
    test::<bf16, u8>();
}

fn value<Q: Quantized>(q: Q, of: Quantization<Q>) -> f32 {
    let zero_point: i32 = of.zero_point().into();
    (q.into() - zero_point) as f32 * of.scale()
}

#[test]
fn every_byte_comes_back() {
    fn test<E: Quantizable + Debug, Q: Quantized>() {
        let q: Vec<Q> = (0..=255).map(Q::of_bits).collect();
        for_each_grid::<Q>(|of| {
            let want: Vec<E> = q
                .iter()
                .map(|q| E::from_f64(f64::from(value(*q, of))))
                .collect();
            for b in all() {
                let mut x = vec![E::default(); 256];
                b.dequantize(&q, of, &mut x);
                assert_same(&x, &want, (b, of));
                let mut x = vec![MaybeUninit::uninit(); 256];
                assert_same(b.dequantize_uninit(&q, of, &mut x), &want, (b, of));
            }
        });
    }
    test::<f32, i8>();
    test::<f32, u8>();
    test::<f16, i8>();
    test::<f16, u8>();
    test::<bf16, i8>();
    test::<bf16, u8>();
}

/// Lengths on both sides of every decision: a piece, the break-even of threads, streaming.
fn lengths<E>() -> [usize; 7] {
    let of_bytes = |bytes: usize| bytes / (size_of::<E>() + 1);
    [
        1,
        1000,
        1024,
        5000,
        of_bytes(thresholds::split() / 2),
        of_bytes(thresholds::split()) + 1,
        of_bytes(thresholds::stream()) + 1033,
    ]
}

/// After an operation: the bits of the two steps, in every form, at every size, wherever the
/// destination lies in a line.
#[test]
fn fused_is_unfused() {
    fn test<E: Quantizable, Q: Quantized, O: Operation<E>>(op: O) {
        let to = to::<Q>(0.9, 5);
        let max = *lengths::<E>().last().unwrap();
        let x = numbers::<E>(max);
        let mut y = vec![E::default(); max];
        op.apply(&x, &mut y);
        let want: Vec<Q> = y.iter().map(|y| expected(y.to_f64(), to)).collect();
        let mut q = vec![Q::default(); max + 64];
        for len in lengths::<E>() {
            let (x, want) = (&x[..len], &want[..len]);
            for b in all() {
                for offset in [0, 31] {
                    q.fill(Q::of_bits(0xA5));
                    b.apply_quantize(op, x, to, &mut q[offset..][..len]);
                    assert_same(&q[offset..][..len], want, (b, len, offset));
                    assert!(q[..offset].iter().all(|q| q.bits() == 0xA5));
                    assert!(q[offset + len..].iter().all(|q| q.bits() == 0xA5));
                }
                let mut q = vec![MaybeUninit::uninit(); len];
                assert_same(b.apply_quantize_uninit(op, x, to, &mut q), want, (b, len));
            }
            op.quantize(x, to, &mut q[..len]);
            assert_same(&q[..len], want, "Quantize::quantize");
            q.fill(Q::default());
            op.par_quantize(x, to, &mut q[..len]);
            assert_same(&q[..len], want, "Quantize::par_quantize");
            assert_same(&op.quantize_to_vec(x, to), want, "quantize_to_vec");
        }
    }
    on_three_threads(|| {
        test::<f32, u8, _>(Relu);
        test::<f32, i8, _>(LeakyRelu::new(0.3).unwrap());
        test::<f16, i8, _>(Relu);
        test::<bf16, u8, _>(Clip::new(-3.0, 100.0).unwrap());
    });
}

#[test]
fn streamed_and_parallel_is_plain() {
    fn test<E: Quantizable + Debug, Q: Quantized>() {
        let to = to::<Q>(1.3, 2);
        let max = *lengths::<E>().last().unwrap();
        let x = numbers::<E>(max);
        let q: Vec<Q> = x.iter().map(|x| expected(x.to_f64(), to)).collect();
        let y: Vec<E> = q
            .iter()
            .map(|q| E::from_f64(f64::from(value(*q, to))))
            .collect();
        for b in all() {
            for len in lengths::<E>() {
                let mut got = vec![MaybeUninit::uninit(); len];
                let at = len.min(7);
                let got = b.quantize_uninit(&x[at..len], to, &mut got[at..]);
                assert_same(got, &q[at..len], (b, len));
                let mut got = vec![E::default(); len];
                b.dequantize(&q[..len], to, &mut got);
                assert_same(&got, &y[..len], (b, len));
            }
        }
    }
    on_three_threads(|| {
        test::<f32, i8>();
        test::<bf16, u8>();
    });
}

fn on_three_threads(test: impl FnOnce() + Send) {
    let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(test);
}

#[test]
fn what_cannot_be_is_refused_by_name_and_value() {
    for scale in [0.0, -0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = Quantization::<i8>::new(scale, 0).unwrap_err().to_string();
        assert!(error.contains(&format!("scale is {scale};")), "{error}");
    }
    for (zero_point, dtype) in [(-129, "i8"), (128, "i8"), (-1, "u8"), (256, "u8")] {
        let error = match dtype {
            "i8" => Quantization::<i8>::new(1.0, zero_point).unwrap_err(),
            _ => Quantization::<u8>::new(1.0, zero_point).unwrap_err(),
        };
        let error = error.to_string();
        assert!(
            error.contains(&format!("zero_point is {zero_point}; of {dtype}")),
            "{error}"
        );
    }
}

#[test]
fn lengths_that_differ_are_told() {
    let to = to::<u8>(1.0, 0);
    type Call = fn(&[f32], Quantization<u8>, &mut [u8]);
    let calls: [Call; 3] = [
        |x, to, q| quantize(x, to, q),
        |x, to, q| Relu.quantize(x, to, q),
        |_, to, q| dequantize(&[0; 3], to, &mut vec![0.0f32; q.len()]),
    ];
    for call in calls {
        let panic = std::panic::catch_unwind(|| call(&[1.0; 3], to, &mut [0; 4])).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert!(
            message.contains("src has 3") && message.contains("dst has 4"),
            "{message}"
        );
    }
}
