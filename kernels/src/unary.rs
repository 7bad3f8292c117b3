//! What an operation is: the traits that the author of one implements.

use crate::contract::{Bound, Form};
use crate::dtype::{Dtype, Float, Int};
use crate::lanes::{FloatLanes, Lanes, V};
use crate::parameters::Parameters;
use crate::precision::F64ForF32;
use crate::register::{IntLane, IntRegister, Lane, Near, PieceLane, Register, TableLane};
use crate::simd::Simd;
use crate::table_lanes::TableLanes;

/// A function of one number, written once for all dtypes and instruction sets.
///
/// ```text
/// fn forward<X: Lane>(self, x: X) -> X {
///     x * x.splat(0.5)
/// }
/// ```
pub trait Unary: Parameters + Send + Sync + 'static {
    /// What it computes, in the notation of a textbook: for titles and lists.
    const FORMULA: &'static str;

    /// On `f32`, how far [`forward`](Unary::forward) may be from the true value, in ulps; zero if it rounds once or not
    /// at all. A result on `f16` or `bf16` that is this near to where rounding changes is computed again in `f64`
    /// ([`OnHalf::Compute`]); of zero ulps none is, so that one rounding must not harm these.
    const F32_ULPS: i32 = 0;

    /// Whether [`forward`](Unary::forward) rounds correctly, on `f32` and on `f64`.
    const EXACT: bool = Self::F32_ULPS == 0;

    /// How 16-bit floats are computed.
    const ON_HALF: OnHalf = OnHalf::Compute;

    /// In what lanes `f32` is computed.
    const F32: F32Lanes = F32Lanes::Single;

    /// In what lanes the derivative on `f32` is computed.
    const F32_DERIVATIVE: F32Lanes = Self::F32;

    /// Whether 64-byte registers pay: the operation is bound by computation rather than by loads and
    /// stores, and by instructions that such a register does at the speed of two of 32 bytes, or faster.
    const COMPUTE_BOUND: bool = false;

    /// Whether the operation is so common behind a sum that it has a loop with it: `f(a + b)`.
    const FUSED_WITH_SUM: bool = false;

    /// Whether the operation is so common as a gate that it has a loop with the product: `f(g) · v`. A long one has it on
    /// `f32` alone, where it goes by pieces.
    const GATES: bool = false;

    /// Whether and how the derivative is had from the output.
    const FROM_OUTPUT: FromOutput = FromOutput::Never;

    /// The operation.
    fn forward<X: Lane>(self, x: X) -> X;

    /// What [`forward`](Unary::forward) in `f64` lanes may not see beside its result y, which may lie on the
    /// middle between two 16-bit floats: there the sign of this decides. Gelu of a subnormal `bf16` is x/2, and
    /// 10^40 times less.
    #[inline(always)]
    fn unseen<X: Lane>(self, x: X, _y: X) -> X {
        x.splat(0.0)
    }

    /// The operation on values of `f16` and `bf16`, for [`OnHalf::Once`] and [`OnHalf::Half`], so that rounding the
    /// result is right: it lies in the middle between two numbers where the true value does, and else on the same side
    /// of it.
    #[inline(always)]
    fn forward_half<X: Lane>(self, x: X) -> X {
        self.forward(x)
    }

    /// How many entries a unit must look up in registers for [`near`](Unary::near) on `f32` to be faster; none looks up
    /// so many as the default.
    const FORWARD_ENTRIES: usize = usize::MAX;

    /// Whether that, and the derivative's, is for these parameters; and [`by_tables`](Unary::by_tables).
    #[inline(always)]
    fn in_pieces(self) -> bool {
        true
    }

    /// The operation by functions in pieces, and where it is that: for all but rare numbers, and for none where
    /// it is NaN. Elsewhere [`far`](Unary::far) is asked.
    #[inline(always)]
    fn near<X: PieceLane>(self, x: X) -> Near<X> {
        (x, None)
    }

    /// Below which magnitude [`near`](Unary::near) on 8 entries is right, if it is everywhere there and need not be
    /// elsewhere: then it does not get to see what is not below, and its own account of where it is right is not asked
    /// for.
    const NEAR_BELOW: Option<f64> = None;

    /// Whether from there on the operation is x.
    const OPEN: bool = false;

    /// From which magnitude on [`near`](Unary::near) on 8 entries is right and computes with no subnormal number, which
    /// takes Intel's CPUs a detour through microcode: 10 to 200 times as long. Below, but for zeros,
    /// [`tiny`](Unary::tiny) is asked. (Where a tiny number may be added first, that costs less.) Beside a limit of
    /// [`NEAR_BELOW`](Unary::NEAR_BELOW), the bits of the two are a power of two apart.
    const NEAR_FROM: f64 = 0.0;

    /// Whether [`near`](Unary::near) on more entries does not get to see subnormal numbers either.
    const SUBNORMALS_APART: bool = false;

    /// The operation on zeros and numbers so small that [`near`](Unary::near) does not get to see them.
    #[inline(always)]
    fn tiny<X: PieceLane>(self, x: X) -> X {
        x
    }

    /// The operation where [`near`](Unary::near) is not; NaN may come out as anything.
    #[inline(always)]
    fn far<X: PieceLane>(self, x: X) -> X {
        x
    }

    /// On which units `f64` has a faster way, [`by_tables`](Unary::by_tables); for the parameters of
    /// [`in_pieces`](Unary::in_pieces).
    const BY_TABLES: ByTables = ByTables::Never;

    /// The operation on `f64` by tables in memory.
    #[inline(always)]
    fn by_tables<X: TableLane>(self, x: X) -> X {
        x
    }

    /// The magnitudes from and up to which [`near_by_tables`](Unary::near_by_tables) is right, where a map is faster with
    /// blocks of registers looked at beforehand.
    const TABLE_RANGE: Option<(f64, f64)> = None;

    /// [`by_tables`](Unary::by_tables) on numbers in the [`TABLE_RANGE`](Unary::TABLE_RANGE).
    #[inline(always)]
    fn near_by_tables<X: TableLane>(self, x: X) -> X {
        x
    }

    /// Whether 16-bit floats have a faster way, [`half_at_once`](Unary::half_at_once), on units that look up 32
    /// entries and round in any direction; for the parameters of [`in_pieces`](Unary::in_pieces).
    const HALF_AT_ONCE: bool = false;

    /// The operation on values of `E`, a 16-bit float, so that each rounds to the right result (on `bf16` with
    /// halves away from zero), with nothing to check; but for those of [`half_tail`](Unary::half_tail).
    #[inline(always)]
    fn half_at_once<E: Float, X: PieceLane>(self, x: X) -> X {
        x
    }

    /// The results of the negative numbers of `E` that are far out, if that does not reach there.
    #[inline(always)]
    fn half_tail<E: Float>(self) -> Option<HalfTail> {
        None
    }

    /// Its derivative. Where this is zero, so is `dx`, whatever `dy` is.
    fn derivative<X: Lane>(self, x: X) -> X;

    /// How many entries a unit must look up for [`near_derivative`](Unary::near_derivative) to be faster; none
    /// looks up so many as the default.
    const DERIVATIVE_ENTRIES: usize = usize::MAX;

    /// The derivative by functions in pieces, and where it is that: not where it is zero, and not for NaN.
    /// Elsewhere [`far_derivative`](Unary::far_derivative) is asked.
    #[inline(always)]
    fn near_derivative<X: PieceLane>(self, x: X) -> Near<X> {
        (x, None)
    }

    /// [`NEAR_BELOW`](Unary::NEAR_BELOW) of it.
    const NEAR_DERIVATIVE_BELOW: Option<f64> = None;

    /// The derivative where [`near_derivative`](Unary::near_derivative) is not; NaN may come out as anything.
    #[inline(always)]
    fn far_derivative<X: PieceLane>(self, x: X) -> X {
        x
    }

    /// Its derivative where the output is `y`.
    #[inline(always)]
    fn derivative_from_output<X: Lane>(self, y: X) -> X {
        self.derivative(y)
    }

    /// Whether the derivative of a finite number may be infinite, because the dtype ends there. It still
    /// makes nothing of a `dy` of zero.
    #[inline(always)]
    fn derivative_overflows(self) -> bool {
        false
    }

    /// The operation on the bits of `f16` or `bf16`, for [`OnHalf::Bits`] alone, given the bits of −∞.
    #[inline(always)]
    fn half_bits<X: IntLane<Int = i16>>(self, bits: X, _negative_infinity: i16) -> X {
        bits
    }

    /// How far a result may be from the true value: what tests, `halfwave verify` and the
    /// documentation hold the operation to.
    fn bound(self, dtype: Dtype, form: Form) -> Bound {
        let bound = if Self::EXACT {
            Bound::of_exact(dtype, form)
        } else {
            Bound::of_inexact(dtype, form)
        };
        match (form, self.stationary_point()) {
            (Form::Forward, _) | (_, None) => bound,
            (_, Some(point)) => bound.turning_at(point),
        }
    }

    /// Where the derivative changes its sign without a kink: the function's extremum. From half of
    /// that to twice that, what is left of the derivative is the difference of much larger numbers, so
    /// that the bound on its error is an absolute one.
    fn stationary_point(self) -> Option<f64> {
        None
    }

    /// Whether the output of dtype `E` tells the derivative with these parameters, where
    /// [`FROM_OUTPUT`](Unary::FROM_OUTPUT) says that it can.
    fn output_suffices<E: Float>(self) -> bool {
        true
    }
}

