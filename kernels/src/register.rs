//! Registers with operators, in which operations and loops are written.
//!
//! A [`Register`] carries its vector unit, a zero-sized value that proves that the CPU has the
//! instructions, and its [`Precision`]. So a formula names neither: `x * y + x.splat(1.0)`. The
//! operators compile to the bare instructions.

use core::marker::PhantomData;
use core::ops::{Add, BitAnd, Div, Mul, Sub};

use crate::dtype::Int;
use crate::lanes::{FloatLanes, Lanes};
use crate::piece_lanes::PieceLanes;
use crate::precision::{Constants, Precision};
use crate::table_lanes::TableLanes;

/// A register of numbers: what an operation is written over.
///
/// Every result is rounded to nearest, ties to even. Where an operand of `+ - * /` is NaN, the
/// result is that NaN, and where both are, one of them: the compiler may swap operands.
pub trait Lane:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// In which lanes, and to what precision constants are rounded.
    type Precision: Precision;

    /// The outcome of a comparison, one truth value per lane.
    type Mask: Mask<Self>;

    /// What the functions of `math` need to know of these lanes.
    const CONSTANTS: Constants = <Self::Precision as Precision>::CONSTANTS;

    /// Whether [`mul_add`](Lane::mul_add) rounds once.
    const FUSED: bool;

    /// A constant of a formula in every lane.
    fn splat(self, constant: f64) -> Self;

    /// A parameter of an operation in every lane; see [`Precision::parameter`].
    fn parameter(self, value: f64) -> Self;

    /// What an operation makes of its parameters, in every lane; see [`Precision::derived`].
    fn derived(self, value: f64) -> Self;

    /// `self · b + c`.
    fn mul_add(self, b: Self, c: Self) -> Self;

    /// `c - self · b`, rounded as [`mul_add`](Lane::mul_add) does.
    fn neg_mul_add(self, b: Self, c: Self) -> Self;

    /// `self > b ? self : b`, hence `b` where either is NaN and where both are zeros.
    fn max(self, b: Self) -> Self;

    /// `self < b ? self : b`, hence `b` where either is NaN and where both are zeros.
    fn min(self, b: Self) -> Self;

    /// The number without its sign; also of a NaN.
    fn abs(self) -> Self;

    /// The number with the sign of another.
    fn copysign(self, sign: Self) -> Self;

    /// 2<sup>n</sup>, where that is a normal number, of lanes that hold the integer n added to
    /// 1.5 · 2<sup>p</sup> for p bits of fraction: n then stands in their lowest bits.
    fn pow2(self) -> Self;

    /// The number whose bits are those that are set in both.
    fn and_bits(self, b: Self) -> Self;

    /// `self < b`; false where either is NaN.
    fn lt(self, b: Self) -> Self::Mask;

    /// `self <= b`; false where either is NaN.
    fn le(self, b: Self) -> Self::Mask;

    /// A constant in two parts: in `f32`, their sum to twice the precision.
    #[inline(always)]
    fn splat_pair(self, (high, low): (f64, f64)) -> (Self, Self) {
        let lost = <Self::Precision as Precision>::lost(high);
        (self.splat(high), self.splat(lost + low))
    }

    /// `x` where that is NaN, else `self`, which was made of `x` and another number. The compiler
    /// may swap the operands of a sum or product, here but not there: where both are NaN, the result
    /// would depend on that.
    #[inline(always)]
    fn or_nan_of(self, x: Self) -> Self {
        x.le(x.splat(f64::INFINITY)).select(self, x)
    }
}

