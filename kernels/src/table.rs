//! The kernels as function pointers: for each operation and dtype, and for each form and dtype, a
//! static of its own, so that a linker drops those that nobody asks for.

use core::any::Any;

use crate::derivative::{Backward, BackwardFromOutput, Times};
use crate::dtype::{Dtype, Element, Float, Int, bf16, f16};
use crate::isa::{Isa, PerIsa, per_isa};
use crate::lanes::{FloatLanes, Lanes};
use crate::loops::*;
use crate::ops::*;
use crate::simd::{FullSimd, Simd};
use crate::unary::{FromOutput, Unary, UnaryInt};

/// One operation on one dtype on one instruction set.
#[derive(Clone, Copy, Debug)]
pub struct OpKernels<O, E> {
    /// `y = f(x)`.
    pub map: MapFn<O, E>,
    /// `dx = dy · f′(x)`, of `x` and `dy`; on floats.
    pub backward: Option<ZipFn<Backward<O>, E>>,
    /// `dx` of `y = f(x)` and `dy`, where that takes another function; see
    /// [`Unary::FROM_OUTPUT`].
    pub from_output: Option<ZipFn<BackwardFromOutput<O>, E>>,
    /// `y = f(a + b)` in one loop; see [`Unary::FUSED_WITH_SUM`].
    pub after_sum: Option<ArithmeticFn<Then<Add, O>, E>>,
    /// `y = f(g) · v` in one loop, for the parameters of [`Unary::in_pieces`]; see [`Unary::GATES`].
    pub gate: Option<ZipFn<Times<O>, E>>,
}

impl<O, E: Float> OpKernels<O, E>
where
    O: Unary + Elementwise<E>,
    Add: Pairwise<E>,
    Mul: Pairwise<E>,
    Backward<O>: Pairwise<E>,
    BackwardFromOutput<O>: Pairwise<E>,
{
    /// Of `S`, or, if `O` is bound by computation, of `W`; nothing is compiled for the other. On 16-bit floats, whose
    /// conversions are computation, so is a map that rounds right at once.
    const fn of<S, W>() -> Self
    where
        S: Simd + Lanes<E::Lane>,
        W: Simd + Lanes<E::Lane>,
    {
        if O::COMPUTE_BOUND {
            Self::on::<W, W>()
        } else if size_of::<E>() == 2 && O::ON_HALF.is_right() {
            Self::on::<S, W>()
        } else {
            Self::on::<S, S>()
        }
    }

    /// The map of `M`, all else of `S`.
    const fn on<S, M>() -> Self
    where
        S: Simd + Lanes<E::Lane>,
        M: Simd + Lanes<E::Lane>,
    {
        Self {
            map: M::map::<E, O>,
            backward: Some(S::with_simd::<Zip<Backward<O>, E>>),
            from_output: match O::FROM_OUTPUT {
                FromOutput::ByItself => Some(S::with_simd::<Zip<BackwardFromOutput<O>, E>>),
                FromOutput::Never | FromOutput::AsFromInput => None,
            },
            after_sum: if O::FUSED_WITH_SUM {
                Some(ArithmeticFn::of::<S, S>())
            } else {
                None
            },
            gate: if has_gate::<S, O, E>() {
                Some(S::with_simd::<Zip<Times<O>, E>>)
            } else {
                None
            },
        }
    }
}

/// Whether `O` on `S` and `E` has a loop with a product.
const fn has_gate<S: Simd, O: Unary, E: Float>() -> bool {
    let in_pieces = matches!(E::DTYPE, Dtype::F32) && has_pieces::<S, O>();
    O::GATES && (in_pieces || !O::COMPUTE_BOUND)
}

/// The kernels of an operation on integers: it has no derivative there.
struct IntOp<O, E>(OpKernels<O, E>);

impl<O: UnaryInt + Elementwise<E>, E: Int> IntOp<O, E> {
    const fn of<S: FullSimd + Lanes<E::Lane>, W>() -> Self {
        Self(OpKernels {
            map: S::map::<E, O>,
            backward: None,
            from_output: None,
            after_sum: None,
            gate: None,
        })
    }
}

