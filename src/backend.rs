//! A backend: the kernels of one instruction set, and who runs them.

#![allow(unsafe_code)]

use core::fmt;

use halfwave_kernels::{Element, Float, Isa, Operation};

use crate::blocks::{Threads, Walk};
use crate::kernels::{Blockwise, Bound, CpuIsa};
use crate::rows::{Rows, RowsMut};

/// The kernels of one instruction set that this CPU runs: a handle for who resolves once, or wants
/// to compare. [`backends`](crate::backends) and [`backend`](crate::backend) hand them out.
///
/// ```
/// use halfwave::Relu;
///
/// let x = [-1.0f32, 2.0];
/// for backend in halfwave::backends() {
///     let mut y = [0.0; 2];
///     backend.apply(Relu, &x, &mut y);
///     assert_eq!(y, [0.0, 2.0], "{}", backend.name());
/// }
/// ```
///
/// [`Activation`](crate::Activation), [`Fused`](crate::Fused) and the others call these methods on the
/// backend of choice; there each is explained. They run on the calling thread; those of
/// [`par`](Backend::par), on rayon's current pool. An operation chosen at run time is
/// [`Op::on`](crate::Op::on) a backend.
#[derive(Clone, Copy)]
pub struct Backend {
    isa: CpuIsa,
    threads: Threads,
}

impl Backend {
    pub(crate) const fn new(isa: CpuIsa) -> Self {
        Self {
            isa,
            threads: Threads::One,
        }
    }

    /// This backend on rayon's current pool: every method splits its work over the threads of
    /// the pool that it is called in, where that helps ([`parallel`](crate::parallel) says where).
    /// The bits are the same.
    #[cfg(feature = "parallel")]
    #[must_use]
    #[inline]
    pub fn par(self) -> Self {
        Self {
            threads: Threads::Pool,
            ..self
        }
    }

    /// The instruction set.
    pub fn isa(self) -> Isa {
        self.isa.isa()
    }

    /// The instruction set's name, [`Isa::name`].
    pub fn name(self) -> &'static str {
        self.isa().name()
    }

    /// The kernels.
    #[inline]
    pub(crate) fn kernels(self) -> CpuIsa {
        self.isa
    }

    /// Who does the work.
    #[inline]
    pub(crate) fn threads(self) -> Threads {
        self.threads
    }

    /// An operation with its kernels.
    #[inline]
    pub(crate) fn bind<O: Operation<E>, E: Element>(self, op: O) -> Bound<O, E> {
        let bound = self.isa.bind(op);
        bound.expect("an `Operation<E>` has kernels for it")
    }

    /// `y = f(x)`, of one shape. `y` may be `x`. Like its kin always inlined: of slices, which are one row,
    /// hardly anything is left of the walk. relu of 8 elements went from 5.5 to 3.0 ns (Zen 5, AVX-512).
    #[inline(always)]
    pub(crate) fn map<E: Element>(self, f: impl Blockwise<E>, x: Rows<'_, E>, y: RowsMut<'_, E>) {
        let in_place = x.view.is(&y.view);
        let walk = Walk::to(&y, in_place, if in_place { 1 } else { 2 });
        let walk = walk.with(&x.view).whole().with_floats(f.uses_floats());
        walk.run(self.threads, move |block| f.map(x.at(block), y.at(block)));
    }

    /// `dx = dy · f′(x)`, of one shape. `dx` may be `x` or `dy`.
    #[inline(always)]
    pub(crate) fn map_backward<E: Element>(
        self,
        f: impl Blockwise<E>,
        x: Rows<'_, E>,
        dy: Rows<'_, E>,
        dx: RowsMut<'_, E>,
    ) {
        let walk = backward_walk(&x, &dy, &dx);
        walk.run(self.threads, move |block| {
            f.backward(x.at(block), dy.at(block), dx.at(block));
        });
    }

    /// `dx = dy · f′`, where the output is `y`, which tells the derivative.
    #[inline(always)]
    pub(crate) fn map_from_output<E: Element>(
        self,
        f: impl Blockwise<E>,
        y: Rows<'_, E>,
        dy: Rows<'_, E>,
        dx: RowsMut<'_, E>,
    ) {
        let walk = backward_walk(&y, &dy, &dx);
        walk.run(self.threads, move |block| {
            f.backward_from_output(y.at(block), dy.at(block), dx.at(block));
        });
    }

    /// `dst[i] = f(src[i])` for `i < len`, on memory that need not be aligned to its elements, as a
    /// mapped file or a foreign array may not be.
    ///
    /// # Safety
    /// `src` is valid for reads and `dst` for writes of `len` elements at any alignment. They are
    /// the same pointer or do not overlap. `dst` need not be initialised.
    #[inline]
    pub unsafe fn apply_raw<O: Operation<E>, E: Element>(
        self,
        op: O,
        src: *const E,
        dst: *mut E,
        len: usize,
    ) {
        // SAFETY: forwarded.
        let (src, dst) = unsafe { (Rows::raw(src, len), RowsMut::raw(dst, len)) };
        self.map(self.bind(op), src, dst);
    }

    /// `dx[i] = dy[i] · f′(x[i])` for `i < len`, and 0 where `f′(x[i])` is, on memory that need not be
    /// aligned to its elements.
    ///
    /// # Safety
    /// `x` and `dy` are valid for reads and `dx` for writes of `len` elements at any alignment. `dx`
    /// is `x`, or `dy`, or overlaps neither. It need not be initialised.
    #[inline]
    pub unsafe fn backward_raw<O: Operation<E>, E: Float>(
        self,
        op: O,
        x: *const E,
        dy: *const E,
        dx: *mut E,
        len: usize,
    ) {
        // SAFETY: forwarded.
        let (x, dy, dx) = unsafe { (Rows::raw(x, len), Rows::raw(dy, len), RowsMut::raw(dx, len)) };
        self.map_backward(self.bind(op), x, dy, dx);
    }
}

#[inline(always)]
fn backward_walk<E: Element>(x: &Rows<'_, E>, dy: &Rows<'_, E>, dx: &RowsMut<'_, E>) -> Walk<E> {
    let in_place = x.view.is(&dx.view) || dy.view.is(&dx.view);
    let walk = Walk::to(dx, in_place, if in_place { 2 } else { 3 });
    walk.with(&x.view).with(&dy.view).whole()
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("Backend");
        tuple.field(&self.isa());
        #[cfg(feature = "parallel")]
        if self.threads == Threads::Pool {
            tuple.field(&"par");
        }
        tuple.finish()
    }
}
