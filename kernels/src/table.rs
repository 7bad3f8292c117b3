//! From the table of operations to tables of function pointers.

use half::{bf16, f16};

use crate::element::{Dtype, Element, Float};
use crate::forms::Forms;
use crate::isa::Isa;
use crate::lanes::{FullSimd, Lanes, Simd};
use crate::map::Zip;
use crate::ops::*;

/// `map(op, src, dst, len, stream)`: `dst[i] = op(src[i])`, with `stream` by stores that bypass the
/// caches; then [`fence`](crate::fence) before `dst` is published.
///
/// # Safety
/// The CPU runs the table's [`Isa`]. `src` is valid for reads and `dst` for writes of `len`
/// elements, at any alignment. They are the same pointer or do not overlap; with `stream`, they do
/// not overlap, and `dst` is aligned to its element.
pub type MapFn<O, E> = unsafe fn(O, *const E, *mut E, usize, bool);

/// A loop over two arrays; see [`Zip`].
///
/// # Safety
/// The CPU runs the table's [`Isa`], and the rest as [`Zip`] says.
pub type ZipFn<O, E> = unsafe fn(Zip<O, E>);

/// One operation on one float dtype on one instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Kernel<O, E> {
    /// `y = f(x)`.
    pub map: MapFn<O, E>,
    /// `dx = dy · f′(x)`, of `x` and `dy`.
    pub backward: ZipFn<Backward<O>, E>,
    /// The same of `y = f(x)` and `dy`, where that takes another function; see
    /// [`Unary::FROM_OUTPUT`].
    pub from_output: Option<ZipFn<BackwardFromOutput<O>, E>>,
}

impl<O, E: Float> Kernel<O, E>
where
    O: Unary + Elementwise<E>,
    Backward<O>: Pairwise<E>,
    BackwardFromOutput<O>: Pairwise<E>,
{
    /// Of `S`, or, if `O` is bound by computation, of `W`; nothing is compiled for the other.
    pub(crate) const fn of<S, W>() -> Self
    where
        S: Simd + Lanes<E::Lane>,
        W: Simd + Lanes<E::Lane>,
    {
        if O::COMPUTE_BOUND {
            Self::on::<W>()
        } else {
            Self::on::<S>()
        }
    }

    const fn on<S: Simd + Lanes<E::Lane>>() -> Self {
        Self {
            map: S::map::<E, O>,
            backward: S::enter::<Zip<Backward<O>, E>>,
            from_output: match O::FROM_OUTPUT {
                FromOutput::ByItself => Some(S::enter::<Zip<BackwardFromOutput<O>, E>>),
                FromOutput::Never | FromOutput::AsFromInput => None,
            },
        }
    }
}

/// A row whose operation takes the float dtypes.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Floats<O> {
    pub f32: Kernel<O, f32>,
    pub f64: Kernel<O, f64>,
    pub f16: Kernel<O, f16>,
    pub bf16: Kernel<O, bf16>,
}

impl<O: Unary> Floats<O> {
    pub(crate) const fn of<S: Simd, W: Simd>() -> Self {
        Self {
            f32: Kernel::of::<S, W>(),
            f64: Kernel::of::<S, W>(),
            f16: Kernel::of::<S, W>(),
            bf16: Kernel::of::<S, W>(),
        }
    }
}

/// A row whose operation takes every dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct All<O> {
    pub floats: Floats<O>,
    pub i8: MapFn<O, i8>,
    pub i16: MapFn<O, i16>,
    pub i32: MapFn<O, i32>,
    pub i64: MapFn<O, i64>,
}

impl<O: Unary + UnaryInt> All<O> {
    pub(crate) const fn of<S: FullSimd, W: Simd>() -> Self {
        Self {
            floats: Floats::of::<S, W>(),
            i8: S::map::<i8, O>,
            i16: S::map::<i16, O>,
            i32: S::map::<i32, O>,
            i64: S::map::<i64, O>,
        }
    }
}

/// A row of the table, by kind.
pub trait Row<O> {
    /// The dtypes it has.
    const DTYPES: &'static [Dtype];
    /// Its map for `E`, if it takes `E`.
    fn map<E: Element>(&self) -> Option<MapFn<O, E>>;
    /// Its floats.
    fn floats(&self) -> &Floats<O>;
}

impl<O: Copy> Row<O> for Floats<O> {
    const DTYPES: &'static [Dtype] = Dtype::FLOATS;
    #[inline]
    fn map<E: Element>(&self) -> Option<MapFn<O, E>> {
        Some(E::kernel_of(self)?.map)
    }
    #[inline]
    fn floats(&self) -> &Floats<O> {
        self
    }
}

impl<O: Copy> Row<O> for All<O> {
    const DTYPES: &'static [Dtype] = Dtype::ALL;
    #[inline]
    fn map<E: Element>(&self) -> Option<MapFn<O, E>> {
        Some(E::map_of(self))
    }
    #[inline]
    fn floats(&self) -> &Floats<O> {
        &self.floats
    }
}

/// A row that is known to take `E`.
pub trait Takes<E: Element> {}
impl<O, E: Float> Takes<E> for Floats<O> {}
impl<O, E: Element> Takes<E> for All<O> {}

/// An operation of the table. Sealed: the library trusts a kernel to write every element it is asked
/// for, and those in the tables do.
pub trait Tabled: Unary + sealed::Sealed {
    /// Its row.
    type Row: Row<Self> + 'static;

    /// Its row in `kernels`.
    #[doc(hidden)]
    fn row(kernels: &Kernels) -> &Self::Row;
}

/// An operation callable on slices of `E`.
pub trait Operation<E: Element>: Tabled {}
impl<E: Element, O: Tabled<Row: Takes<E>>> Operation<E> for O {}

macro_rules! table {
    ($($field:ident: $Op:ident in $Row:ident;)*) => {
        /// Every kernel of one instruction set.
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub struct Kernels {
            pub isa: Isa,
            pub forms: Forms,
            $(pub $field: $Row<$Op>,)*
        }

        impl Kernels {
            /// `S` is the whole unit, `W` the one for what is bound by computation.
            pub(crate) const fn of<S: FullSimd, W: Simd>(isa: Isa) -> Self {
                Self { isa, forms: Forms::of::<S>(), $($field: $Row::of::<S, W>(),)* }
            }
        }

        $(impl sealed::Sealed for $Op {}

        impl Tabled for $Op {
            type Row = $Row<Self>;
            #[inline]
            fn row(kernels: &Kernels) -> &$Row<Self> {
                &kernels.$field
            }
        })*
    };
}
crate::for_each_op!(table);

mod sealed {
    pub trait Sealed {}
}
