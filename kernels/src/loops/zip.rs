//! The loop over two arrays: `dst[i] = op(a[i], b[i])`.

use crate::derivative::{Derivative, gradient_f32, gradient_f64};
use crate::dtype::Element;
use crate::lanes::{Lanes, V};
use crate::loops::compact::{Step, compact};
use crate::loops::pieces::in_pieces;
use crate::simd::{Simd, WithSimd};

/// A [`Zip`] on one instruction set.
///
/// # Safety
/// The CPU runs the kernel's [`Isa`](crate::Isa), and the rest as [`Zip`] says.
pub type ZipFn<O, E> = unsafe fn(Zip<O, E>);

/// An operation on two arrays as a loop over `E` sees it. Implemented for every gradient and for what
/// `arithmetic` has.
pub trait Pairwise<E: Element>: Copy {
    /// The operation as [`on`](Pairwise::on) wants it; to be asked for once, before the loop.
    #[inline(always)]
    fn ready(self) -> Self {
        self
    }

    /// The loop.
    ///
    /// # Safety
    /// As [`Zip`] says.
    #[inline(always)]
    unsafe fn zip<S>(self, s: S, zip: Zip<Self, E>)
    where
        S: Simd + Lanes<E::Lane>,
    {
        // SAFETY: forwarded.
        unsafe { compact::<S, E::Lane, _>(s, zip, zip.dst.cast(), zip.len, zip.stream) }
    }

    /// The operation on one register of each.
    fn on<S, R: Copy>(self, s: S, a: R, b: R) -> R
    where
        S: Simd + Lanes<E::Lane, V = R>;
}

/// Whether the gradient by `D` on `S` goes by pieces.
const fn has_pieces<S: Simd, D: Derivative>() -> bool {
    S::ENTRIES >= D::ENTRIES
}

impl<D: Derivative> Pairwise<f32> for D {
    #[inline(always)]
    unsafe fn zip<S: Simd>(self, s: S, zip: Zip<Self, f32>) {
        // SAFETY: forwarded.
        unsafe {
            if const { has_pieces::<S, D>() } && self.in_pieces() {
                in_pieces(s, self, [zip.a, zip.b], zip.dst, zip.len, zip.stream);
            } else if const { !has_pieces::<S, D>() || D::PARAMETRIC } {
                compact(s, zip, zip.dst, zip.len, zip.stream);
            }
        }
    }

    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
    where
        S: Simd + Lanes<f32, V = R>,
    {
        gradient_f32(s, self, x, dy)
    }
}

impl<D: Derivative> Pairwise<f64> for D {
    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R, dy: R) -> R
    where
        S: Simd + Lanes<f64, V = R>,
    {
        gradient_f64(s, self, x, dy)
    }
}

/// The loop over two arrays: `dst[i] = op(a[i], b[i])` for `i < len`.
///
/// `a` and `b` are valid for reads and `dst` for writes of `len` elements at any alignment. `dst` is
/// the same pointer as `a`, as `b`, or as both, or overlaps neither. With `stream`, it overlaps
/// neither, and is aligned to its element.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Zip<O, E> {
    pub op: O,
    pub a: *const E,
    pub b: *const E,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

impl<S, E, O> WithSimd<S> for Zip<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Pairwise<E>,
{
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let op = self.op.ready();
        // SAFETY: forwarded.
        unsafe { op.zip(s, Self { op, ..self }) }
    }
}

impl<S, E, O> Step<S, E::Lane> for Zip<O, E>
where
    S: Simd + Lanes<E::Lane>,
    E: Element,
    O: Pairwise<E>,
{
    type X = (V<S, E::Lane>, V<S, E::Lane>);

    #[inline(always)]
    unsafe fn load(self, s: S, i: usize) -> (V<S, E::Lane>, V<S, E::Lane>) {
        let (a, b) = (self.a.cast::<E::Lane>(), self.b.cast::<E::Lane>());
        // SAFETY: forwarded.
        unsafe { (s.load(a.add(i)), s.load(b.add(i))) }
    }

    #[inline(always)]
    unsafe fn load_part(self, s: S, n: usize) -> (V<S, E::Lane>, V<S, E::Lane>) {
        // SAFETY: forwarded.
        unsafe {
            (
                s.load_part(self.a.cast::<E::Lane>(), n),
                s.load_part(self.b.cast::<E::Lane>(), n),
            )
        }
    }

    #[inline(always)]
    fn on(self, s: S, (a, b): (V<S, E::Lane>, V<S, E::Lane>)) -> V<S, E::Lane> {
        self.op.on(s, a, b)
    }
}
