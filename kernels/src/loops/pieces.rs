//! The loop of a map, or of a gradient, by functions in pieces ([`Unary::near`]), on `f32`.
//!
//! Numbers that no piece covers are put aside, those of a thousand elements together, and computed by
//! [`Unary::far`] as an array of their own; then they take their places. So a few cost a branch that is
//! hardly ever taken, and many cost what they cost by themselves: computed where they stand, one in a
//! register would cost as much as a register of them.
//!
//! The shape is that of the [other loops](super::compact): a body of aligned stores, and a register at
//! each end, unaligned, that is loaded before the first store.

use core::mem::MaybeUninit;
use core::ops::Range;

use crate::lanes::{Lanes, V};
use crate::math::product_with_tail;
use crate::register::{Lane, Mask, Near, PieceLane, Register};
use crate::simd::{Simd, WithSimd};
use crate::unary::{Derivative, Times, Unary, gradient_where_not_zero};

/// Elements after which it is time to look whether what is put aside has room for as many again.
const BLOCK: usize = 512;

/// No unit has more lanes.
const LANES: usize = 16;

/// From so many registers of a block on that have a far number, the next block puts aside without a
/// branch, which would be mispredicted every other time.
const MANY: usize = 6;

/// Of so many elements, at least one register on average has something rare, if [`straight`] comes no further.
const FEW: usize = BLOCK / MANY;

/// Room for the far numbers of two blocks and both ends.
const ROOM: usize = 2 * BLOCK + 4 * LANES;

/// A register of each of `A` arrays.
type Registers<S, const A: usize> = [Register<f32, S>; A];

/// What is computed in pieces, of the elements of `A` arrays.
pub(crate) trait Pieces<S: Simd, const A: usize>: Copy {
    /// The result, and where it is that.
    fn near(self, x: Registers<S, A>) -> Near<Register<f32, S>>;

    /// [`Unary::SUBNORMALS_APART`].
    const SUBNORMALS_APART: bool;

    /// [`Unary::NEAR_BELOW`].
    const BELOW: Option<f64>;

    /// [`Unary::TINY_APART`].
    const TINY_APART: bool;

    /// [`Unary::OPEN`].
    const OPEN: bool;

    /// [`Unary::subnormal`].
    fn subnormal(self, x: Registers<S, A>) -> Register<f32, S>;

    /// The result elsewhere, and for NaN.
    fn far(self, x: Registers<S, A>) -> Register<f32, S>;
}

impl<S: Simd, O: Unary> Pieces<S, 1> for O {
    const SUBNORMALS_APART: bool = O::SUBNORMALS_APART;
    const BELOW: Option<f64> = O::NEAR_BELOW;
    const TINY_APART: bool = O::TINY_APART;
    const OPEN: bool = O::OPEN;

    #[inline(always)]
    fn near(self, [x]: Registers<S, 1>) -> Near<Register<f32, S>> {
        Unary::near(self, x)
    }

    #[inline(always)]
    fn far(self, [x]: Registers<S, 1>) -> Register<f32, S> {
        Unary::far(self, x).or_nan_of(x)
    }

    #[inline(always)]
    fn subnormal(self, [x]: Registers<S, 1>) -> Register<f32, S> {
        Unary::subnormal(self, x)
    }
}

impl<S: Simd, D: Derivative> Pieces<S, 2> for D {
    const SUBNORMALS_APART: bool = false;
    const BELOW: Option<f64> = D::BELOW;
    const TINY_APART: bool = false;
    const OPEN: bool = false;

    #[inline(always)]
    fn near(self, [x, dy]: Registers<S, 2>) -> Near<Register<f32, S>> {
        let (derivative, near) = Derivative::near(self, x);
        (dy * derivative, near)
    }

    #[inline(always)]
    fn far(self, [x, dy]: Registers<S, 2>) -> Register<f32, S> {
        let derivative = Derivative::far(self, x).or_nan_of(x);
        gradient_where_not_zero(product_with_tail(dy, derivative), derivative)
    }

    #[inline(always)]
    fn subnormal(self, [x, _]: Registers<S, 2>) -> Register<f32, S> {
        x
    }
}

impl<S: Simd, O: Unary> Pieces<S, 2> for Times<O> {
    const SUBNORMALS_APART: bool = O::SUBNORMALS_APART;
    const BELOW: Option<f64> = O::NEAR_BELOW;
    const TINY_APART: bool = O::TINY_APART;
    // There the product is `far`'s.
    const OPEN: bool = false;

    #[inline(always)]
    fn near(self, [x, b]: Registers<S, 2>) -> Near<Register<f32, S>> {
        let (y, near) = Unary::near(self.0, x);
        (y * b, near)
    }

