//! Floats to bytes by a scale and a zero point, and back.

use crate::dtype::{Float, bf16, f16};
use crate::half::Half;
use crate::lanes::{Lanes, V};
use crate::register::{IntLane, IntRegister, Lane, Mask, Register};
use crate::simd::{FullSimd, WithSimd};

/// The numbers that bytes stand for: `(q − zero_point) · scale`.
///
/// The kernels compute on signed bytes. An unsigned byte is a signed one with its uppermost bit
/// flipped, 128 more than it: [`flip`](Grid::flip) tells the two apart, and the zero point is that of
/// the signed byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// The distance between neighbours; finite and above zero.
    pub scale: f32,
    /// The signed byte that stands for zero.
    pub zero_point: i8,
    /// What to add to a signed byte, wrapping round: 0, or −128 for unsigned bytes.
    pub flip: i8,
}

/// `q = saturate(round(x / scale) + zero_point)`: an IEEE 754 division in `f32`, rounded to nearest,
/// ties to even. NaN gives the zero point.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Quantize<E> {
    pub grid: Grid,
    pub src: *const E,
    pub dst: *mut i8,
    pub len: usize,
    pub stream: bool,
}

/// `x = (q − zero_point) · scale`, the product in `f32`, then rounded to `E`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Dequantize<E> {
    pub grid: Grid,
    pub src: *const i8,
    pub dst: *mut E,
    pub len: usize,
    pub stream: bool,
}

/// The two on one dtype. `src` is valid for reads and `dst` for writes of `len` elements at any
/// alignment, and they do not overlap. With `stream`, `dst` is aligned to its element; then
/// [`fence`](crate::fence) before it is published.
///
/// # Safety
/// To call one, the CPU must run the kernels' [`Isa`](crate::Isa), and the pointers be as above.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct QuantizeFns<E> {
    pub quantize: unsafe fn(Quantize<E>),
    pub dequantize: unsafe fn(Dequantize<E>),
}

impl<E: Quantizable> QuantizeFns<E> {
    pub(crate) const fn of<S: FullSimd, W>() -> Self {
        Self {
            quantize: S::with_simd::<Quantize<E>>,
            dequantize: S::with_simd::<Dequantize<E>>,
        }
    }
}

/// 1.5 · 2^23: the last place of a number between 2^23 and 2^24 is 1, so adding it to one of
/// magnitude up to 2^22 rounds that to an integer, ties to even, and leaves it in the low bits.
const SHIFT: f32 = 12_582_912.0;
const SHIFT_BITS: i32 = SHIFT.to_bits().cast_signed();

/// Elements in a register of bytes, hence in a block.
const N: usize = 32;

/// Four registers of numbers, in order.
type Block<S> = [V<S, f32>; 4];

/// A dtype that quantises: `f32 f16 bf16`.
pub trait Quantizable: Float {
    /// Reads the first `n` elements of a block, which may be all; the others are zero.
    ///
    /// # Safety
    /// `n <= 32`, and `p` is valid for reads of `n` elements.
    #[doc(hidden)]
    unsafe fn load<S: FullSimd>(s: S, p: *const Self, n: usize) -> Block<S>;

    /// Writes the first `n` elements of a block, which may be all.
    ///
    /// # Safety
    /// `n <= 32`, and `p` is valid for writes of `n` elements. With `stream`, `n` is 32, and `p`
    /// aligned to a register.
    #[doc(hidden)]
    unsafe fn store<S: FullSimd>(s: S, p: *mut Self, n: usize, x: Block<S>, stream: bool);
}

impl Quantizable for f32 {
    #[inline(always)]
    unsafe fn load<S: FullSimd>(s: S, p: *const f32, n: usize) -> Block<S> {
        // SAFETY: forwarded.
        unsafe {
            [
                load(s, p, n, 0),
                load(s, p, n, 1),
                load(s, p, n, 2),
                load(s, p, n, 3),
            ]
        }
    }
    #[inline(always)]
    unsafe fn store<S: FullSimd>(s: S, p: *mut f32, n: usize, x: Block<S>, stream: bool) {
        // SAFETY: forwarded.
        unsafe {
            store(s, p, n, 0, x[0], stream);
            store(s, p, n, 1, x[1], stream);
            store(s, p, n, 2, x[2], stream);
            store(s, p, n, 3, x[3], stream);
        }
    }
}