/// An operation of the table. Sealed: the library trusts a kernel to write every element it is asked
/// for, and those in the table do.
pub trait BuiltinOp: Unary + sealed::Sealed {
    /// The operation's name in the table: `leaky_relu`.
    const NAME: &'static str;

    /// The dtypes it takes.
    const DTYPES: &'static [Dtype];

    /// Its kernels for `E`, if it takes `E`.
    #[doc(hidden)]
    fn kernels<E: Element>(isa: Isa) -> Option<&'static OpKernels<Self, E>>;
}

/// An operation callable on slices of `E`.
pub trait Operation<E: Element>: BuiltinOp {
    /// Its kernels for `E`.
    #[doc(hidden)]
    #[inline]
    fn kernels_for(isa: Isa) -> &'static OpKernels<Self, E> {
        Self::kernels(isa).expect("`DTYPES` has every `E` of `Operation<E>`")
    }
}

macro_rules! table {
    ($($name:ident: $Op:ident in $Kind:ident;)*) => {$(
        impl sealed::Sealed for $Op {}
        table!(@$Kind $name $Op);
    )*};
    (@Floats $name:ident $Op:ident) => {
        impl<E: Float> Operation<E> for $Op {}
        table!(@op $name $Op: FLOATS);
    };
    (@All $name:ident $Op:ident) => {
        impl<E: Element> Operation<E> for $Op {}
        table!(@op $name $Op: ALL i8 I8 i16 I16 i32 I32 i64 I64 u8 U8 u16 U16 u32 U32 u64 U64);
    };
    (@op $name:ident $Op:ident: $DTYPES:ident $($Int:ident $INT:ident)*) => {
        impl BuiltinOp for $Op {
            const NAME: &'static str = stringify!($name);
            const DTYPES: &'static [Dtype] = Dtype::$DTYPES;
            #[inline]
            fn kernels<E: Element>(isa: Isa) -> Option<&'static OpKernels<Self, E>> {
                let kernels: &'static dyn Any = match E::DTYPE {
                    Dtype::F32 => table!(@kernels OpKernels<$Op, f32>, isa),
                    Dtype::F64 => table!(@kernels OpKernels<$Op, f64>, isa),
                    Dtype::F16 => table!(@kernels OpKernels<$Op, f16>, isa),
                    Dtype::Bf16 => table!(@kernels OpKernels<$Op, bf16>, isa),
                    $(Dtype::$INT => &table!(@kernels IntOp<$Op, $Int>, isa).0,)*
                    #[allow(unreachable_patterns)] // of an operation that takes all
                    _ => return None,
                };
                kernels.downcast_ref()
            }
        }
    };
    (@kernels $Kernels:ty, $isa:ident) => {{
        static KERNELS: PerIsa<$Kernels> = per_isa!($Kernels);
        KERNELS.get($isa)
    }};
}
crate::for_each_op!(table);

/// Sums, products and scaled gradients on one dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct ArithmeticFns<E> {
    pub add: ArithmeticFn<Add, E>,
    pub mul: ArithmeticFn<Mul, E>,
    pub scale_gradient: ArithmeticFn<ScaleGradient, E>,
}

impl<E: Float> ArithmeticFns<E>
where
    Add: Pairwise<E>,
    Mul: Pairwise<E>,
    ScaleGradient: Pairwise<E>,
{
    const fn of<S: Simd + Lanes<E::Lane>, W>() -> Self {
        Self {
            add: ArithmeticFn::of::<S, W>(),
            mul: ArithmeticFn::of::<S, W>(),
            scale_gradient: ArithmeticFn::of::<S, W>(),
        }
    }
}

/// The rectifier with a slope for each element, and what its slopes gain, on one dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct PreluFns<E> {
    pub prelu: ArithmeticFn<Prelu, E>,
    pub slope: ArithmeticFn<PreluSlope, E>,
    pub slope_gradient: ArithmeticFn<PreluSlopeGradient, E>,
    pub slope_sum: unsafe fn(SlopeSum<E>) -> f64,
    pub slope_sums: unsafe fn(SlopeSums<E>),
}

