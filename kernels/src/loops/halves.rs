//! The loops of 16-bit floats.
//!
//! Those of long operations go by the kernels of `f32`: a block is widened into a buffer, computed there, and narrowed.
//! Inlined into a loop of its own for each dtype, a long formula would be compiled three times; and so 16-bit floats
//! have all that makes `f32` fast (`pieces.rs`). The way through the buffer costs two loads and stores a register,
//! which a long operation does not feel.

use core::mem::MaybeUninit;

use crate::derivative::Derivative;
use crate::dtype::{bf16, f16};
use crate::half::{self, Half};
use crate::lanes::{Lanes, V};
use crate::loops::compact::{Step, compact};
use crate::loops::map::{Elementwise, by_register};
use crate::loops::zip::{Pairwise, Zip};
use crate::simd::{Simd, WithSimd};
use crate::unary::{F32Lanes, OnHalf, Unary};

macro_rules! of_halves {
    ($($H:ident)*) => {$(
        impl<O: Unary> Elementwise<$H> for O {
            const UNROLL: bool = matches!(O::ON_HALF, OnHalf::Bits);

            #[inline(always)]
            fn ready(self) -> Self {
                half::ready::<$H, O>(self)
            }

            #[inline(always)]
            unsafe fn map<S: Simd>(self, s: S, src: *const $H, dst: *mut $H, len: usize, stream: bool) {
                // SAFETY: forwarded.
                unsafe {
                    if const { half::is_at_once::<S, O>() } && self.in_pieces() {
                        let step = AtOnce { op: self, src };
                        compact::<S, i16, _>(s, step, dst.cast(), len, stream);
                    } else if const { O::ON_HALF.is_right() } {
                        let step = Values { op: self, src };
                        compact::<S, i16, _>(s, step, dst.cast(), len, stream);
                    } else if const { !half::is_at_once::<S, O>() || !O::PARAMETERS.is_empty() } {
                        if const { is_long(O::F32) } {
                            map_by_f32(s, self, src, dst, len, stream);
                        } else {
                            by_register(s, self, src, dst, len, stream);
                        }
                    }
                }
            }

            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R) -> R
            where
                S: Simd + Lanes<i16, V = R>,
            {
                half::forward::<$H, S, O>(s, self, x)
            }
        }

        impl<D: Derivative> Pairwise<$H> for D {
            #[inline(always)]
            unsafe fn zip<S: Simd>(self, s: S, zip: Zip<Self, $H>) {
                // SAFETY: forwarded.
                unsafe {
                    if const { is_long(D::F32) } {
                        gradient_by_f32::<$H, S, D>(zip);
                    } else {
                        compact::<S, i16, _>(s, zip, zip.dst.cast(), zip.len, zip.stream);
                    }
                }
            }

            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
            where
                S: Simd + Lanes<i16, V = R>,
            {
                half::gradient::<$H, S, D>(s, self, x, dy)
            }
        }
    )*};
}
of_halves! { f16 bf16 }

/// The step of [`half::at_once`], which widens as [`Values`] does.
#[derive(Clone, Copy)]
struct AtOnce<O, H> {
    op: O,
    src: *const H,
}