/// A [`Unary`] that makes sense for integers too.
pub trait UnaryInt: Copy + Send + Sync + 'static {
    /// The operation on integers.
    fn forward_int<X: IntLane>(self, x: X) -> X;
}

/// The results of an operation on the far negative numbers of a 16-bit float, by bits.
#[derive(Clone, Copy, Debug)]
pub struct HalfTail {
    /// The first such number.
    pub first: u16,
    /// The results of it and the next ones; the last two are those of all others, down to −∞.
    pub results: &'static [i16],
}

/// How [`Unary::derivative`] is had from the output alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromOutput {
    /// It is not: several inputs give the same output with different derivatives, or only a
    /// formula less exact than the one from the input would do.
    Never,
    /// By the same function: `f′(f(x)) = f′(x)`.
    AsFromInput,
    /// By [`Unary::derivative_from_output`].
    ByItself,
}

/// How an operation on `f16` and `bf16` is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnHalf {
    /// In `f32` lanes, and where that may round wrongly, again in `f64` lanes.
    Compute,
    /// By [`Unary::forward_half`], in `f32` lanes that round to odd: for operations in which every result is the input, a
    /// constant, or one sum or product of the input and a parameter.
    Once,
    /// By [`Unary::forward_half`], in plain `f32` lanes.
    Half,
    /// On the bits, as the high halves of `f32` lanes: for operations of which every result is the
    /// input or a constant, and which do nothing but compare and select (`max`, `min`, `abs` are that
    /// too).
    Select,
    /// By [`Unary::half_bits`], in a loop that is unrolled around it.
    Bits,
}

