//! Masks, counts and compaction of f32, half of it above zero, in the second-level cache and beyond
//! the last. Throughput is of the bytes that each form must read and write; its limit moves as many.

mod common;

use common::{Array, as_bytes, as_bytes_mut, floats, group, output, peers};
use criterion::{Criterion, criterion_group, criterion_main};
use halfwave::{Activation, Relu, limits, memory, sparsity};

const SIZES: [usize; 2] = [1 << 16, 1 << 25];

/// Moves `bytes` in all, by the faster of the ways: through the caches, or past them.
fn limit(bytes: usize, from: &Array<f32>, to: &mut Array<f32>) {
    let (from, to) = (
        &as_bytes(from)[..bytes / 2],
        &mut as_bytes_mut(to)[..bytes / 2],
    );
    if bytes >= memory::streaming_threshold() {
        limits::stream_copy(from, to);
    } else {
        limits::copy(from, to);
    }
}

fn mask(c: &mut Criterion) {
    for len in SIZES {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let (from, mut to) = (floats(2 * len), output::<f32>(2 * len));
        let mut mask = vec![0; len / 8];
        let bytes = 8 * len + len / 8;

        let mut g = group(c, format!("sparsity/mask/{len}"), bytes);
        g.bench_function("limit: copy", |b| b.iter(|| limit(bytes, &from, &mut to)));
        g.bench_function("relu_with_mask", |b| {
            b.iter(|| sparsity::relu_with_mask(&x, &mut y, &mut mask));
        });
        g.bench_function("relu, then the mask by a plain loop", |b| {
            b.iter(|| {
                Relu.apply(&x, &mut y);
                for (bits, x) in mask.iter_mut().zip(x.chunks_exact(8)) {
                    *bits = (0..8).fold(0, |bits, i| bits | u8::from(x[i] > 0.0) << i);
                }
            });
        });
        g.bench_function("relu_mask_backward", |b| {
            b.iter(|| sparsity::relu_mask_backward(&mask, &x, &mut y));
        });
        g.finish();

        let mut g = group(c, format!("sparsity/mask in place/{len}"), bytes);
        g.bench_function("limit: write back", |b| {
            b.iter(|| limits::write_back(as_bytes_mut(&mut y)));
        });
        g.bench_function("relu_with_mask_in_place", |b| {
            b.iter(|| sparsity::relu_with_mask_in_place(&mut y, &mut mask));
        });
        g.bench_function("relu_mask_backward_in_place", |b| {
            b.iter(|| sparsity::relu_mask_backward_in_place(&mask, &mut y));
        });
        g.finish();

        // The peer of the backward pass reads all of x.
        let mut g = group(c, format!("sparsity/backward from x/{len}"), 12 * len);
        g.bench_function("backward", |b| {
            b.iter(|| Relu.backward(&x, &from[..len], &mut y))
        });
    }
}

fn count(c: &mut Criterion) {
    for len in SIZES {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let mut g = group(c, format!("sparsity/count/{len}"), 8 * len);
        g.bench_function("limit: copy", |b| {
            b.iter(|| limits::stream_copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("relu_with_count", |b| {
            b.iter(|| sparsity::relu_with_count(&x, &mut y))
        });
        g.bench_function("relu, then count_nonzero", |b| {
            b.iter(|| {
                Relu.apply(&x, &mut y);
                sparsity::count_nonzero(&y)
            });
        });
        g.finish();

        let mut g = group(c, format!("sparsity/count alone/{len}"), 4 * len);
        g.bench_function("count_nonzero", |b| b.iter(|| sparsity::count_nonzero(&x)));
        g.bench_function("par_count_nonzero", |b| {
            b.iter(|| sparsity::par_count_nonzero(&x))
        });
        g.bench_function("iterator", |b| {
            b.iter(|| x.iter().filter(|&&x| x != 0.0).count())
        });
    }
}

fn compact(c: &mut Criterion) {
    for len in SIZES {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let (from, mut to) = (floats(len), output::<f32>(len));
        let (mut indices, mut values) = (vec![0u32; len], vec![0f32; len]);
        let n = sparsity::relu_compact(&x, &mut indices, &mut values).expect("as long as x");
        let bytes = 4 * len + 8 * n;

        let mut g = group(c, format!("sparsity/compact/{len}"), bytes);
        g.bench_function("limit: copy", |b| {
            b.iter(|| limit(bytes.min(8 * len), &from, &mut to))
        });
        g.bench_function("relu_compact", |b| {
            b.iter(|| sparsity::relu_compact(&x, &mut indices, &mut values));
        });
        g.bench_function("par_relu_compact", |b| {
            b.iter(|| sparsity::par_relu_compact(&x, &mut indices, &mut values));
        });
        g.bench_function("relu, then a plain loop", |b| {
            b.iter(|| {
                peers::iterator(&x, &mut y);
                let mut n = 0;
                for (i, &y) in y.iter().enumerate().filter(|&(_, &y)| y != 0.0) {
                    (indices[n], values[n]) = (i as u32, y);
                    n += 1;
                }
                n
            });
        });
    }
}

criterion_group!(benches, mask, count, compact);
criterion_main!(benches);