impl<S: Simd, H: Half, O: Unary> Step<S, i16> for AtOnce<O, H> {
    type X = (V<S, i16>, [V<S, f32>; 2]);

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> Self::X {
        // SAFETY: forwarded.
        let x = unsafe { s.load(self.src.cast::<i16>().add(i)) };
        (x, H::widen(s, x))
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> Self::X {
        // SAFETY: forwarded.
        let x = unsafe { s.load_part(self.src.cast::<i16>(), n) };
        (x, H::widen(s, x))
    }

    #[inline(always)]
    fn on(self, s: S, (x, values): Self::X) -> V<S, i16> {
        half::at_once::<H, S, O>(s, self.op, x, values)
    }
}

/// The step of a map whose results round right. It widens what it loads, which the CPU does on the way from memory.
#[derive(Clone, Copy)]
struct Values<O, H> {
    op: O,
    src: *const H,
}

impl<S: Simd, H: Half, O: Unary> Step<S, i16> for Values<O, H> {
    type X = [V<S, f32>; 2];

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> Self::X {
        // SAFETY: forwarded.
        H::widen(s, unsafe { s.load(self.src.cast::<i16>().add(i)) })
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> Self::X {
        // SAFETY: forwarded.
        H::widen(s, unsafe { s.load_part(self.src.cast::<i16>(), n) })
    }

    #[inline(always)]
    fn on(self, s: S, x: Self::X) -> V<S, i16> {
        half::of_values::<H, S, O>(s, self.op, x)
    }
}

/// Whether an operation computed in these lanes is long.
const fn is_long(lanes: F32Lanes) -> bool {
    !matches!(lanes, F32Lanes::Single)
}

/// Elements of a block. Two or three buffers of it lie in the first-level cache beside the arrays.
const BLOCK: usize = 512;

/// `f32` numbers of a block, in the order in which a unit widens them.
#[repr(align(64))]
struct Buffer([MaybeUninit<f32>; BLOCK]);

impl Buffer {
    #[inline(always)]
    const fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; BLOCK])
    }

    #[inline(always)]
    fn start(&mut self) -> *mut f32 {
        self.0.as_mut_ptr().cast()
    }
}

/// `dst[i] = op(src[i])`.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`](crate::simd::MapWithSimd::map_with_simd).
#[inline(always)]
unsafe fn map_by_f32<H: Half, S: Simd, O: Unary>(
    s: S,
    op: O,
    src: *const H,
    dst: *mut H,
    len: usize,
    stream: bool,
) {
    let n = <S as Lanes<i16>>::N;
    let (mut x, mut y) = (Buffer::new(), Buffer::new());
    let (x, y) = (x.start(), y.start());
    let mut blocks = Blocks::new::<S, H>(dst, len);
    // SAFETY: registers of a block are within the arrays, the last in part; and within the buffers, whose length is a
    // multiple of a register's. The unit is the proof that the CPU has its instructions.
    unsafe {
        while let Some((start, len)) = blocks.next() {
            let (src, dst) = (src.add(start), dst.add(start));
            let lanes = S::with_simd(Widen {
                src: [src],
                to: [x],
                len,
            });
            S::map::<f32, O>(op, x, y, lanes, false);
            let mut i = 0;
            while i < len {
                let (x, y) = (pair(s, x.add(i)), pair(s, y.add(i)));
                let bits = load(s, src.add(i), len - i);
                let y = half::narrow_result::<H, S, O>(s, op, bits, x, y);
                store(s, dst.add(i), len - i, y, stream);
                i += n;
            }
        }
    }
}

/// `dst[i] = dy[i] · of′(x[i])`.
///
/// # Safety
/// As [`Zip`] says.
#[inline(always)]
unsafe fn gradient_by_f32<H: Half, S: Simd, D: Derivative>(zip: Zip<D, H>) {
    let (mut x, mut dy) = (Buffer::new(), Buffer::new());
    let (x, dy) = (x.start(), dy.start());
    let mut blocks = Blocks::new::<S, H>(zip.dst, zip.len);
    // SAFETY: as above.
    unsafe {
        while let Some((start, len)) = blocks.next() {
            let lanes = S::with_simd(Widen {
                src: [zip.a.add(start), zip.b.add(start)],
                to: [x, dy],
                len,
            });
            S::with_simd(Zip::<D, f32> {
                op: zip.op,
                a: x,
                b: dy,
                dst: x,
                len: lanes,
                stream: false,
            });
            S::with_simd(Narrow {
                from: x,
                dst: zip.dst.add(start),
                len,
                stream: zip.stream,
            });
        }
    }
}