/// In what lanes an operation on `f32` is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum F32Lanes {
    /// `f32`.
    Single,
    /// `f32` where these fuse a multiplication and an addition, as what the operation carries along of
    /// its roundings needs it; else `f64`.
    Fused,
    /// `f64`, because in `f32` lanes it would not be within one ulp, or not as fast.
    Double,
}

/// On which units an operation on `f64` goes by tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByTables {
    /// On none.
    Never,
    /// On those that gather from memory.
    Gathering,
    /// On those that scale by powers of two in one instruction.
    Scaling,
}

impl OnHalf {
    /// Whether the values are computed with, and the results right at once.
    pub(crate) const fn is_right(self) -> bool {
        matches!(self, Self::Once | Self::Half)
    }
}

impl ByTables {
    /// Whether on `S`.
    pub(crate) const fn on<S: TableLanes>(self) -> bool {
        match self {
            Self::Never => false,
            Self::Gathering => S::GATHERS,
            Self::Scaling => S::SCALES,
        }
    }
}

impl F32Lanes {
    /// Whether on `S` these are `f64`.
    pub(crate) const fn double<S: FloatLanes<f32>>(self) -> bool {
        match self {
            Self::Single => false,
            Self::Fused => !S::FUSED,
            Self::Double => true,
        }
    }
}

/// The operation on a register of `f32`, in whatever lanes that takes.
#[inline(always)]
pub(crate) fn forward_f32<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> V<S, f32> {
    let y = if const { O::F32.double::<S>() } {
        // In a loop, which halves the code of a long operation.
        let mut y = s.widen(x);
        let mut i = 0;
        while i < 2 {
            y[i] = op.forward(Register::<F64ForF32, S>::new(s, y[i])).v();
            i += 1;
        }
        s.narrow(y)
    } else {
        op.forward(Register::<f32, S>::new(s, x)).v()
    };
    sign_of_nan::<O, _>(Register::<f32, S>::new(s, x), Register::new(s, y)).v()
}

/// The operation on a register of `f64`.
#[inline(always)]
pub(crate) fn forward_f64<S: Simd, O: Unary>(s: S, op: O, x: V<S, f64>) -> V<S, f64> {
    let x = Register::<f64, S>::new(s, x);
    let y = if const { O::BY_TABLES.on::<S>() } && op.in_pieces() {
        op.by_tables(x)
    } else {
        op.forward(x)
    };
    sign_of_nan::<O, _>(x, y).v()
}

/// The operation on a register of integers.
#[inline(always)]
pub(crate) fn forward_int<E, S, O>(s: S, op: O, x: V<S, E::Lane>) -> V<S, E::Lane>
where
    E: Int,
    S: Lanes<E::Lane>,
    O: UnaryInt,
{
    op.forward_int(IntRegister::<E, S>::new(s, x)).v()
}

/// NaN where `x` is. On x86-64, multiply-add keeps the sign of a NaN even where it subtracts the product,
/// and operations see to the rest; on aarch64 it does not, nor where nothing is optimised and the sign
/// of a factor is changed first. (Done always, this cost sigmoid 4 to 9 % on Zen 5.)
#[inline(always)]
pub(crate) fn sign_of_nan<O: Unary, X: Lane>(x: X, y: X) -> X {
    if O::COMPUTE_BOUND && cfg!(any(not(target_arch = "x86_64"), debug_assertions)) {
        y.or_nan_of(x)
    } else {
        y
    }
}