macro_rules! halves {
    ($($H:ident)*) => {$(
        impl Quantizable for $H {
            #[inline(always)]
            unsafe fn load<S: FullSimd>(s: S, p: *const $H, n: usize) -> Block<S> {
                let p = p.cast::<i16>();
                // SAFETY: forwarded.
                let (low, high) = unsafe { (load::<i16, S>(s, p, n, 0), load::<i16, S>(s, p, n, 1)) };
                let [a, b] = $H::widen(s, $H::reorder(s, low));
                let [c, d] = $H::widen(s, $H::reorder(s, high));
                [a, b, c, d]
            }
            #[inline(always)]
            unsafe fn store<S: FullSimd>(s: S, p: *mut $H, n: usize, x: Block<S>, stream: bool) {
                let [a, b, c, d] = x;
                let low = $H::reorder(s, $H::narrow(s, [a, b]));
                let high = $H::reorder(s, $H::narrow(s, [c, d]));
                // SAFETY: forwarded.
                unsafe {
                    store::<i16, S>(s, p.cast(), n, 0, low, stream);
                    store::<i16, S>(s, p.cast(), n, 1, high, stream);
                }
            }
        }
    )*};
}
halves! { f16 bf16 }

/// What the first `n` elements of a block have in its register `r`.
///
/// # Safety
/// As [`Quantizable::load`].
#[inline(always)]
unsafe fn load<E: Copy, S: Lanes<E>>(s: S, p: *const E, n: usize, r: usize) -> S::V {
    let before = r * S::N;
    let p = p.wrapping_add(before);
    // SAFETY: the caller vouches for `n` elements, `before` of them before `p`.
    unsafe {
        if n >= before + S::N {
            s.load(p)
        } else {
            s.load_part(p, n.saturating_sub(before))
        }
    }
}

/// Writes what the first `n` elements of a block have in its register `r`.
///
/// # Safety
/// As [`Quantizable::store`].
#[inline(always)]
unsafe fn store<E: Copy, S>(s: S, p: *mut E, n: usize, r: usize, v: V<S, E>, stream: bool)
where
    S: FullSimd + Lanes<E>,
{
    let before = r * <S as Lanes<E>>::N;
    let p = p.wrapping_add(before);
    // SAFETY: as above; if `p` was aligned to a register, it still is.
    unsafe {
        if stream {
            s.stream(p.cast(), v);
        } else if n >= before + <S as Lanes<E>>::N {
            s.store(p, v);
        } else {
            s.store_part(p, n.saturating_sub(before), v);
        }
    }
}

impl Grid {
    /// One block of signed or unsigned bytes.
    #[inline(always)]
    fn quantize<S: FullSimd>(self, s: S, x: Block<S>) -> V<S, i8> {
        let [a, b, c, d] = x;
        let signed = s.narrow_i8([
            self.signed(s, a),
            self.signed(s, b),
            self.signed(s, c),
            self.signed(s, d),
        ]);
        plus(IntRegister::<i8, S>::new(s, signed), self.flip).v()
    }

    /// The signed bytes of one register.
    #[inline(always)]
    fn signed<S: FullSimd>(self, s: S, x: V<S, f32>) -> V<S, i32> {
        let steps = self.shifted_steps(Register::<f32, S>::new(s, x));
        let bits = IntRegister::<i32, S>::new(s, s.to_bits(steps.v()));
        plus(bits, i32::from(self.zero_point) - SHIFT_BITS).v()
    }

    /// The division costs nothing that can be had back: a product with the reciprocal, and a quotient
    /// only where that comes within 2^−14 of the middle between two integers, gives the same bits and
    /// ran at 0.88 to 1.01 of the speed (Zen, in cache; separate runs on a busy machine).
    ///
    /// Clipped to an integer before it is rounded to one, a number ends up where it would if it were
    /// clipped after, and is never too large for `SHIFT`.
    #[inline(always)]
    fn shifted_steps<X: Lane>(self, x: X) -> X {
        let zero_point = f64::from(self.zero_point);
        let (least, most) = (x.splat(-128.0 - zero_point), x.splat(127.0 - zero_point));
        let steps = x / x.splat(self.scale.into());
        let number = steps.le(steps).select(steps, x.splat(0.0));
        most.min(least.max(number)) + x.splat(SHIFT.into())
    }

