//! What the machine can do at best: the loops a kernel is measured against, in the same run.
//!
//! They move bytes and compute nothing. An out-of-place kernel cannot beat the faster of
//! [`copy`] and [`stream_copy`]; an in-place one cannot beat [`write_back`].

#![allow(unsafe_code)]

/// `memcpy`: through the caches, or past them where the C library sees fit.
///
/// # Panics
/// If the lengths differ.
pub fn copy(src: &[u8], dst: &mut [u8]) {
    dst.copy_from_slice(src);
}

/// Copies by non-temporal stores, which do not read the line they overwrite. A plain
/// [`copy`] where the CPU has none (all but x86-64 with AVX2).
///
/// # Panics
/// If the lengths differ.
pub fn stream_copy(src: &[u8], dst: &mut [u8]) {
    assert_eq!(src.len(), dst.len(), "src and dst must be of one length");
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2.
        return unsafe { x86::stream_copy(src, dst) };
    }
    copy(src, dst);
}

/// Reads every byte and writes it back changed.
pub fn write_back(x: &mut [u8]) {
    #[cfg(all(target_arch = "x86_64", feature = "std"))]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the CPU has AVX2.
        return unsafe { x86::write_back(x) };
    }
    flip(x);
}

#[inline(always)]
fn flip(x: &mut [u8]) {
    for byte in x {
        *byte = !*byte;
    }
}

#[cfg(all(target_arch = "x86_64", feature = "std"))]
mod x86 {
    use core::arch::x86_64::{__m256i, _mm_sfence, _mm256_loadu_si256, _mm256_stream_si256};

    const REGISTER: usize = size_of::<__m256i>();

    #[target_feature(enable = "avx2")]
    pub fn stream_copy(src: &[u8], dst: &mut [u8]) {
        let head = dst.as_ptr().align_offset(REGISTER).min(dst.len());
        let body = (dst.len() - head) / (4 * REGISTER) * (4 * REGISTER);
        let (head, body) = (0..head, head..head + body);
        let tail = body.end..dst.len();

        dst[head.clone()].copy_from_slice(&src[head]);
        dst[tail.clone()].copy_from_slice(&src[tail]);
        let (src, dst) = (src[body.clone()].as_ptr(), dst[body.clone()].as_mut_ptr());
        let mut i = 0;
        while i < body.len() {
            // SAFETY: `i + 4 * REGISTER <= body.len()`, a multiple of that; `dst` is aligned.
            unsafe {
                let at = |k| _mm256_loadu_si256(src.add(i + k * REGISTER).cast());
                let (a, b, c, d) = (at(0), at(1), at(2), at(3));
                let p = dst.add(i).cast::<__m256i>();
                _mm256_stream_si256(p, a);
                _mm256_stream_si256(p.add(1), b);
                _mm256_stream_si256(p.add(2), c);
                _mm256_stream_si256(p.add(3), d);
            }
            i += 4 * REGISTER;
        }
        _mm_sfence();
    }

    #[target_feature(enable = "avx2")]
    pub fn write_back(x: &mut [u8]) {
        super::flip(x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn stream_copy_copies_at_every_length_and_offset() {
        let src: Vec<u8> = (0..400u32).map(|i| i as u8).collect();
        for len in 0..300 {
            for offset in 0..40 {
                let mut dst = alloc::vec![0xAA; 400];
                stream_copy(&src[3..3 + len], &mut dst[offset..offset + len]);
                assert_eq!(dst[offset..offset + len], src[3..3 + len]);
                assert!(
                    dst[..offset]
                        .iter()
                        .chain(&dst[offset + len..])
                        .all(|&b| b == 0xAA)
                );
            }
        }
    }

    #[test]
    fn write_back_changes_every_byte() {
        let mut x: Vec<u8> = (0..100).collect();
        write_back(&mut x);
        assert!(x.iter().zip(0..).all(|(&y, i): (_, u8)| y == !i));
    }
}