/// Where blocks start and how long they are. After the first, they start where `dst` is aligned to a register.
struct Blocks {
    start: usize,
    end: usize,
    len: usize,
}

impl Blocks {
    #[inline(always)]
    fn new<S: Simd, H>(dst: *mut H, len: usize) -> Self {
        let behind = dst.addr() / size_of::<H>() % <S as Lanes<i16>>::N;
        Self {
            start: 0,
            end: BLOCK - behind,
            len,
        }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.start;
        if start >= self.len {
            return None;
        }
        let end = if self.end < self.len {
            self.end
        } else {
            self.len
        };
        (self.start, self.end) = (end, end + BLOCK);
        Some((start, end - start))
    }
}

/// Widens blocks of `A` arrays, behind which it puts zeros up to a whole register. Returns how many `f32` that makes.
///
/// Each of `src` is valid for reads of `len` elements, each of `to` for writes of as many up to whole registers.
struct Widen<H, const A: usize> {
    src: [*const H; A],
    to: [*mut f32; A],
    len: usize,
}

impl<S: Simd, H: Half, const A: usize> WithSimd<S> for Widen<H, A> {
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
        let mut i = 0;
        while i < self.len {
            let mut k = 0;
            while k < A {
                // SAFETY: a register at `i` is within the room of `to`, and what there is of it within `src`.
                unsafe {
                    let [a, b] = H::widen(s, load(s, self.src[k].add(i), self.len - i));
                    let to = self.to[k].add(i);
                    s.store(to, a);
                    s.store(to.add(<S as Lanes<f32>>::N), b);
                }
                k += 1;
            }
            i += <S as Lanes<i16>>::N;
        }
        i
    }
}

/// The way back, rounded to nearest.
///
/// `dst` is valid for writes of `len` elements, `from` for reads of as many up to whole registers.
struct Narrow<H> {
    from: *const f32,
    dst: *mut H,
    len: usize,
    stream: bool,
}

impl<S: Simd, H: Half> WithSimd<S> for Narrow<H> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let mut i = 0;
        while i < self.len {
            // SAFETY: a register at `i` is within the room of `from`, and what there is of it within `dst`.
            unsafe {
                let y = H::narrow(s, pair(s, self.from.add(i)));
                store(s, self.dst.add(i), self.len - i, y, self.stream);
            }
            i += <S as Lanes<i16>>::N;
        }
    }
}

/// Two registers of `f32`, which are one of a 16-bit float.
///
/// # Safety
/// `from` is valid for reads of both.
#[inline(always)]
unsafe fn pair<S: Simd>(s: S, from: *const f32) -> [V<S, f32>; 2] {
    // SAFETY: forwarded.
    unsafe { [s.load(from), s.load(from.add(<S as Lanes<f32>>::N))] }
}

/// A register, or the part of it that there is.
///
/// # Safety
/// `src` is valid for reads of `len` elements, or of a register of more.
#[inline(always)]
unsafe fn load<H: Half, S: Simd>(s: S, src: *const H, len: usize) -> V<S, i16> {
    // SAFETY: forwarded.
    unsafe {
        if len < <S as Lanes<i16>>::N {
            s.load_part(src.cast::<i16>(), len)
        } else {
            s.load(src.cast::<i16>())
        }
    }
}

/// Stores a register, past the caches with `stream` where it is aligned, or the part of it that there is room for.
///
/// # Safety
/// `dst` is valid for writes of `len` elements, or of a register of more.
#[inline(always)]
unsafe fn store<H: Half, S: Simd>(s: S, dst: *mut H, len: usize, y: V<S, i16>, stream: bool) {
    // SAFETY: forwarded.
    unsafe {
        if len < <S as Lanes<i16>>::N {
            s.store_part(dst.cast::<i16>(), len, y);
        } else if stream && dst.addr().is_multiple_of(size_of::<V<S, i16>>()) {
            s.stream(dst.cast(), y);
        } else {
            s.store(dst.cast::<i16>(), y);
        }
    }
}