/// A register of `f32` that looks up coefficients: what functions in pieces are written over. See
/// `PieceLanes`, of which these are the words.
#[allow(missing_docs)]
pub trait PieceLane: Lane {
    const ENTRIES: usize;
    fn look_up<const N: usize>(self, table: &'static [f32; N]) -> Self;
    fn shift_left<const BITS: u32>(self) -> Self;
    fn shift_right<const BITS: u32>(self) -> Self;
    fn add_bits(self, b: Self) -> Self;
    fn splat_bits(self, bits: u32) -> Self;
    fn any_bits(self, of: u32) -> bool;
    fn subnormal(self) -> Self::Mask;
    fn abs_to(self, limit: Self) -> Self;
    fn floor_onto(self, b: Self, shift: Self) -> Self;
    fn half_down(self) -> Self;
    fn minus_abs_to(self, limit: Self) -> Self;
    fn mul_add_down(self, b: Self, c: Self) -> Self;
    fn neg_mul_add_up(self, b: Self, c: Self) -> Self;
    fn mul_add_to_odd(self, b: Self, c: Self) -> Self;
}

/// A register of `f64` that looks up in tables: what functions by tables are written over. See
/// `TableLanes`, of which these are the words.
#[allow(missing_docs)]
pub trait TableLane: Lane {
    fn gather<const N: usize>(self, table: &'static [f64; N]) -> Self;
    fn power(self, table: &'static [f64; 16]) -> Self;
    fn short_reciprocal(self) -> Self;
    fn sub_bits(self, b: Self) -> Self;
    fn scale(self, n: Self) -> Self;
    fn floor_to(self, b: Self, shift: Self) -> Self;
}

/// A result, and the lanes where it is one, if not everywhere.
pub type Near<X> = (X, Option<<X as Lane>::Mask>);

/// One truth value per lane.
pub trait Mask<X>: Copy {
    /// `yes` where the mask holds, else `no`.
    fn select(self, yes: X, no: X) -> X;

    /// Whether any lane holds.
    fn any(self) -> bool;

    /// Whether every lane holds.
    fn all(self) -> bool;
}

/// A register of floats. See [`Lane`].
pub struct Register<P: Precision, S: FloatLanes<P::Lane>> {
    v: S::V,
    s: S,
    precision: PhantomData<P>,
}

/// The outcome of a comparison of [`Register`]s.
pub struct RegisterMask<P: Precision, S: FloatLanes<P::Lane>> {
    m: S::M,
    s: S,
    precision: PhantomData<P>,
}

impl<P: Precision, S: FloatLanes<P::Lane>> Clone for Register<P, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Precision, S: FloatLanes<P::Lane>> Copy for Register<P, S> {}
impl<P: Precision, S: FloatLanes<P::Lane>> Clone for RegisterMask<P, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<P: Precision, S: FloatLanes<P::Lane>> Copy for RegisterMask<P, S> {}

impl<P: Precision, S: FloatLanes<P::Lane>> Register<P, S> {
    #[inline(always)]
    pub(crate) fn new(s: S, v: S::V) -> Self {
        let precision = PhantomData;
        Self { v, s, precision }
    }

    /// What the unit works on.
    #[inline(always)]
    pub(crate) fn v(self) -> S::V {
        self.v
    }

    #[inline(always)]
    fn mask(self, m: S::M) -> RegisterMask<P, S> {
        let (s, precision) = (self.s, PhantomData);
        RegisterMask { m, s, precision }
    }
}

impl<P: Precision, S: FloatLanes<P::Lane>> RegisterMask<P, S> {
    /// Bit `i` is the truth value of lane `i`; the bits beyond the lanes are zero.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.s.bitmask(self.m)
    }
}

impl<P: Precision, S: FloatLanes<P::Lane>> Mask<Register<P, S>> for RegisterMask<P, S> {
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn select(self, yes: Register<P, S>, no: Register<P, S>) -> Register<P, S> {
        Register::new(self.s, self.s.select(self.m, yes.v, no.v))
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.bits() != 0
    }
    #[inline(always)]
    fn all(self) -> bool {
        self.bits() == u32::MAX >> (32 - <S as Lanes<P::Lane>>::N)
    }
}

/// Words that are those of the unit, on what the registers hold. Optimised, they are simplified before they are inlined,
/// which takes the compiler a fifth less than to inline first; where nothing is optimised, nothing else inlines them.
macro_rules! words {
    ($(fn $word:ident($($arg:ident),*);)*) => {$(
        #[cfg_attr(debug_assertions, inline(always))]
        #[cfg_attr(not(debug_assertions), inline)]
        fn $word(self, $($arg: Self),*) -> Self {
            Self::new(self.s, self.s.$word(self.v, $($arg.v),*))
        }
    )*};
}

macro_rules! operators {
    ($($Operator:ident $word:ident;)*) => {$(
        impl<P: Precision, S: FloatLanes<P::Lane>> $Operator for Register<P, S> {
            type Output = Self;
            #[cfg_attr(debug_assertions, inline(always))]
            #[cfg_attr(not(debug_assertions), inline)]
            fn $word(self, b: Self) -> Self {
                Self::new(self.s, self.s.$word(self.v, b.v))
            }
        }
    )*};
}
operators! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
}

impl<P: Precision, S: FloatLanes<P::Lane>> Lane for Register<P, S> {
    type Precision = P;
    type Mask = RegisterMask<P, S>;
    const FUSED: bool = S::FUSED;

    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn splat(self, constant: f64) -> Self {
        Self::new(self.s, self.s.splat(P::constant(constant)))
    }
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn parameter(self, value: f64) -> Self {
        Self::new(self.s, self.s.splat(P::parameter(value)))
    }
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn derived(self, value: f64) -> Self {
        Self::new(self.s, self.s.splat(P::derived(value)))
    }
    words! {
        fn mul_add(b, c);
        fn neg_mul_add(b, c);
        fn max(b);
        fn min(b);
        fn abs();
        fn copysign(sign);
        fn pow2();
    }
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn and_bits(self, b: Self) -> Self {
        Self::new(self.s, self.s.and(self.v, b.v))
    }
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn lt(self, b: Self) -> RegisterMask<P, S> {
        self.mask(self.s.lt(self.v, b.v))
    }
    #[cfg_attr(debug_assertions, inline(always))]
    #[cfg_attr(not(debug_assertions), inline)]
    fn le(self, b: Self) -> RegisterMask<P, S> {
        self.mask(self.s.le(self.v, b.v))
    }
}

impl<S: PieceLanes> PieceLane for Register<f32, S> {
    const ENTRIES: usize = S::ENTRIES;

