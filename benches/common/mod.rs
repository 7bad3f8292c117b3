//! What the benches share: buffers, and loops as others write them.
#![allow(dead_code)] // each bench uses a part

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput};
use halfwave::{Element, memory};

/// Reads as 4 Ki, 256 Ki, 64 Mi elements.
pub const L1: usize = 1 << 12;
pub const L2: usize = 1 << 18;
pub const DRAM: usize = 1 << 26;

/// Elements at a place of our choice within a page. Where the allocator puts them changes from run to
/// run, and a load whose address ends in the same 12 bits as an earlier store's waits for it: in L1
/// that is worth a quarter of the speed.
pub struct Array<E> {
    storage: Vec<E>,
    start: usize,
}

impl<E> Deref for Array<E> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        &self.storage[self.start..]
    }
}

impl<E> DerefMut for Array<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        &mut self.storage[self.start..]
    }
}

/// `len` elements from `make`, `offset` bytes into a page, on huge pages, every page touched.
fn array<E: Element>(len: usize, offset: usize, make: impl Fn(i32) -> E) -> Array<E> {
    const PAGE: usize = 4096;
    let mut storage = memory::vec_with_capacity::<E>(len + 2 * PAGE / size_of::<E>());
    let start = storage.as_ptr().align_offset(PAGE) + offset / size_of::<E>();
    let mut state = 1u32;
    storage.extend((0..start + len).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        make(state as i32 >> 8)
    }));
    Array { storage, start }
}

/// `len` elements of both signs from `make`, at the start of a page.
pub fn input<E: Element>(len: usize, make: impl Fn(i32) -> E) -> Array<E> {
    array(len, 0, make)
}

pub fn floats(len: usize) -> Array<f32> {
    input(len, |i| i as f32)
}

/// `len` zeros, in the middle of a page.
pub fn output<E: Element>(len: usize) -> Array<E> {
    array(len, 2048, |_| E::default())
}

pub fn as_bytes(x: &[f32]) -> &[u8] {
    // SAFETY: plain elements are bytes.
    unsafe { std::slice::from_raw_parts(x.as_ptr().cast(), size_of_val(x)) }
}

pub fn as_bytes_mut(x: &mut [f32]) -> &mut [u8] {
    // SAFETY: plain elements are bytes, and any bytes are an f32.
    unsafe { std::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), size_of_val(x)) }
}

/// A group that prints GB/s of bytes read and written.
pub fn group<'a>(
    c: &'a mut Criterion,
    name: impl Into<String>,
    bytes: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64));
    group
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    if bytes > 16 << 20 {
        group.sample_size(20).sampling_mode(SamplingMode::Flat);
    }
    group
}

/// Relu as others write it.
pub mod peers {
    /// `iter().max`: what the compiler vectorises for the build's baseline. Loses NaN.
    pub fn iterator(src: &[f32], dst: &mut [f32]) {
        for (y, &x) in dst.iter_mut().zip(src) {
            *y = x.max(0.0);
        }
    }

    pub fn iterator_in_place(x: &mut [f32]) {
        for x in x {
            *x = x.max(0.0);
        }
    }

    /// `wide` as its README suggests: whatever `f32x8` is in this build. Loses NaN.
    pub fn wide(src: &[f32], dst: &mut [f32]) {
        use wide::f32x8;
        let (src, src_tail) = src.as_chunks::<8>();
        let (dst, dst_tail) = dst.as_chunks_mut::<8>();
        for (y, x) in dst.iter_mut().zip(src) {
            *y = f32x8::new(*x).max(f32x8::ZERO).to_array();
        }
        iterator(src_tail, dst_tail);
    }

    /// The loop one would write by hand for AVX2: the least that relu can cost.
    #[cfg(target_arch = "x86_64")]
    pub mod hand {
        use std::arch::x86_64::*;

        /// # Safety
        /// The CPU has AVX2.
        #[target_feature(enable = "avx2")]
        pub unsafe fn avx2(src: &[f32], dst: &mut [f32]) {
            assert!(src.len() == dst.len() && src.len().is_multiple_of(32));
            let zero = _mm256_setzero_ps();
            let (src, dst, len) = (src.as_ptr(), dst.as_mut_ptr(), src.len());
            let mut i = 0;
            while i < len {
                // SAFETY: `len` is a multiple of the 32 elements each round takes.
                unsafe {
                    let a = _mm256_max_ps(zero, _mm256_loadu_ps(src.add(i)));
                    let b = _mm256_max_ps(zero, _mm256_loadu_ps(src.add(i + 8)));
                    let c = _mm256_max_ps(zero, _mm256_loadu_ps(src.add(i + 16)));
                    let d = _mm256_max_ps(zero, _mm256_loadu_ps(src.add(i + 24)));
                    _mm256_storeu_ps(dst.add(i), a);
                    _mm256_storeu_ps(dst.add(i + 8), b);
                    _mm256_storeu_ps(dst.add(i + 16), c);
                    _mm256_storeu_ps(dst.add(i + 24), d);
                }
                i += 32;
            }
        }
    }
}