    #[inline(always)]
    fn far(self, [x, b]: Registers<S, 2>) -> Register<f32, S> {
        let y = Unary::far(self.0, x).or_nan_of(x);
        (y * b).or_nan_of(y)
    }

    #[inline(always)]
    fn subnormal(self, [x, b]: Registers<S, 2>) -> Register<f32, S> {
        Unary::subnormal(self.0, x) * b
    }
}

/// What has been put aside.
struct Aside<const A: usize> {
    /// The far numbers, in order, and what the other arrays have there.
    x: [[MaybeUninit<f32>; ROOM]; A],
    lanes: usize,
    /// The registers they are from: their place in the array, and which lanes.
    from: [MaybeUninit<(usize, u32)>; 2 * BLOCK / 8 + 4],
    registers: usize,
}

impl<const A: usize> Aside<A> {
    #[inline(always)]
    fn new() -> Self {
        Self {
            x: [const { [const { MaybeUninit::uninit() }; ROOM] }; A],
            lanes: 0,
            from: [const { MaybeUninit::uninit() }; 2 * BLOCK / 8 + 4],
            registers: 0,
        }
    }

    /// # Safety
    /// There is room: `registers` is below the length of `from`, so `lanes`, at most N for each, leaves
    /// a register of N.
    #[inline(always)]
    unsafe fn put<S: Simd>(&mut self, s: S, at: usize, far: u32, x: Registers<S, A>) {
        // SAFETY: the caller vouches for the room.
        unsafe {
            let mut k = 0;
            while k < A {
                let to = self.x[k].as_mut_ptr().cast::<f32>();
                s.compress(far, x[k].v(), to.add(self.lanes));
                k += 1;
            }
            let from = self.from.as_mut_ptr().cast::<(usize, u32)>();
            from.add(self.registers).write((at, far));
        }
        self.lanes += far.count_ones() as usize;
        self.registers += usize::from(far != 0);
    }
}

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
                let before = aside.registers;
                i = body(s, op, src, dst, i..stop, &mut aside, many, stream);
                many = aside.registers - before > MANY;
                // It stops where there are subnormal numbers, and leaves out a last register without partner.
                let resume = i + const { n_at_once::<S>() };
                if const { O::SUBNORMALS_APART } && resume <= stop {
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
            if aside.registers > BLOCK / n {
                take_places(s, op, &mut aside, dst, len);
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
            let y = if stops(op, &[x]) {
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
        if aside.registers > 0 {
            take_places(s, op, &mut aside, dst, len);
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

/// A register of each array.
///
/// # Safety
/// The arrays have N elements from `i` on.
#[inline(always)]
unsafe fn load<S: Simd, const A: usize>(s: S, src: [*const f32; A], i: usize) -> Registers<S, A> {
    let mut x = [Register::new(s, s.splat(0.0f32)); A];
    let mut k = 0;
    while k < A {
        // SAFETY: the caller vouches for the elements.
        x[k] = Register::new(s, unsafe { s.load(src[k].add(i)) });
        k += 1;
    }
    x
}

/// The part of a register that each array has.
///
/// # Safety
/// The arrays have `len < N` elements.
#[inline(always)]
unsafe fn load_part<S: Simd, const A: usize>(
    s: S,
    src: [*const f32; A],
    len: usize,
) -> Registers<S, A> {
    let mut x = [Register::new(s, s.splat(0.0f32)); A];
    let mut k = 0;
    while k < A {
        // SAFETY: as above.
        x[k] = Register::new(s, unsafe { s.load_part(src[k], len) });
        k += 1;
    }
    x
}

/// Whole registers, or pairs of them, by [`Pieces::near`], with what that leaves to be done put aside. Returns where it
/// stopped: where there are subnormal numbers at the latest.
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

/// Stores an aligned register, past the caches where `stream`.
///
/// # Safety
/// `to` is valid for writes of N elements, and with `stream` aligned to the register.
#[inline(always)]
unsafe fn store<S: Simd>(s: S, to: *mut f32, y: V<S, f32>, stream: bool) {
    // SAFETY: forwarded.
    unsafe {
        if stream {
            s.stream(to.cast(), y);
        } else {
            s.store(to, y);
        }
    }
}

/// [`Pieces::far`] for what was put aside of `dst`, in a function of its own: it is rare and long.
///
/// # Safety
/// `dst` is valid for reads and writes of `len` elements, and what is aside is from there.
#[inline(always)]
unsafe fn take_places<S: Simd, O: Pieces<S, A>, const A: usize>(
    _: S,
    op: O,
    aside: &mut Aside<A>,
    dst: *mut f32,
    len: usize,
) {
    // SAFETY: the unit is the proof that the CPU has its instructions; the rest is forwarded.
    unsafe {
        S::with_simd(Far {
            op,
            aside,
            dst,
            len,
        })
    }
}

/// The arrays from `i` on.
///
/// # Safety
/// They have so many elements.
#[inline(always)]
unsafe fn at<const A: usize>(src: [*const f32; A], i: usize) -> [*const f32; A] {
    let mut src = src;
    let mut k = 0;
    while k < A {
        // SAFETY: forwarded.
        src[k] = unsafe { src[k].add(i) };
        k += 1;
    }
    src
}

/// Whether the bits of a register tell that it is near as a whole, which takes two instructions and a branch. Where it
/// is not, the loop is left: what is to be put aside needs registers that the formula has better use for. (Putting it
/// aside within the loop made silu and gelu on AVX2 a sixth slower.)
///
/// On large units a register is too often not near as a whole.
const fn tells_by_bits<S: Simd, O: Pieces<S, A>, const A: usize>() -> bool {
    O::BELOW.is_some() && <S as Lanes<f32>>::N < LANES
}

/// Whether the first array has what [`Pieces::near`] must not see.
#[inline(always)]
fn stops<S: Simd, O: Pieces<S, A>, const A: usize>(_: O, x: &[Registers<S, A>]) -> bool {
    let first = x[0][0];
    // As integers, numbers from the limit on, infinity and NaN become negative.
    let far = match O::BELOW {
        Some(below) if const { tells_by_bits::<S, O, A>() } => {
            let limit = (below as f32).to_bits();
            if const { !O::SUBNORMALS_APART && !O::TINY_APART } {
                let by = first.splat_bits((1 << 31) - limit);
                return first.abs().add_bits(by).signs() != 0;
            }
            // So do these, twice as large, and numbers so small that the sum does not go round: the subnormal ones,
            // some more, and zeros.
            let by = first.splat_bits((1u32 << 31).wrapping_sub(2 * limit));
            first.shift_left::<1>().add_bits(by).signs()
        }
        _ if const { !O::SUBNORMALS_APART } => return false,
        _ if const { <S as Lanes<f32>>::N < LANES } => {
            let by = first.splat_bits(f32::MIN_POSITIVE.to_bits().wrapping_neg());
            first.abs().add_bits(by).signs()
        }
        _ => 0,
    };
    if const { <S as Lanes<f32>>::N < LANES } {
        // Zeros may stay.
        let zeros = first.abs().le(first.splat(0.0));
        return far != 0 && far & !zeros.bits() != 0;
    }
    let (mut bits, mut i) = (0, 0);
    while i < x.len() {
        bits |= x[i][0].subnormal().bits();
        i += 1;
    }
    bits != 0
}

/// [`Pieces::near`] on a register that it may see, and a bit for each lane where it is not right.
#[inline(always)]
fn on<S: Simd, O: Pieces<S, A>, const A: usize>(op: O, x: Registers<S, A>) -> (V<S, f32>, u32) {
    let (y, near) = op.near(x);
    let far = match near {
        Some(near) if const { !tells_by_bits::<S, O, A>() } => {
            near.bits() ^ (u32::MAX >> (32 - <S as Lanes<f32>>::N))
        }
        _ => 0,
    };
    (y.v(), far)
}

/// Registers of which some have what the loop must not see, in a function of their own: they are rare, and would take
/// registers from the loop. The `at`th element is the first. Returns how many registers are not near.
///
/// # Safety
/// Each of `src` is valid for reads and `dst` for writes of the elements. There is room aside.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // as above
unsafe fn carefully<S: Simd, O: Pieces<S, A>, const A: usize>(
    _: S,
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    at: usize,
    registers: usize,
    aside: &mut Aside<A>,
    stream: bool,
) -> usize {
    let carefully: unsafe fn(_) -> usize = S::with_simd::<Carefully<'_, O, A>>;
    // A pointer that the compiler cannot see through, which else takes the function into the loop. (The name of a
    // function is none: that has a type of its own.)
    let carefully = core::hint::black_box(carefully);
    // SAFETY: the unit is the proof that the CPU has its instructions; the rest is forwarded.
    unsafe {
        carefully(Carefully {
            op,
            src,
            dst,
            at,
            registers,
            aside,
            stream,
        })
    }
}

/// The same of one register, which is given back.
///
/// # Safety
/// There is room aside.
#[inline(always)]
unsafe fn one_carefully<S: Simd, O: Pieces<S, A>, const A: usize>(
    s: S,
    op: O,
    x: Registers<S, A>,
    at: usize,
    aside: &mut Aside<A>,
) -> V<S, f32> {
    let mut x = x;
    let mut src = [core::ptr::null(); A];
    let mut k = 0;
    while k < A {
        src[k] = (&raw const x[k]).cast::<f32>();
        k += 1;
    }
    let dst = (&raw mut x[0]).cast::<f32>();
    // SAFETY: a register is N packed lanes and has nothing else; the first takes the result.
    unsafe {
        carefully(s, op, src, dst, at, 1, aside, false);
        s.load(dst)
    }
}

/// See [`carefully`].
struct Carefully<'a, O, const A: usize> {
    op: O,
    src: [*const f32; A],
    dst: *mut f32,
    at: usize,
    registers: usize,
    aside: &'a mut Aside<A>,
    stream: bool,
}

impl<S: Simd, O: Pieces<S, A>, const A: usize> WithSimd<S> for Carefully<'_, O, A> {
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
        let n = <S as Lanes<f32>>::N;
        let mut rare = 0;
        let mut i = 0;
        while i < self.registers * n {
            // SAFETY: forwarded.
            unsafe {
                let x = load(s, self.src, i);
                let (zero, mut z) = (x[0].splat(0.0), x);
                let (mut apart, mut beyond) = (0, 0);
                if let Some(below) = O::BELOW
                    && const { tells_by_bits::<S, O, A>() }
                {
                    let near = x[0].abs().lt(zero.splat(below));
                    let done = if O::OPEN {
                        zero.splat(-below).lt(x[0])
                    } else {
                        near
                    };
                    beyond = done.bits() ^ (u32::MAX >> (32 - n));
                    z[0] = near.select(z[0], zero);
                    if const { O::TINY_APART } {
                        let least = zero.splat_bits((below as f32).to_bits() - (1 << 30));
                        let tiny = x[0].abs().lt(least);
                        beyond |= tiny.bits() & !x[0].abs().le(zero).bits();
                        // Zeros are among them, and stay.
                        z[0] = tiny.select(zero.copysign(x[0]), z[0]);
                    }
                }
                if const { O::SUBNORMALS_APART } {
                    let subnormal = x[0].subnormal();
                    apart = subnormal.bits();
                    z[0] = subnormal.select(zero, z[0]);
                }
                let (mut y, far) = on(self.op, z);
                if apart != 0 {
                    let of_subnormal = self.op.subnormal(x);
                    y = x[0]
                        .subnormal()
                        .select(of_subnormal, Register::new(s, y))
                        .v();
                }
                if let Some(below) = O::BELOW
                    && O::OPEN
                {
                    let y_near = Register::new(s, y);
                    y = zero.splat(below).le(x[0]).select(x[0], y_near).v();
                }
                store(s, self.dst.add(i), y, self.stream);
                self.aside.put(s, self.at + i, far | beyond, x);
                rare += usize::from(apart | far | beyond != 0);
            }
            i += n;
        }
        rare
    }
}

/// See [`take_places`]; nothing is aside afterwards.
struct Far<'a, O, const A: usize> {
    op: O,
    aside: &'a mut Aside<A>,
    dst: *mut f32,
    len: usize,
}

