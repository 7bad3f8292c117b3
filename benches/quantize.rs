//! GB/s (read and written) of quantisation and of tables of bytes, with the least their traffic costs
//! and the scalar loop beside them.

mod common;

use common::{DRAM, L1, L2, floats, group, input, output};
use criterion::{Criterion, criterion_group, criterion_main};
use halfwave::{
    Activation, Lut8, Op, Quantization, Quantize, Relu, bf16, dequantize, limits, quantize,
};

fn to() -> Quantization<i8> {
    Quantization::new(70_000.0, 3).expect("a scale and a zero point")
}

fn f32_to_i8(c: &mut Criterion) {
    for len in [L1, L2, DRAM] {
        let (x, mut y, mut q) = (floats(len), output::<f32>(len), output::<i8>(len));
        let mut g = group(c, format!("quantize/f32 to i8/{len}"), 5 * len);
        g.bench_function("quantize", |b| b.iter(|| quantize(&x, to(), &mut q)));
        g.bench_function("relu, quantize", |b| {
            b.iter(|| Relu.quantize(&x, to(), &mut q))
        });
        g.bench_function("relu, quantize in two passes", |b| {
            b.iter(|| {
                Relu.apply(&x, &mut y);
                quantize(&y, to(), &mut q);
            })
        });
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            for (name, stream) in [("plain", false), ("non-temporal", true)] {
                g.bench_function(format!("limit: read 4, write 1, {name}"), |b| {
                    // SAFETY: the CPU has AVX2.
                    b.iter(|| unsafe { limit::four_to_one(&x, &mut q, stream) })
                });
            }
        }
        g.bench_function("peer: scalar", |b| b.iter(|| scalar(&x, to(), &mut q)));
    }
}

fn other_ways(c: &mut Criterion) {
    for len in [L2, DRAM] {
        let x = input(len, |i| bf16::from_f32(i as f32));
        let (mut y, mut q) = (output::<f32>(len), output::<i8>(len));
        let mut g = group(c, format!("quantize/bf16 to i8/{len}"), 3 * len);
        g.bench_function("quantize", |b| b.iter(|| quantize(&x, to(), &mut q)));
        drop(g);
        let mut g = group(c, format!("dequantize/i8 to f32/{len}"), 5 * len);
        g.bench_function("dequantize", |b| b.iter(|| dequantize(&q, to(), &mut y)));
    }
}

fn tables(c: &mut Criterion) {
    let of = Quantization::<i8>::new(0.05, 0).expect("a scale and a zero point");
    let lut = Lut8::new("leaky_relu".parse::<Op>().expect("an operation"), of, of);
    let table = lut.table();
    for len in [4 * L1, 4 * L2, 4 * DRAM] {
        let (x, mut y) = (input(len, |i| i as i8), output::<i8>(len));
        let mut g = group(c, format!("lut8/{len}"), 2 * len);
        for backend in halfwave::backends() {
            g.bench_function(backend.name(), |b| {
                b.iter(|| backend.lookup(&lut, &x, &mut y))
            });
        }
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| limits::copy(bytes(&x), bytes_mut(&mut y)))
        });
        g.bench_function("limit: non-temporal copy", |b| {
            b.iter(|| limits::stream_copy(bytes(&x), bytes_mut(&mut y)))
        });
        g.bench_function("peer: scalar table", |b| {
            b.iter(|| {
                for (y, &x) in y.iter_mut().zip(&*x) {
                    *y = table[usize::from(x as u8)];
                }
            })
        });
    }
}

/// Quantisation as one writes it.
fn scalar(x: &[f32], to: Quantization<i8>, q: &mut [i8]) {
    let zero_point = f32::from(to.zero_point());
    for (q, x) in q.iter_mut().zip(x) {
        *q = ((x / to.scale()).round_ties_even() + zero_point) as i8;
    }
}

fn bytes(x: &[i8]) -> &[u8] {
    // SAFETY: bytes are bytes.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), x.len()) }
}

fn bytes_mut(x: &mut [i8]) -> &mut [u8] {
    // SAFETY: bytes are bytes.
    unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), x.len()) }
}

#[cfg(target_arch = "x86_64")]
mod limit {
    use std::arch::x86_64::*;

    /// The traffic of a quantisation, and next to no arithmetic.
    ///
    /// # Safety
    /// The CPU has AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn four_to_one(src: &[f32], dst: &mut [i8], stream: bool) {
        assert!(src.len() == dst.len() && src.len().is_multiple_of(32));
        assert!(dst.as_ptr().cast::<__m256i>().is_aligned());
        let (src, dst, len) = (src.as_ptr(), dst.as_mut_ptr(), src.len());
        let mut i = 0;
        while i < len {
            // SAFETY: `len` is a multiple of the 32 elements each round takes, and `dst` aligned.
            unsafe {
                let a = _mm256_or_ps(_mm256_loadu_ps(src.add(i)), _mm256_loadu_ps(src.add(i + 8)));
                let b = _mm256_or_ps(
                    _mm256_loadu_ps(src.add(i + 16)),
                    _mm256_loadu_ps(src.add(i + 24)),
                );
                let y = _mm256_castps_si256(_mm256_or_ps(a, b));
                if stream {
                    _mm256_stream_si256(dst.add(i).cast(), y);
                } else {
                    _mm256_store_si256(dst.add(i).cast(), y);
                }
            }
            i += 32;
        }
        if stream {
            _mm_sfence();
        }
    }
}

criterion_group!(benches, f32_to_i8, other_ways, tables);
criterion_main!(benches);
