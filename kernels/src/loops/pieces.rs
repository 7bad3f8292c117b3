//! The loop of a map, or of a gradient, by functions in pieces ([`Unary::near`]), on `f32`.
//!
//! Numbers that no piece covers are put aside, those of a thousand elements together, and computed by
//! [`Unary::far`] as an array of their own; then they take their places. So a few cost a branch that is
//! hardly ever taken, and many cost what they cost by themselves: computed where they stand, one in a
//! register would cost as much as a register of them. While there is nothing else, nothing is put aside.
//!
//! The shape is that of the [other loops](super::compact): a body of aligned stores, and a register at
//! each end, unaligned, that is loaded before the first store.

mod aside;
mod near;
mod op;
mod rare;
mod registers;

use core::ops::Range;

use crate::lanes::Lanes;
use crate::register::Register;
use crate::simd::{Simd, WithSimd};
use aside::{Aside, take_places};
use near::{may_stop, on, stops, tells_by_bits};
use op::Pieces;
use rare::{carefully, one_carefully};
use registers::{BLOCK, LANES, at, load, load_part, store};

/// From so many registers of a block on that have a far number, the next block puts aside without a
/// branch, which would be mispredicted every other time.
const MANY: usize = 6;

/// Of so many elements, at least one register on average has something rare, if [`straight`] comes no further.
const FEW: usize = BLOCK / MANY;

/// `dst[i] = op(src[0][i], …)`.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`](crate::MapWithSimd::map_with_simd) says of an array, and
/// [`Zip`](crate::Zip) of two.
#[inline(always)]
pub(crate) unsafe fn in_pieces<S: Simd, O: Pieces<S, A>, const A: usize>(
    s: S,
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    len: usize,
    stream: bool,
) {
    let n = <S as Lanes<f32>>::N;
    let part = len < n;
    let mut aside = Aside::new();
    // SAFETY: a register at `i` is within `len`, a block within the body, and the body within `len`; `load_part`
    // and `store_part` get `len < n`. There is room aside for two blocks and the rest.
    unsafe {
        let last = len.saturating_sub(n);
        // Before the first store. A part of a register is all there is, and loaded where it is used.
        let (head, tail) = if part {
            let none = [Register::new(s, s.splat(0.0f32)); A];
            (none, none)
        } else {
            (load(s, src, 0), load(s, src, last))
        };
        let first = dst.addr().wrapping_neg() / size_of::<f32>() % n;
        let end = if part {
            0
        } else {
            first + (len - first) / n * n
        };
        let (mut i, mut many) = (first, false);
        while i + const { n_at_once::<S>() } <= end {
            let stop = if end - i < BLOCK { end } else { i + BLOCK };
            if const { tells_by_bits::<S, O, A>() } {
                let done = if many {
                    0
                } else {
                    straight(s, op, at(src, i), dst.add(i), stop - i, stream)
                };
                i += done;
                // Where it stopped, one register; or a block, if it did not get far.
                many = many || done < FEW && i < stop;
                let registers = if many {
                    (stop - i) / n
                } else {
                    usize::from(i < stop)
                };
                let rare = carefully(
                    s,
                    op,
                    at(src, i),
                    dst.add(i),
                    i,
                    registers,
                    &mut aside,
                    stream,
                );
                many = many && rare > MANY;
                i += registers * n;
            } else {
                let before = aside.registers();
                i = body(s, op, src, dst, i..stop, &mut aside, many, stream);
                many = aside.registers() - before > MANY;
                // It stops where there are tiny numbers, and leaves out a last register without partner.
                let resume = i + const { n_at_once::<S>() };
                if const { may_stop::<S, O, A>() } && resume <= stop {
                    let registers = const { n_at_once::<S>() / <S as Lanes<f32>>::N };
                    carefully(
                        s,
                        op,
                        at(src, i),
                        dst.add(i),
                        i,
                        registers,
                        &mut aside,
                        stream,
                    );
                    i = resume;
                }
            }
            if aside.registers() > BLOCK / n {
                i += take_places(s, op, &mut aside, dst, len, at(src, i), i..end, stream);
            }
        }
        // The rest, a bit for each: a register that has no partner, the head, the tail. One loop for them has
        // the formula once, where it stood three times.
        let mut rest = if part {
            HEAD
        } else {
            let odd = if i < end { ODD } else { 0 };
            // Of a single register, the head is all.
            let tail = if end < len && last > 0 { TAIL } else { 0 };
            odd | if first > 0 { HEAD } else { 0 } | tail
        };
        while rest != 0 {
            let (at, x) = if part {
                (0, load_part(s, src, len))
            } else if rest & ODD != 0 {
                (i, load(s, src, i))
            } else if rest & HEAD != 0 {
                (0, head)
            } else {
                (last, tail)
            };
            let y = if const { may_stop::<S, O, A>() } && stops(op, &[x]) {
                one_carefully(s, op, x, at, &mut aside)
            } else {
                let (y, far) = on(op, x);
                // Behind the end of a part are zeros, which are never far.
                if far != 0 {
                    aside.put(s, at, far, x);
                }
                y
            };
            if part {
                s.store_part(dst, len, y);
            } else {
                s.store(dst.add(at), y);
            }
            rest &= rest - 1;
        }
        if aside.registers() > 0 {
            take_places(s, op, &mut aside, dst, len, src, 0..0, stream);
        }
    }
}