impl<S: Simd, O: Pieces<S, A>, const A: usize> WithSimd<S> for Far<'_, O, A> {
    type Output = ();

    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let n = <S as Lanes<f32>>::N;
        let Far {
            op,
            aside,
            dst,
            len,
        } = self;
        let mut x = [core::ptr::null(); A];
        // SAFETY: zeros behind the numbers, for which there is room, make whole registers of them. The
        // registers they go to are those they are from; a part of one only where the array is no longer.
        unsafe {
            let mut k = 0;
            while k < A {
                let behind = aside.x[k].as_mut_ptr().cast::<f32>();
                s.store(behind.add(aside.lanes), s.splat(0.0f32));
                x[k] = behind.cast_const();
                k += 1;
            }
            // The results take the place of the first array's.
            let results = aside.x[0].as_mut_ptr().cast::<f32>();
            let mut i = 0;
            while i < aside.lanes {
                s.store(results.add(i), op.far(load(s, x, i)).v());
                i += n;
            }
            // Loaded one turn ahead: else LLVM makes one instruction of a load and an expansion, which Zen
            // runs by microcode.
            let (mut i, mut from) = (0, results.cast_const());
            let mut next = s.load(from);
            while i < aside.registers {
                // Not by an index, which would bring a panic into the kernel.
                let (at, far) = aside.from.as_ptr().cast::<(usize, u32)>().add(i).read();
                let (to, y) = (dst.add(at), next);
                from = from.add(far.count_ones() as usize);
                next = s.load(from);
                if len < n {
                    s.store_part(to, len, s.expand(far, y, s.load_part(to, len)));
                } else {
                    s.store(to, s.expand(far, y, s.load(to)));
                }
                i += 1;
            }
        }
        (aside.lanes, aside.registers) = (0, 0);
    }
}