    /// The numbers that one block of bytes stands for.
    #[inline(always)]
    fn dequantize<S: FullSimd>(self, s: S, q: V<S, i8>) -> Block<S> {
        let q = plus(IntRegister::<i8, S>::new(s, q), self.flip);
        let [a, b, c, d] = s.widen_i8(q.v());
        [
            self.values(s, a),
            self.values(s, b),
            self.values(s, c),
            self.values(s, d),
        ]
    }

    /// The numbers that one register of signed bytes stands for.
    #[inline(always)]
    fn values<S: FullSimd>(self, s: S, q: V<S, i32>) -> V<S, f32> {
        let q = IntRegister::<i32, S>::new(s, q);
        let bits = plus(q, SHIFT_BITS - i32::from(self.zero_point)).v();
        let shifted = Register::<f32, S>::new(s, s.float_of_bits(bits));
        let steps = shifted - shifted.splat(SHIFT.into());
        (steps * steps.splat(self.scale.into())).v()
    }
}

#[inline(always)]
fn plus<X: IntLane>(x: X, by: X::Int) -> X {
    x + x.splat(by)
}

/// A loop's body.
trait Blocks<S>: Copy {
    /// Computes the `n <= N` elements from `i` on.
    ///
    /// # Safety
    /// They are within the arrays. With `stream`, `n` is `N`, and the destination aligned to a
    /// register there.
    unsafe fn block(self, s: S, i: usize, n: usize, stream: bool);
}

/// Block by block from the first aligned element of `dst`; before it and at the end, a block that
/// overlaps others, as in `compact.rs`. Nothing is in place, so all may be read at any time.
///
/// # Safety
/// `blocks` takes `len` elements and writes them to `dst`.
#[inline(always)]
unsafe fn run<S: FullSimd, E, B: Blocks<S>>(
    s: S,
    blocks: B,
    dst: *mut E,
    len: usize,
    stream: bool,
) {
    let register = size_of::<V<S, i8>>();
    // SAFETY: a block at `i` covers `i..i + N`, and every `i` below is at most `len - N`; a shorter
    // array gets its length. What is streamed is aligned by the choice of `first`.
    unsafe {
        if len < N {
            return blocks.block(s, 0, len, false);
        }
        let last = len - N;
        let first = dst.addr().wrapping_neg() % register / size_of::<E>();
        if first > 0 {
            blocks.block(s, 0, N, false);
        }
        let mut i = first;
        while i <= last {
            blocks.block(s, i, N, stream);
            i += N;
        }
        if i < len {
            blocks.block(s, last, N, false);
        }
    }
}

impl<S: FullSimd, E: Quantizable> Blocks<S> for Quantize<E> {
    #[inline(always)]
    unsafe fn block(self, s: S, i: usize, n: usize, stream: bool) {
        // SAFETY: forwarded.
        unsafe {
            let x = E::load(s, self.src.add(i), n);
            store::<i8, S>(s, self.dst.add(i), n, 0, self.grid.quantize(s, x), stream);
        }
    }
}

impl<S: FullSimd, E: Quantizable> Blocks<S> for Dequantize<E> {
    #[inline(always)]
    unsafe fn block(self, s: S, i: usize, n: usize, stream: bool) {
        // SAFETY: forwarded.
        unsafe {
            let q = load::<i8, S>(s, self.src.add(i), n, 0);
            E::store(s, self.dst.add(i), n, self.grid.dequantize(s, q), stream);
        }
    }
}

impl<S: FullSimd, E: Quantizable> WithSimd<S> for Quantize<E> {
    type Output = ();
    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        const { assert!(<S as Lanes<i8>>::N == N && <S as Lanes<f32>>::N * 4 == N) };
        // SAFETY: forwarded.
        unsafe { run(s, self, self.dst, self.len, self.stream) }
    }
}

impl<S: FullSimd, E: Quantizable> WithSimd<S> for Dequantize<E> {
    type Output = ();
    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        const { assert!(<S as Lanes<i8>>::N == N && <S as Lanes<f32>>::N * 4 == N) };
        // SAFETY: forwarded.
        unsafe { run(s, self, self.dst, self.len, self.stream) }
    }
}
