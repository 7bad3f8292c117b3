//! The loop over one array: `dst[i] = op(src[i])`.

use crate::derivative::Times;
use crate::dtype::Element;
use crate::lanes::{Lanes, V};
use crate::loops::compact::{Step, compact};
use crate::loops::pieces::in_pieces;
use crate::loops::zip::{Pairwise, Zip};
use crate::register::{Lane, Mask, Register};
use crate::simd::{MapWithSimd, Simd};
use crate::unary::{F32Lanes, Unary, UnaryInt, forward_f32, forward_f64, forward_int};

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
    unsafe fn map<S: Simd>(self, s: S, src: *const f64, dst: *mut f64, len: usize, stream: bool) {
        // SAFETY: forwarded.
        unsafe {
            if const { O::BY_TABLES.on::<S>() && O::TABLE_RANGE.is_some() } {
                in_blocks(s, self, src, dst, len, stream);
            } else {
                by_register::<S, f64, O>(s, self, src, dst, len, stream);
            }
        }
    }

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
        if const { O::UNROLL } {
            unrolled(s, op, src.cast(), dst.cast(), len, stream);
        } else {
            compact::<S, E::Lane, _>(s, One { op, src }, dst.cast(), len, stream);
        }
    }
}

/// How many registers [`in_blocks`] looks at together.
const BLOCK: usize = 8;

/// One register at a time, for operations by tables, where a block of eight is looked at first. If all its numbers are
/// such that the short way is right, that runs without a test and a branch for each register: about 1.05 times as fast
/// (AVX-512 on a Xeon, by turns). Other blocks, and what is shorter than one, take the loop that other operations take.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`].
#[inline(always)]
unsafe fn in_blocks<S: Simd, O: Unary>(
    s: S,
    op: O,
    src: *const f64,
    dst: *mut f64,
    len: usize,
    stream: bool,
) {
    let n = <S as Lanes<f64>>::N;
    let block = BLOCK * n;
    // First up to where a register is aligned in `dst`.
    let mut part = if len < 2 * block || !op.in_pieces() {
        len
    } else {
        (dst.addr() / size_of::<f64>()).wrapping_neg() % n
    };
    let mut i = 0;
    // SAFETY: `i + part` and, in the inner loop, `i + block` are at most `len`. Parts and blocks do not overlap: where
    // `dst` is `src`, nothing is stored that is still to be loaded. A block is streamed where a register is aligned.
    unsafe {
        loop {
            if part > 0 {
                let src = src.add(i);
                compact::<S, f64, _>(s, One { op, src }, dst.add(i), part, stream);
                i += part;
            }
            if i == len {
                return;
            }
            while len - i >= block && is_near::<S, O>(s, src.add(i)) {
                let end = i + block;
                while i < end {
                    let x = Register::<f64, S>::new(s, s.load(src.add(i)));
                    let y = op.near_by_tables(x).v();
                    let to = dst.add(i).cast::<V<S, f64>>();
                    if stream && to.addr() % size_of::<V<S, f64>>() == 0 {
                        s.stream(to, y);
                    } else {
                        s.store(to.cast::<f64>(), y);
                    }
                    i += n;
                }
            }
            part = block.min(len - i);
        }
    }
}

/// Whether the short way by tables is right for all numbers of a block. Their sum tells whether one is NaN, which gets
/// lost in a maximum; where the range is wide it tells enough about the largest, too.
///
/// # Safety
/// `src` is valid for reads of a block.
#[inline(always)]
unsafe fn is_near<S: Simd, O: Unary>(s: S, src: *const f64) -> bool {
    let Some((from, to)) = O::TABLE_RANGE else {
        return false;
    };
    // SAFETY: the caller vouches for a block.
    let first = Register::<f64, S>::new(s, unsafe { s.load(src) }).abs();
    let (mut sum, mut least, mut most) = (first, first, first);
    let mut j = 1;
    while j < BLOCK {
        // SAFETY: as above.
        let x = unsafe { s.load(src.add(j * <S as Lanes<f64>>::N)) };
        let a = Register::<f64, S>::new(s, x).abs();
        sum = sum + a;
        least = a.min(least);
        most = a.max(most);
        j += 1;
    }
    let (from, to) = (first.splat(from), first.splat(to));
    let narrow = const {
        match O::TABLE_RANGE {
            Some((_, to)) => to < 80.0,
            None => false,
        }
    };
    if narrow {
        let numbers = sum.le(sum.splat(f64::INFINITY)).all();
        numbers && most.le(to).all() && from.le(least).all()
    } else {
        let from_zero = const { matches!(O::TABLE_RANGE, Some((0.0, _))) };
        sum.le(to).all() && (from_zero || from.le(least).all())
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
        let part = len < n;
        let first = if part {
            s.load_part(src, len)
        } else {
            s.load(src)
        };
        let head = op.on(s, first);
        if part {
            return s.store_part(dst, len, head);
        }
        if len == n {
            return s.store(dst, head);
        }
        let last = len - n;
        let tail = op.on(s, s.load(src.add(last)));
        let behind = dst.addr() / size_of::<E::Lane>() % n;
        let (mut i, end);
        if stream {
            (i, end) = ((n - behind) % n, last + 1);
            if i > 0 {
                s.store(dst, head);
            }
            while i + 3 * n < end {
                let y = four(s, op, src.add(i));
                s.stream(dst.add(i).cast(), y[0]);
                s.stream(dst.add(i + n).cast(), y[1]);
                s.stream(dst.add(i + 2 * n).cast(), y[2]);
                s.stream(dst.add(i + 3 * n).cast(), y[3]);
                i += 4 * n;
            }
        } else {
            (i, end) = (n - behind, last);
            while i + 3 * n < end {
                let y = four(s, op, src.add(i));
                s.store(dst.add(i), y[0]);
                s.store(dst.add(i + n), y[1]);
                s.store(dst.add(i + 2 * n), y[2]);
                s.store(dst.add(i + 3 * n), y[3]);
                i += 4 * n;
            }
        }
        // One loop for the rest of both: each more has the operation once more.
        while i < end {
            let y = op.on(s, s.load(src.add(i)));
            if stream {
                s.stream(dst.add(i).cast(), y);
            } else {
                s.store(dst.add(i), y);
            }
            i += n;
        }
        if !stream {
            s.store(dst, head);
        }
        if !stream || i < len {
            s.store(dst.add(last), tail);
        }
    }
}

/// The results of four registers. In a loop, which the compiler unrolls: what it is given has the operation once.
///
/// # Safety
/// `src` is valid for reads of four registers.
#[inline(always)]
unsafe fn four<S, E, O>(s: S, op: O, src: *const E::Lane) -> [V<S, E::Lane>; 4]
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Elementwise<E>,
{
    let n = <S as Lanes<E::Lane>>::N;
    // SAFETY: forwarded.
    let mut y = unsafe {
        [
            s.load(src),
            s.load(src.add(n)),
            s.load(src.add(2 * n)),
            s.load(src.add(3 * n)),
        ]
    };
    let mut k = 0;
    while k < 4 {
        y[k] = op.on(s, y[k]);
        k += 1;
    }
    y
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
