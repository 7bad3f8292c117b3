//! Pairs of elements apart and together: what lies interleaved in memory, as two arrays.

use crate::dtype::Element;
use crate::lanes::Lanes;
use crate::simd::{Simd, WithSimd};

/// The two ways on one dtype and one instruction set.
///
/// # Safety
/// To call one, the CPU must run the kernels' [`Isa`](crate::Isa), and the pointers be as
/// [`Deinterleave`] and [`Interleave`] say.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct LayoutFns<E> {
    pub deinterleave: unsafe fn(Deinterleave<E>),
    pub interleave: unsafe fn(Interleave<E>),
}

impl<E: Element> LayoutFns<E> {
    pub(crate) const fn of<S: Simd + Lanes<E::Lane>, W>() -> Self {
        Self {
            deinterleave: S::with_simd::<Deinterleave<E>>,
            interleave: S::with_simd::<Interleave<E>>,
        }
    }
}

/// `a[i], b[i] = src[2i], src[2i + 1]` for `i < len`.
///
/// `src` is valid for reads of `2 · len` elements, `a` and `b` for writes of `len`, at any alignment;
/// no two of them overlap.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Deinterleave<E> {
    pub src: *const E,
    pub a: *mut E,
    pub b: *mut E,
    pub len: usize,
}

/// `dst[2i], dst[2i + 1] = a[i], b[i]` for `i < len`.
///
/// `a` and `b` are valid for reads of `len` elements, `dst` for writes of `2 · len`, at any
/// alignment; `dst` overlaps neither. With `stream`, `dst` is aligned to 32 bytes, and whoever asks
/// for it calls [`fence`](crate::fence) before it publishes `dst`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Interleave<E> {
    pub a: *const E,
    pub b: *const E,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

// Nothing is computed here, so an element may go by itself as well as in a register: the remainder
// is a plain loop.

impl<S: Simd + Lanes<E::Lane>, E: Element> WithSimd<S> for Deinterleave<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let Self { src, a, b, len } = self;
        let (a, b) = (a.cast::<E::Lane>(), b.cast::<E::Lane>());
        let src = src.cast::<E::Lane>();
        let n = <S as Lanes<E::Lane>>::N;
        let mut i = 0;
        // SAFETY: registers and elements at `i` end at `i + n <= len` and `i < len`; in `src`, at
        // twice that.
        unsafe {
            while i + n <= len {
                let pairs = [s.load(src.add(2 * i)), s.load(src.add(2 * i + n))];
                let [x, y] = Lanes::<E::Lane>::deinterleave(s, pairs);
                s.store(a.add(i), x);
                s.store(b.add(i), y);
                i += n;
            }
            while i < len {
                a.add(i).write_unaligned(src.add(2 * i).read_unaligned());
                b.add(i)
                    .write_unaligned(src.add(2 * i + 1).read_unaligned());
                i += 1;
            }
        }
    }
}

impl<S: Simd + Lanes<E::Lane>, E: Element> WithSimd<S> for Interleave<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let Self { len, stream, .. } = self;
        let (a, b) = (self.a.cast::<E::Lane>(), self.b.cast::<E::Lane>());
        let dst = self.dst.cast::<E::Lane>();
        let n = <S as Lanes<E::Lane>>::N;
        let mut i = 0;
        // SAFETY: as above, with `dst` for `src`; where it is streamed to, every register of it is
        // as aligned as the first.
        unsafe {
            while i + n <= len {
                let apart = [s.load(a.add(i)), s.load(b.add(i))];
                let [x, y] = Lanes::<E::Lane>::interleave(s, apart);
                if stream {
                    s.stream(dst.add(2 * i).cast(), x);
                    s.stream(dst.add(2 * i + n).cast(), y);
                } else {
                    s.store(dst.add(2 * i), x);
                    s.store(dst.add(2 * i + n), y);
                }
                i += n;
            }
            while i < len {
                dst.add(2 * i).write_unaligned(a.add(i).read_unaligned());
                dst.add(2 * i + 1)
                    .write_unaligned(b.add(i).read_unaligned());
                i += 1;
            }
        }
    }
}
