//! Masks, counts and compaction against plain loops, by bits.

mod check;
mod common;
#[path = "../thresholds/mod.rs"]
mod thresholds;

use halfwave::sparsity;
use halfwave::{backends, bf16, f16};
use rayon::{ThreadPool, ThreadPoolBuilder};

use check::check;
use common::{
    Bits, Random, any, compacted, count, is_non_zero, is_positive, mask_of, rectified, same, sparse,
};

macro_rules! on_all_dtypes {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn f32() { super::$name::<f32>() }
            #[test]
            fn f64() { super::$name::<f64>() }
            #[test]
            fn f16() { super::$name::<half::f16>() }
            #[test]
            fn bf16() { super::$name::<half::bf16>() }
        }
    )*};
}
on_all_dtypes! {
    every_length every_density beyond_the_cache any_number_of_threads
}

fn every_length<E: Bits>() {
    for b in backends() {
        for len in (0..=140)
            .chain(250..=260)
            .chain(500..=520)
            .chain(1020..=1030)
            .chain([2047, 2048, 2049, 3000])
        {
            check::<u32, E>(*b, &any(len), len % 35);
        }
        for len in [0, 1, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025, 5000] {
            check::<u64, E>(*b, &any(len), len % 9);
        }
    }
}

fn every_density<E: Bits>() {
    for b in backends() {
        for of in [0, 1, 2, 3, 10, 1000] {
            for len in [5, 64, 200, 1500, 4097] {
                check::<u32, E>(*b, &sparse(len, of), 3);
                check::<u64, E>(*b, &sparse(len, of), 0);
            }
        }
    }
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

fn beyond_the_cache<E: Bits>() {
    let len = thresholds::streamed::<E>() + 1001;
    let x = any::<E>(len);
    for b in backends() {
        check::<u32, E>(*b, &x, 5);
        pool(3).install(|| check::<u64, E>(b.par(), &x, 3));
    }
}

fn any_number_of_threads<E: Bits>() {
    let x = any::<E>(2 * thresholds::split() / size_of::<E>() + 17);
    for threads in [1, 2, 3, 7, 16] {
        pool(threads).install(|| check::<u32, E>(backends()[0].par(), &x, 1));
    }
}

#[test]
fn all_values_of_the_halves() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for b in backends() {
        check::<u32, _>(
            *b,
            &all.iter().map(|&x| f16::from_bits(x)).collect::<Vec<_>>(),
            0,
        );
        check::<u32, _>(
            *b,
            &all.iter().map(|&x| bf16::from_bits(x)).collect::<Vec<_>>(),
            0,
        );
    }
}

/// "In a randomly initialized network, around 50% of hidden units are activated": pre-activations of
/// such a layer are symmetric about zero.
#[test]
fn about_half_of_a_rectified_random_layer_is_zero() {
    let mut random = Random(1);
    let mut uniform = || (random.next() >> 40) as f32 / (1 << 24) as f32 - 0.5;
    let layer: Vec<f32> = (0..100_000)
        .map(|_| (0..12).map(|_| uniform()).sum())
        .collect();
    let mut y = vec![0.0; layer.len()];
    let active = sparsity::relu_with_count(&layer, &mut y);
    approx::assert_abs_diff_eq!(active as f64 / layer.len() as f64, 0.5, epsilon = 0.01);
    let (indices, values) = sparsity::compact_to_vecs::<u32, _>(&y);
    assert_eq!(
        sparsity::relu_compact_to_vecs(&layer),
        (indices.clone(), values.clone())
    );
    assert_eq!(
        (indices.len(), sparsity::par_count_nonzero(&y)),
        (active, active)
    );
    // What is left says all.
    let mut again = vec![0.0; y.len()];
    for (i, v) in indices.iter().zip(values) {
        again[*i as usize] = v;
    }
    assert_eq!(again, y);
}

/// The free functions are the methods.
#[test]
fn the_free_functions_are_the_backend_s() {
    let x = any::<f32>(thresholds::streamed::<f32>() + 1);
    let (want_y, want_mask, n) = (rectified(&x), mask_of(&x), count(&x, is_positive));
    let (mut y, mut mask) = (vec![1.0; x.len()], vec![1; x.len().div_ceil(8)]);
    for form in [
        sparsity::relu_with_mask::<f32>,
        sparsity::par_relu_with_mask,
    ] {
        form(&x, &mut y, &mut mask);
        same(&y, &want_y, "y");
        assert_eq!(mask, want_mask);
    }
    for form in [
        sparsity::relu_with_count::<f32>,
        sparsity::par_relu_with_count,
    ] {
        assert_eq!(form(&x, &mut y), n);
    }
    for form in [
        sparsity::relu_mask_backward::<f32>,
        sparsity::par_relu_mask_backward,
    ] {
        form(&mask, &x, &mut y);
        assert_eq!(count(&y, is_non_zero), n);
    }
    let want = compacted::<u64, f32>(&x, is_positive);
    for form in [
        sparsity::relu_compact_to_vecs::<u64, f32>,
        sparsity::par_relu_compact_to_vecs,
    ] {
        let (indices, values) = form(&x);
        assert_eq!(indices, want.0);
        same(&values, &want.1, "values");
        assert_eq!(indices.capacity(), n);
    }
}

#[track_caller]
fn panics_with(parts: &[&str], call: impl FnOnce() + std::panic::UnwindSafe) {
    let panic = std::panic::catch_unwind(call).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn lengths_that_differ_are_told() {
    let x = [1.0f32; 17];
    panics_with(&["x has 17", "y has 16"], || {
        sparsity::relu_with_mask(&x, &mut [0.0; 16], &mut [0; 3])
    });
    panics_with(&["17 elements", "3 bytes", "has 2"], || {
        sparsity::relu_with_mask(&x, &mut [0.0; 17], &mut [0; 2])
    });
    panics_with(&["17 elements", "3 bytes", "has 4"], || {
        sparsity::relu_with_mask_in_place(&mut x.clone(), &mut [0; 4])
    });
    panics_with(&["dy has 17", "dx has 18"], || {
        sparsity::relu_mask_backward(&[0; 3], &x, &mut [0.0; 18])
    });
    panics_with(&["17 elements", "3 bytes", "has 0"], || {
        sparsity::relu_mask_backward_in_place(&[], &mut x.clone())
    });
    panics_with(&["x has 17", "y has 1"], || {
        let _ = sparsity::par_relu_with_count(&x, &mut [0.0; 1]);
    });
}
