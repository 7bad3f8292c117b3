//! The loop over one array: `dst[i] = op(src[i])`.

use crate::dtype::Element;
use crate::lanes::{Lanes, V};
use crate::loops::compact::{Step, compact};
use crate::loops::pieces::in_pieces;
use crate::loops::zip::{Pairwise, Zip};
use crate::simd::{MapWithSimd, Simd};
use crate::unary::{F32Lanes, Times, Unary, UnaryInt, forward_f32, forward_f64, forward_int};

/// `map(op, src, dst, len, stream)`: `dst[i] = op(src[i])`, with `stream` by stores that bypass the
/// caches; then [`fence`](crate::fence) before `dst` is published.
///
/// # Safety
/// The CPU runs the kernel's [`Isa`](crate::Isa). `src` is valid for reads and `dst` for writes of
/// `len` elements, at any alignment. They are the same pointer or do not overlap; with `stream`, they
/// do not overlap, and `dst` is aligned to its element.
pub type MapFn<O, E> = unsafe fn(O, *const E, *mut E, usize, bool);

/// An operation as a loop over `E` sees it: on whatever a register of `E` holds.
/// Implemented for every [`Unary`] and [`UnaryInt`].
pub trait Elementwise<E: Element>: Copy {
    /// Whether the loop should go over four registers at a time; else over one.
    const UNROLL: bool = true;

    /// The operation as [`on`](Elementwise::on) wants it; to be asked for once, before the loop.
    #[inline(always)]
    fn ready(self) -> Self {
        self
    }

    /// The loop: `dst[i] = op(src[i])`.
    ///
    /// # Safety
    /// As [`MapWithSimd::map_with_simd`].
    #[inline(always)]
    unsafe fn map<S>(self, s: S, src: *const E, dst: *mut E, len: usize, stream: bool)
    where
        S: Simd + Lanes<E::Lane>,
    {
        // SAFETY: forwarded.
        unsafe { by_register(s, self, src, dst, len, stream) }
    }

    /// The loop with a product: `dst[i] = op(a[i]) · b[i]`.
    ///
    /// # Safety
    /// As [`Zip`] says.
    #[inline(always)]
    unsafe fn times<S>(self, s: S, zip: Zip<Times<Self>, E>)
    where
        S: Simd + Lanes<E::Lane>,
        Times<Self>: Pairwise<E>,
    {
        // SAFETY: forwarded.
        unsafe { compact::<S, E::Lane, _>(s, zip, zip.dst.cast(), zip.len, zip.stream) }
    }

    /// The operation on one register.
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>;
}

/// Whether the map of `O` on `S` goes by pieces.
pub(crate) const fn has_pieces<S: Simd, O: Unary>() -> bool {
    S::ENTRIES >= O::FORWARD_ENTRIES
}

impl<O: Unary> Elementwise<f32> for O {
    const UNROLL: bool = matches!(O::F32, F32Lanes::Single);

    #[inline(always)]
    unsafe fn map<S: Simd>(self, s: S, src: *const f32, dst: *mut f32, len: usize, stream: bool) {
        // SAFETY: forwarded.
        unsafe {
            if const { has_pieces::<S, O>() } && self.in_pieces() {
                in_pieces(s, self, [src], dst, len, stream);
            } else if const { !has_pieces::<S, O>() || !O::PARAMETERS.is_empty() } {
                by_register::<S, f32, O>(s, self, src, dst, len, stream);
            }
        }
    }

    #[inline(always)]
    unsafe fn times<S: Simd>(self, s: S, zip: Zip<Times<Self>, f32>)
    where
        Times<Self>: Pairwise<f32>,
    {
        // SAFETY: forwarded.
        unsafe {
            if const { has_pieces::<S, O>() } {
                in_pieces(s, zip.op, [zip.a, zip.b], zip.dst, zip.len, zip.stream);
            } else {
                compact(s, zip, zip.dst, zip.len, zip.stream);
            }
        }
    }

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f32, V = R>,
    {
        forward_f32(s, self, x)
    }
}

impl<O: Unary> Elementwise<f64> for O {
    const UNROLL: bool = matches!(O::F32, F32Lanes::Single);

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<f64, V = R>,
    {
        forward_f64(s, self, x)
    }
}

