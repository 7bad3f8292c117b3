//! The least that a form can cost: as many arrays read and written, in one loop that computes next to
//! nothing, past the caches if the arrays are beyond them. An array that is written in place counts
//! as read.

use std::arch::x86_64::*;

use halfwave::Float;

use crate::forms::{Arrays, DRAM};

pub fn run<E: Float>(a: &mut Arrays<E>, reads: usize, writes: usize) {
    assert!(is_x86_feature_detected!("avx2"));
    let (stream, bytes) = (a.len >= DRAM, a.len * size_of::<E>());
    let [x, r, dy] = [&a.x, &a.r, &a.dy].map(|x| x.as_ptr().cast::<u8>());
    let [y, z] = [&mut a.y, &mut a.z].map(|x| x.as_mut_ptr().cast::<u8>());
    // SAFETY: the CPU has AVX2; whole lines of arrays of as many bytes, aligned to lines.
    unsafe {
        match (reads, writes, stream) {
            (1, 0, _) => moved::<1, 1, false>([y], [y], bytes),
            (1, 1, false) => moved::<1, 1, false>([x], [y], bytes),
            (2, 1, false) => moved::<2, 1, false>([x, r], [y], bytes),
            (2, 2, false) => moved::<2, 2, false>([x, r], [y, z], bytes),
            (3, 1, false) => moved::<3, 1, false>([x, r, dy], [y], bytes),
            (3, 2, false) => moved::<3, 2, false>([x, r, dy], [y, z], bytes),
            (1, 1, true) => moved::<1, 1, true>([x], [y], bytes),
            (2, 1, true) => moved::<2, 1, true>([x, r], [y], bytes),
            (2, 2, true) => moved::<2, 2, true>([x, r], [y, z], bytes),
            (3, 1, true) => moved::<3, 1, true>([x, r, dy], [y], bytes),
            (3, 2, true) => moved::<3, 2, true>([x, r, dy], [y, z], bytes),
            _ => unreachable!("no form reads {reads} and writes {writes}"),
        }
    }
}

#[target_feature(enable = "avx2")]
unsafe fn moved<const R: usize, const W: usize, const STREAM: bool>(
    from: [*const u8; R],
    to: [*mut u8; W],
    bytes: usize,
) {
    let mut i = 0;
    while i < bytes {
        for half in [i, i + 32] {
            // SAFETY: within the arrays, as the caller vouches.
            unsafe {
                let mut all = _mm256_set1_epi8(1);
                for p in from {
                    all = _mm256_xor_si256(all, _mm256_loadu_si256(p.add(half).cast()));
                }
                for p in to {
                    if STREAM {
                        _mm256_stream_si256(p.add(half).cast(), all);
                    } else {
                        _mm256_storeu_si256(p.add(half).cast(), all);
                    }
                }
            }
        }
        i += 64;
    }
    _mm_sfence();
}