    #[inline(always)]
    fn look_up<const N: usize>(self, table: &'static [f32; N]) -> Self {
        Self::new(self.s, self.s.look_up(table, self.v))
    }
    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        Self::new(self.s, self.s.shift_left::<BITS>(self.v))
    }
    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        Self::new(self.s, self.s.shift_right::<BITS>(self.v))
    }
    words! {
        fn add_bits(b);
        fn abs_to(limit);
        fn floor_onto(b, shift);
        fn half_down();
        fn minus_abs_to(limit);
        fn mul_add_down(b, c);
        fn neg_mul_add_up(b, c);
    }
    #[inline(always)]
    fn splat_bits(self, bits: u32) -> Self {
        Self::new(self.s, self.s.splat(f32::from_bits(bits)))
    }
    #[inline(always)]
    fn any_bits(self, of: u32) -> bool {
        self.s.any_bits(self.v, of)
    }
    #[inline(always)]
    fn subnormal(self) -> Self::Mask {
        self.mask(self.s.subnormal(self.v))
    }
    #[inline(always)]
    fn mul_add_to_odd(self, b: Self, c: Self) -> Self {
        Self::new(self.s, self.s.mul_add_to_odd(self.v, b.v, c.v))
    }
}

impl<S: TableLanes> TableLane for Register<f64, S> {
    #[inline(always)]
    fn gather<const N: usize>(self, table: &'static [f64; N]) -> Self {
        Self::new(self.s, self.s.gather(table, self.v))
    }
    #[inline(always)]
    fn power(self, table: &'static [f64; 16]) -> Self {
        Self::new(self.s, self.s.power(table, self.v))
    }
    #[inline(always)]
    fn short_reciprocal(self) -> Self {
        Self::new(self.s, self.s.short_reciprocal(self.v))
    }
    #[inline(always)]
    fn sub_bits(self, b: Self) -> Self {
        Self::new(self.s, self.s.sub_bits(self.v, b.v))
    }
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        Self::new(self.s, self.s.scale(self.v, n.v))
    }
    #[inline(always)]
    fn floor_to(self, b: Self, shift: Self) -> Self {
        Self::new(self.s, self.s.floor_to(self.v, b.v, shift.v))
    }
}

/// A register of integers: what an operation on integers is written over. Sums and differences wrap.
pub trait IntLane: Copy + Add<Output = Self> + Sub<Output = Self> + BitAnd<Output = Self> {
    /// The dtype.
    type Int: Int;

