//! GB/s (read and written) of prelu and of rrelu's training, in cache and beyond, with the limit of their
//! traffic and a plain loop beside them.

mod common;

use common::{DRAM, L2, as_bytes, as_bytes_mut, floats, group, output};
use criterion::{Criterion, criterion_group, criterion_main};
use halfwave::{Prelu, RreluTraining, limits};

/// Layouts of as many elements as `slopes` has, up to less than one period: rows of few and many
/// channels, small and large images.
const LAYOUTS: [(&str, usize, usize); 4] = [
    ("3, last", 3, 1),
    ("512, last", 512, 1),
    ("64 of 7×7", 64, 49),
    ("64 of 56×56", 64, 3136),
];

fn forward(c: &mut Criterion) {
    for len in [L2, DRAM] {
        let (x, slopes, mut y) = (floats(len), floats(len), output::<f32>(len));
        let mut g = group(c, format!("prelu/f32/{len}"), 8 * len);
        g.bench_function("shared", |b| {
            b.iter(|| Prelu::Shared(0.25).apply(&x, &mut y))
        });
        for (name, channels, inner) in LAYOUTS {
            let len = len / (channels * inner) * channels * inner;
            let slopes = &slopes[..channels];
            let prelu = Prelu::PerChannel { slopes, inner };
            g.bench_function(format!("channels: {name}"), |b| {
                b.iter(|| prelu.apply(&x[..len], &mut y[..len]));
            });
        }
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| limits::copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("limit: non-temporal copy", |b| {
            b.iter(|| limits::stream_copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("peer: iterator, 512, last", |b| {
            b.iter(|| {
                for (y, x) in y.chunks_exact_mut(512).zip(x.chunks_exact(512)) {
                    for ((y, &x), &slope) in y.iter_mut().zip(x).zip(&slopes[..512]) {
                        *y = if x < 0.0 { slope * x } else { x };
                    }
                }
            });
        });
        drop(g);
        let mut g = group(c, format!("prelu per element/f32/{len}"), 12 * len);
        let prelu = Prelu::PerElement(&slopes);
        g.bench_function("halfwave", |b| b.iter(|| prelu.apply(&x, &mut y)));
        g.bench_function("peer: iterator", |b| {
            b.iter(|| {
                for ((y, &x), &slope) in y.iter_mut().zip(&*x).zip(&*slopes) {
                    *y = if x < 0.0 { slope * x } else { x };
                }
            });
        });
    }
}

fn backward(c: &mut Criterion) {
    for len in [L2, DRAM] {
        let (x, dy, slopes) = (floats(len), floats(len), floats(4096));
        let mut dx = output::<f32>(len);
        let mut dslope = vec![0.0; 4096];
        let mut g = group(c, format!("prelu backward/f32/{len}"), 12 * len);
        for (name, channels, inner) in LAYOUTS {
            let len = len / (channels * inner) * channels * inner;
            let prelu = Prelu::PerChannel {
                slopes: &slopes[..channels],
                inner,
            };
            g.bench_function(name, |b| {
                b.iter(|| prelu.backward(&x[..len], &dy[..len], &mut dx[..len]))
            });
        }
        drop(g);
        let mut g = group(c, format!("prelu slopes/f32/{len}"), 8 * len);
        for (name, channels, inner) in LAYOUTS {
            let len = len / (channels * inner) * channels * inner;
            let prelu = Prelu::PerChannel {
                slopes: &slopes[..channels],
                inner,
            };
            g.bench_function(name, |b| {
                b.iter(|| prelu.backward_slope(&x[..len], &dy[..len], &mut dslope[..channels]));
            });
        }
        g.bench_function("limit: read", |b| b.iter(|| read(&x) + read(&dy)));
        g.bench_function("peer: iterator, shared", |b| {
            b.iter(|| {
                let products = x.iter().zip(&*dy).map(|(x, dy)| f64::from(x.min(0.0) * dy));
                products.sum::<f64>()
            });
        });
    }
}

/// Reads everything, and little more.
fn read(x: &[f32]) -> i32 {
    let bits = x.chunks_exact(16).map(|x| x[0].to_bits() as i32);
    bits.fold(0, i32::wrapping_add)
}

fn rrelu(c: &mut Criterion) {
    let rrelu = RreluTraining::new(0.125, 1.0 / 3.0, 1).unwrap();
    for len in [L2, DRAM] {
        let (x, dy, mut y) = (floats(len), floats(len), output::<f32>(len));
        let mut g = group(c, format!("rrelu/f32/{len}"), 8 * len);
        g.bench_function("training", |b| b.iter(|| rrelu.apply(&x, &mut y)));
        g.bench_function("limit: non-temporal copy", |b| {
            b.iter(|| limits::stream_copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("peer: iterator, xorshift", |b| {
            b.iter(|| {
                let mut state = 1u32;
                for (y, &x) in y.iter_mut().zip(&*x) {
                    state ^= state << 13;
                    state ^= state >> 17;
                    state ^= state << 5;
                    let t = (state >> 8) as f32 / 16_777_216.0;
                    *y = if x < 0.0 {
                        (0.125 + t * (1.0 / 3.0 - 0.125)) * x
                    } else {
                        x
                    };
                }
            });
        });
        drop(g);
        let mut g = group(c, format!("rrelu backward/f32/{len}"), 12 * len);
        g.bench_function("training", |b| b.iter(|| rrelu.backward(&x, &dy, &mut y)));
    }
}

criterion_group!(benches, forward, backward, rrelu);
criterion_main!(benches);
