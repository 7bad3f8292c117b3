//! What a slope gains from many elements: sums of `dy · x` over the negative `x`.
//!
//! A product of two elements of `f32`, `f16` or `bf16` is exact in `f64`, and that of two `f64` is
//! rounded, then added: never by a fused multiply-add, which the portable lanes lack. Sums are kept in
//! `f64`, and which element goes into which sum, and which sums are added first, is fixed by the
//! arguments. So every instruction set gives the same bits.

use crate::dtype::{Float, bf16, f16};
use crate::half::Half;
use crate::lanes::{Lanes, V};
use crate::register::{Lane, Mask, Register};
use crate::simd::{FullSimd, WithSimd};

/// A dtype that is summed in `f64` lanes.
pub trait Summand: Float {
    /// How many registers of `f64` one of this dtype becomes.
    const REGISTERS: usize = 8 / size_of::<Self>();

    /// The values of a register in the order of its elements, in the first
    /// [`REGISTERS`](Summand::REGISTERS).
    fn values<S: FullSimd + Lanes<Self::Lane>>(s: S, x: V<S, Self::Lane>) -> [V<S, f64>; 4];
}

impl Summand for f64 {
    #[inline(always)]
    fn values<S: FullSimd>(_: S, x: V<S, f64>) -> [V<S, f64>; 4] {
        [x; 4]
    }
}

impl Summand for f32 {
    #[inline(always)]
    fn values<S: FullSimd>(s: S, x: V<S, f32>) -> [V<S, f64>; 4] {
        let [a, b] = s.widen(x);
        [a, b, a, b]
    }
}

impl Summand for f16 {
    #[inline(always)]
    fn values<S: FullSimd>(s: S, x: V<S, i16>) -> [V<S, f64>; 4] {
        let [low, high] = f16::widen(s, x);
        let ([a, b], [c, d]) = (s.widen(low), s.widen(high));
        [a, b, c, d]
    }
}

impl Summand for bf16 {
    #[inline(always)]
    fn values<S: FullSimd>(s: S, x: V<S, i16>) -> [V<S, f64>; 4] {
        let [low, high] = bf16::widen(s, s.reorder_bf16(x));
        let ([a, b], [c, d]) = (s.widen(low), s.widen(high));
        [a, b, c, d]
    }
}

/// `sums[k] + (x ≥ 0 ? 0 : x · dy)`, for the registers that one of `E` becomes.
#[inline(always)]
fn add<E: Summand, S: FullSimd + Lanes<E::Lane>>(
    s: S,
    x: V<S, E::Lane>,
    dy: V<S, E::Lane>,
    sums: &mut [V<S, f64>],
) {
    let (x, dy) = (E::values(s, x), E::values(s, dy));
    let mut k = 0;
    while k < E::REGISTERS {
        let sum = Register::<f64, S>::new(s, sums[k]);
        sums[k] = add_product(sum, Register::new(s, x[k]), Register::new(s, dy[k])).v();
        k += 1;
    }
}

#[inline(always)]
fn add_product<X: Lane>(sum: X, x: X, dy: X) -> X {
    let zero = x.splat(0.0);
    sum + zero.le(x).select(zero, x * dy)
}

/// The sum over `len` elements: 32 sums, of which sum `j` takes the elements `32·i + j` in order, then
/// halved five times.
///
/// `x` and `dy` are valid for reads of `len` elements at any alignment.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct SlopeSum<E> {
    pub x: *const E,
    pub dy: *const E,
    pub len: usize,
}

impl<E: Summand, S: FullSimd + Lanes<E::Lane>> WithSimd<S> for SlopeSum<E> {
    type Output = f64;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> f64 {
        const { assert!(<S as Lanes<f64>>::N == 4) };
        let (x, dy) = (self.x.cast::<E::Lane>(), self.dy.cast::<E::Lane>());
        let n = <S as Lanes<E::Lane>>::N;
        let mut sums = [s.splat(0.0f64); 8];
        let mut i = 0;
        // SAFETY: of the `len` elements, whole registers that end by `len`, and at last parts that do.
        unsafe {
            while i + 32 <= self.len {
                let mut k = 0;
                while k < 8 {
                    let at = i + 4 * k;
                    add::<E, S>(s, s.load(x.add(at)), s.load(dy.add(at)), &mut sums[k..]);
                    k += E::REGISTERS;
                }
                i += 32;
            }
            // Where there is no element, a zero: adding it changes no sum, for none is -0.0.
            let mut k = 0;
            while k < 8 {
                let at = i + 4 * k;
                if at < self.len {
                    let rest = if self.len - at < n { self.len - at } else { n };
                    let (x, dy) = (s.load_part(x.add(at), rest), s.load_part(dy.add(at), rest));
                    add::<E, S>(s, x, dy, &mut sums[k..]);
                }
                k += E::REGISTERS;
            }
            let mut half = 4;
            while half > 0 {
                let mut k = 0;
                while k < half {
                    sums[k] = Lanes::<f64>::add(s, sums[k], sums[k + half]);
                    k += 1;
                }
                half /= 2;
            }
            let mut lanes = [0.0f64; 4];
            s.store(lanes.as_mut_ptr(), sums[0]);
            (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
        }
    }
}

/// A sum for each of `width` columns, added to `sums` row by row; a row begins `stride` elements behind
/// the one above it.
///
/// `x` and `dy` are valid for reads of `width` elements from the beginning of each row, and `sums` for
/// reads and writes of `width` rounded up to a multiple of 16.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct SlopeSums<E> {
    pub x: *const E,
    pub dy: *const E,
    pub sums: *mut f64,
    pub width: usize,
    pub rows: usize,
    pub stride: usize,
}

impl<E: Summand> SlopeSums<E> {
    /// The next `ROWS` rows: together, so that the sums are loaded and stored once for all of them.
    #[inline(always)]
    unsafe fn rows<S: FullSimd + Lanes<E::Lane>, const ROWS: usize>(self, s: S, row: usize) {
        let n = <S as Lanes<E::Lane>>::N;
        let first = row * self.stride;
        let mut column = 0;
        // SAFETY: as the fields say.
        unsafe {
            let x = self.x.cast::<E::Lane>().add(first);
            let dy = self.dy.cast::<E::Lane>().add(first);
            while column < self.width {
                let to = self.sums.add(column);
                let mut sums = [s.splat(0.0f64); 4];
                let mut k = 0;
                while k < E::REGISTERS {
                    sums[k] = s.load(to.add(4 * k));
                    k += 1;
                }
                let rest = self.width - column;
                let mut r = 0;
                while r < ROWS {
                    let at = r * self.stride + column;
                    if rest >= n {
                        add::<E, S>(s, s.load(x.add(at)), s.load(dy.add(at)), &mut sums);
                    } else {
                        let (x, dy) = (s.load_part(x.add(at), rest), s.load_part(dy.add(at), rest));
                        add::<E, S>(s, x, dy, &mut sums);
                    }
                    r += 1;
                }
                k = 0;
                while k < E::REGISTERS {
                    s.store(to.add(4 * k), sums[k]);
                    k += 1;
                }
                column += n;
            }
        }
    }
}

impl<E: Summand, S: FullSimd + Lanes<E::Lane>> WithSimd<S> for SlopeSums<E> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        const { assert!(<S as Lanes<f64>>::N == 4) };
        let mut row = 0;
        // SAFETY: rows below `self.rows`.
        unsafe {
            while row + 4 <= self.rows {
                self.rows::<S, 4>(s, row);
                row += 4;
            }
            while row < self.rows {
                self.rows::<S, 1>(s, row);
                row += 1;
            }
        }
    }
}