    /// The outcome of a comparison, one truth value per lane.
    type Mask: Mask<Self>;

    /// `x` in every lane.
    fn splat(self, x: Self::Int) -> Self;

    /// The greater.
    fn max(self, b: Self) -> Self;

    /// The smaller.
    fn min(self, b: Self) -> Self;

    /// `self < b`.
    fn lt(self, b: Self) -> Self::Mask;
}

/// A register of integers. See [`IntLane`]. Units compare signed lanes alone, so the lanes of unsigned
/// integers are held with [`Int::TO_SIGNED`] added, which keeps their order; sums and differences are
/// for signed ones.
pub struct IntRegister<E: Int, S: Lanes<E::Lane>> {
    v: S::V,
    s: S,
    dtype: PhantomData<E>,
}

/// The outcome of a comparison of [`IntRegister`]s.
pub struct IntMask<E: Int, S: Lanes<E::Lane>> {
    m: S::M,
    s: S,
    dtype: PhantomData<E>,
}

impl<E: Int, S: Lanes<E::Lane>> Clone for IntRegister<E, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Int, S: Lanes<E::Lane>> Copy for IntRegister<E, S> {}
impl<E: Int, S: Lanes<E::Lane>> Clone for IntMask<E, S> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<E: Int, S: Lanes<E::Lane>> Copy for IntMask<E, S> {}

impl<E: Int, S: Lanes<E::Lane>> IntRegister<E, S> {
    /// Of lanes as arrays hold them.
    #[inline(always)]
    pub(crate) fn new(s: S, v: S::V) -> Self {
        Self::of_signed(s, s.add(v, s.splat(E::TO_SIGNED)))
    }

    /// As arrays hold them.
    #[inline(always)]
    pub(crate) fn v(self) -> S::V {
        self.s.sub(self.v, self.s.splat(E::TO_SIGNED))
    }

    #[inline(always)]
    fn of_signed(s: S, v: S::V) -> Self {
        let dtype = PhantomData;
        Self { v, s, dtype }
    }
}

impl<E: Int, S: Lanes<E::Lane>> IntMask<E, S> {
    /// Bit `i` is the truth value of lane `i`; the bits beyond the lanes are zero.
    #[inline(always)]
    pub(crate) fn bits(self) -> u32 {
        self.s.bitmask(self.m)
    }
}

impl<E: Int, S: Lanes<E::Lane>> Mask<IntRegister<E, S>> for IntMask<E, S> {
    #[inline(always)]
    fn select(self, yes: IntRegister<E, S>, no: IntRegister<E, S>) -> IntRegister<E, S> {
        IntRegister::of_signed(self.s, self.s.select(self.m, yes.v, no.v))
    }
    #[inline(always)]
    fn any(self) -> bool {
        self.bits() != 0
    }
    #[inline(always)]
    fn all(self) -> bool {
        self.bits() == u32::MAX >> (32 - <S as Lanes<E::Lane>>::N)
    }
}

macro_rules! int_operators {
    ($($Operator:ident $method:ident $word:ident;)*) => {$(
        impl<E: Int, S: Lanes<E::Lane>> $Operator for IntRegister<E, S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, b: Self) -> Self {
                Self::of_signed(self.s, self.s.$word(self.v, b.v))
            }
        }
    )*};
}
int_operators! {
    Add add add;
    Sub sub sub;
    BitAnd bitand and;
}

impl<E: Int, S: Lanes<E::Lane>> IntLane for IntRegister<E, S> {
    type Int = E;
    type Mask = IntMask<E, S>;

    #[inline(always)]
    fn splat(self, x: E) -> Self {
        Self::of_signed(self.s, self.s.splat(x.signed()))
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        Self::of_signed(self.s, self.s.max(self.v, b.v))
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        Self::of_signed(self.s, self.s.min(self.v, b.v))
    }
    #[inline(always)]
    fn lt(self, b: Self) -> IntMask<E, S> {
        let (m, s, dtype) = (self.s.lt(self.v, b.v), self.s, PhantomData);
        IntMask { m, s, dtype }
    }
}