macro_rules! of_ints {
    ($($I:ident: $Lane:ident;)*) => {$(
        impl<O: UnaryInt> Elementwise<$I> for O {
            #[inline(always)]
            fn on<S, R: Copy>(self, s: S, x: R) -> R
            where
                S: Simd + Lanes<$Lane, V = R>,
            {
                forward_int::<$I, S, O>(s, self, x)
            }
        }
    )*};
}
of_ints! {
    i8: i8;
    i16: i16;
    i32: i32;
    i64: i64;
    u8: i8;
    u16: i16;
    u32: i32;
    u64: i64;
}

impl<S, E, O> MapWithSimd<S, E> for O
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    #[inline(always)]
    unsafe fn map_with_simd(self, s: S, src: *const E, dst: *mut E, len: usize, stream: bool) {
        // SAFETY: forwarded.
        unsafe { self.ready().map(s, src, dst, len, stream) }
    }
}

/// The loop over registers that is best for the operation.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`].
#[inline(always)]
pub(crate) unsafe fn by_register<S, E, O>(
    s: S,
    op: O,
    src: *const E,
    dst: *mut E,
    len: usize,
    stream: bool,
) where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    // SAFETY: forwarded.
    unsafe {
        if O::UNROLL {
            unrolled(s, op, src.cast(), dst.cast(), len, stream);
        } else {
            compact::<S, E::Lane, _>(s, One { op, src }, dst.cast(), len, stream);
        }
    }
}

/// Four registers at a time, for operations that are a few instructions.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`].
#[inline(always)]
unsafe fn unrolled<S, E, O>(
    s: S,
    op: O,
    src: *const E::Lane,
    dst: *mut E::Lane,
    len: usize,
    stream: bool,
) where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    let n = <S as Lanes<E::Lane>>::N;
    // SAFETY: a register at index `i` covers `i..i + n`, and every `i` below is at most
    // `len - n`; `load_part` and `store_part` get `len < n`. Streaming stores go only to
    // `i = first + k * n`, aligned to a register by the choice of `first`.
    unsafe {
        if len < n {
            return s.store_part(dst, len, op.on(s, s.load_part(src, len)));
        }
        let head = op.on(s, s.load(src));
        if len == n {
            return s.store(dst, head);
        }
        let last = len - n;
        let tail = op.on(s, s.load(src.add(last)));
        let behind = dst.addr() / size_of::<E::Lane>() % n;
        if stream {
            let mut i = (n - behind) % n;
            if i > 0 {
                s.store(dst, head);
            }
            while i + 3 * n <= last {
                let a = s.load(src.add(i));
                let b = s.load(src.add(i + n));
                let c = s.load(src.add(i + 2 * n));
                let d = s.load(src.add(i + 3 * n));
                s.stream(dst.add(i).cast(), op.on(s, a));
                s.stream(dst.add(i + n).cast(), op.on(s, b));
                s.stream(dst.add(i + 2 * n).cast(), op.on(s, c));
                s.stream(dst.add(i + 3 * n).cast(), op.on(s, d));
                i += 4 * n;
            }
            while i <= last {
                s.stream(dst.add(i).cast(), op.on(s, s.load(src.add(i))));
                i += n;
            }
            if i < len {
                s.store(dst.add(last), tail);
            }
        } else {
            let mut i = n - behind;
            while i + 3 * n < last {
                let a = s.load(src.add(i));
                let b = s.load(src.add(i + n));
                let c = s.load(src.add(i + 2 * n));
                let d = s.load(src.add(i + 3 * n));
                s.store(dst.add(i), op.on(s, a));
                s.store(dst.add(i + n), op.on(s, b));
                s.store(dst.add(i + 2 * n), op.on(s, c));
                s.store(dst.add(i + 3 * n), op.on(s, d));
                i += 4 * n;
            }
            while i < last {
                s.store(dst.add(i), op.on(s, s.load(src.add(i))));
                i += n;
            }
            s.store(dst, head);
            s.store(dst.add(last), tail);
        }
    }
}

/// The step of a map.
#[derive(Clone, Copy)]
struct One<O, E> {
    op: O,
    src: *const E,
}

impl<S, E, O> Step<S, E::Lane> for One<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    type X = V<S, E::Lane>;

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> V<S, E::Lane> {
        // SAFETY: forwarded.
        unsafe { s.load(self.src.cast::<E::Lane>().add(i)) }
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> V<S, E::Lane> {
        // SAFETY: forwarded.
        unsafe { s.load_part(self.src.cast::<E::Lane>(), n) }
    }

    #[inline(always)]
    fn on(self, s: S, x: V<S, E::Lane>) -> V<S, E::Lane> {
        self.op.on(s, x)
    }
}