impl<E: Summand> PreluFns<E>
where
    Prelu: Pairwise<E>,
    PreluSlope: Pairwise<E>,
    PreluSlopeGradient: Pairwise<E>,
{
    const fn of<S: FullSimd + Lanes<E::Lane>, W>() -> Self {
        Self {
            prelu: ArithmeticFn::of::<S, W>(),
            slope: ArithmeticFn::of::<S, W>(),
            slope_gradient: ArithmeticFn::of::<S, W>(),
            slope_sum: S::with_simd::<SlopeSum<E>>,
            slope_sums: S::with_simd::<SlopeSums<E>>,
        }
    }
}

/// Slopes drawn at random, on one dtype.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct RandomFns<E> {
    pub draw_slopes: unsafe fn(DrawSlopes<E>),
    /// Elements to a draw.
    pub per_draw: usize,
}

impl<E: Drawn> RandomFns<E> {
    const fn of<S: FullSimd, W>() -> Self {
        Self {
            draw_slopes: S::with_simd::<DrawSlopes<E>>,
            per_draw: E::PER_DRAW,
        }
    }
}

/// A loop over bytes.
struct Bytes<O>(MapFn<O, i8>);

impl<O: Elementwise<i8>> Bytes<O> {
    const fn of<S: FullSimd, W>() -> Self {
        Self(S::map::<i8, O>)
    }
}

macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident: $Fns:ident of $Float:ident: $($E:ident $Dtype:ident)*;)*) => {$(
        $(#[$doc])*
        #[inline]
        pub fn $form<E: $Float>(isa: Isa) -> &'static $Fns<E> {
            let kernels: &'static dyn Any = match E::DTYPE {
                $(Dtype::$Dtype => table!(@kernels $Fns<$E>, isa),)*
                _ => unreachable!("every dtype of this kind has its kernels here"),
            };
            kernels.downcast_ref().expect("dtypes are told apart by `DTYPE`")
        }
    )*};
}
forms! {
    /// The kernels of sums and products.
    arithmetic: ArithmeticFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels of prelu.
    prelu: PreluFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels of the random generator.
    random: RandomFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels of masks.
    masks: MaskFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels of compaction.
    compress: CompressFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels that take pairs apart and put them together.
    layout: LayoutFns of Float: f32 F32 f64 F64 f16 F16 bf16 Bf16;
    /// The kernels of quantisation.
    quantize: QuantizeFns of Quantizable: f32 F32 f16 F16 bf16 Bf16;
}

/// The kernel that moves bytes.
#[inline]
pub fn copy_bytes(isa: Isa) -> MapFn<Move, i8> {
    table!(@kernels Bytes<Move>, isa).0
}

/// The kernel that looks up bytes in a table.
#[inline]
pub fn lookup(isa: Isa) -> MapFn<Lookup, i8> {
    table!(@kernels Bytes<Lookup>, isa).0
}

/// Whether the lanes of an instruction set round a product and a sum once.
struct Fuses(bool);

impl Fuses {
    const fn of<S: Simd, W>() -> Self {
        Self(<S as FloatLanes<f32>>::FUSED)
    }
}

/// Whether an instruction set rounds a product and a sum once. All that do give the same bits, but for what
/// is computed in pieces or by tables ([`Unary::FORWARD_ENTRIES`], [`Unary::DERIVATIVE_ENTRIES`], [`Unary::BY_TABLES`]).
pub fn fuses(isa: Isa) -> bool {
    table!(@kernels Fuses, isa).0
}

#[cfg(feature = "oracle")]
const _: () = {
    const fn has_an_oracle<O: crate::oracle::Oracle>() {}
    macro_rules! oracles {
        ($($name:ident: $Op:ident in $Kind:ident;)*) => {
            $(has_an_oracle::<$Op>();)*
        };
    }
    crate::for_each_op!(oracles);
};

mod sealed {
    pub trait Sealed {}
}