const ODD: u32 = 1;

const HEAD: u32 = 2;

const TAIL: u32 = 4;

/// How many elements [`body`] computes at once: two registers share a branch, but half as large ones are too few for
/// two.
const fn n_at_once<S: Simd>() -> usize {
    let n = <S as Lanes<f32>>::N;
    if n == LANES { 2 * n } else { n }
}

/// Whole registers, or pairs of them, by [`Pieces::near`], with what that leaves to be done put aside. Returns where it
/// stopped: where there are numbers that [`Pieces::near`] must not see at the latest.
///
/// A product with a subnormal number takes Intel's CPUs a detour through microcode, which made registers of them 10 to
/// 200 times as slow. So they are kept from it. To look for them in whole blocks beforehand, for which an instruction a
/// register is enough, cost more: the numbers are loaded twice. A call from this loop would cost even more: it takes all
/// registers.
///
/// # Safety
/// Each of `src` is valid for reads and `dst` for writes of the elements of `range`, whose length is a multiple of
/// N; it is the same as `dst` or does not overlap it. With `stream`, none does, and `dst` is aligned to a register at
/// `range`. There is room aside.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // a struct would be no clearer, and is used once
unsafe fn body<S: Simd, O: Pieces<S, A>, const A: usize>(
    s: S,
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    range: Range<usize>,
    aside: &mut Aside<A>,
    many: bool,
    stream: bool,
) -> usize {
    let n = <S as Lanes<f32>>::N;
    let mut i = range.start;
    while i + const { n_at_once::<S>() } <= range.end {
        // SAFETY: a register at `i` is within `range`, and one at `i + n` where there are two.
        unsafe {
            let a = load(s, src, i);
            if const { n_at_once::<S>() == <S as Lanes<f32>>::N } {
                if stops(op, &[a]) {
                    break;
                }
                let (y_a, far_a) = on(op, a);
                store(s, dst.add(i), y_a, stream);
                if many || far_a != 0 {
                    aside.put(s, i, far_a, a);
                }
            } else {
                let b = load(s, src, i + n);
                if stops(op, &[a, b]) {
                    break;
                }
                let (y_a, far_a) = on(op, a);
                let (y_b, far_b) = on(op, b);
                store(s, dst.add(i), y_a, stream);
                store(s, dst.add(i + n), y_b, stream);
                if many || far_a | far_b != 0 {
                    aside.put(s, i, far_a, a);
                    aside.put(s, i + n, far_b, b);
                }
            }
        }
        i += const { n_at_once::<S>() };
    }
    i
}

/// Whole registers by [`Pieces::near`], until one is not near as a whole, on a unit that [tells](tells_by_bits) that; in
/// a function of its own, where all vector registers are the formula's. Returns how many elements it did.
///
/// # Safety
/// As [`body`], of `len` elements.
#[inline(always)]
unsafe fn straight<S: Simd, O: Pieces<S, A>, const A: usize>(
    _: S,
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    len: usize,
    stream: bool,
) -> usize {
    let straight: unsafe fn(_) -> usize = S::with_simd::<Straight<O, A>>;
    // As above.
    let straight = core::hint::black_box(straight);
    // SAFETY: the unit is the proof that the CPU has its instructions; the rest is forwarded.
    unsafe {
        straight(Straight {
            op,
            src,
            dst,
            len,
            stream,
        })
    }
}

/// See [`straight`].
struct Straight<O, const A: usize> {
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    len: usize,
    stream: bool,
}

impl<S: Simd, O: Pieces<S, A>, const A: usize> WithSimd<S> for Straight<O, A> {
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
        let Straight {
            op,
            src,
            dst,
            len,
            stream,
        } = self;
        let mut i = 0;
        while i < len {
            // SAFETY: forwarded.
            unsafe {
                let x = load(s, src, i);
                if stops(op, &[x]) {
                    break;
                }
                store(s, dst.add(i), on(op, x).0, stream);
            }
            i += <S as Lanes<f32>>::N;
        }
        i
    }
}
