//! From the table of operations to tables of function pointers.

use half::{bf16, f16};

use crate::element::Element;
use crate::isa::{Entry, Isa};
use crate::lanes::Lanes;
use crate::ops::*;

/// One operation on one dtype on one instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Kernel<O, E> {
    /// `map(op, src, dst, len)`: `dst[i] = op(src[i])`.
    ///
    /// # Safety
    /// The CPU runs the table's [`Isa`]. `src` is valid for reads and `dst` for writes of `len`
    /// elements, at any alignment. They are the same pointer or do not overlap.
    pub map: unsafe fn(O, *const E, *mut E, usize),
    /// The same bits by stores that bypass the caches.
    ///
    /// # Safety
    /// As `map`, and `dst` is aligned to its element.
    pub stream: unsafe fn(O, *const E, *mut E, usize),
}

impl<O: Elementwise<E>, E: Element> Kernel<O, E> {
    pub(crate) const fn of<S: Entry + Lanes<E::Lane>>() -> Self {
        Self {
            map: S::map::<false, E, O>,
            stream: S::map::<true, E, O>,
        }
    }
}

/// A row whose operation takes every dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct All<O> {
    pub f32: Kernel<O, f32>,
    pub f64: Kernel<O, f64>,
    pub f16: Kernel<O, f16>,
    pub bf16: Kernel<O, bf16>,
    pub i8: Kernel<O, i8>,
    pub i16: Kernel<O, i16>,
    pub i32: Kernel<O, i32>,
    pub i64: Kernel<O, i64>,
}

impl<O: Unary + UnaryInt> All<O> {
    pub(crate) const fn of<S: Entry>() -> Self {
        Self {
            f32: Kernel::of::<S>(),
            f64: Kernel::of::<S>(),
            f16: Kernel::of::<S>(),
            bf16: Kernel::of::<S>(),
            i8: Kernel::of::<S>(),
            i16: Kernel::of::<S>(),
            i32: Kernel::of::<S>(),
            i64: Kernel::of::<S>(),
        }
    }
}

/// An operation callable on slices of `E`. Sealed: the library trusts a kernel to write every element
/// it is asked for, and those in the tables do.
pub trait Operation<E: Element>: Copy + Send + Sync + sealed::Sealed + 'static {
    /// This operation's kernel for `E` in `kernels`.
    fn kernel(kernels: &Kernels) -> Kernel<Self, E>;
}

macro_rules! table {
    ($($field:ident: $Op:ident;)*) => {
        /// Every kernel of one instruction set.
        #[derive(Debug)]
        #[allow(missing_docs)]
        pub struct Kernels {
            pub isa: Isa,
            $(pub $field: All<$Op>,)*
        }

        impl Kernels {
            pub(crate) const fn of<S: Entry>(isa: Isa) -> Self {
                Self { isa, $($field: All::of::<S>(),)* }
            }
        }

        $(impl sealed::Sealed for $Op {}

        impl<E: Element> Operation<E> for $Op {
            fn kernel(kernels: &Kernels) -> Kernel<Self, E> {
                E::of(&kernels.$field)
            }
        })*
    };
}
crate::for_each_op!(table);

mod sealed {
    pub trait Sealed {}
}
