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
use crate::register::{Lane, Near, Register};
use crate::simd::{Simd, WithSimd};
use crate::unary::{Derivative, Unary, scale_gradient};

/// Elements after which it is time to look whether what is put aside has room for as many again.
const BLOCK: usize = 512;

/// No unit has more lanes.
const LANES: usize = 16;

/// From so many registers of a block on that have a far number, the next block puts aside without a
/// branch, which would be mispredicted every other time.
const MANY: usize = 6;

/// Room for the far numbers of two blocks and both ends.
const ROOM: usize = 2 * BLOCK + 4 * LANES;

/// A register of each of `A` arrays.
type Registers<S, const A: usize> = [Register<f32, S>; A];

/// What is computed in pieces, of the elements of `A` arrays.
pub(crate) trait Pieces<S: Simd, const A: usize>: Copy {
    /// The result, and where it is that.
    fn near(self, x: Registers<S, A>) -> Near<Register<f32, S>>;

    /// The result elsewhere, and for NaN.
    fn far(self, x: Registers<S, A>) -> Register<f32, S>;
}

impl<S: Simd, O: Unary> Pieces<S, 1> for O {
    #[inline(always)]
    fn near(self, [x]: Registers<S, 1>) -> Near<Register<f32, S>> {
        Unary::near(self, x)
    }

    #[inline(always)]
    fn far(self, [x]: Registers<S, 1>) -> Register<f32, S> {
        Unary::far(self, x).or_nan_of(x)
    }
}

impl<S: Simd, D: Derivative> Pieces<S, 2> for D {
    #[inline(always)]
    fn near(self, [x, dy]: Registers<S, 2>) -> Near<Register<f32, S>> {
        let (derivative, near) = Derivative::near(self, x);
        (dy * derivative, near)
    }

    #[inline(always)]
    fn far(self, [x, dy]: Registers<S, 2>) -> Register<f32, S> {
        scale_gradient(dy, Derivative::far(self, x).or_nan_of(x))
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
    let all = u32::MAX >> (32 - n);
    let mut aside = Aside::new();
    // SAFETY: a register at `i` is within `len`, a block within the body, and the body within `len`; `load_part`
    // and `store_part` get `len < n`. There is room aside for two blocks and the ends.
    unsafe {
        if len < n {
            let x = load_part(s, src, len);
            let (y, near) = on(op, x);
            s.store_part(dst, len, y);
            let far = !near & (all >> (n - len));
            if far != 0 {
                aside.put(s, 0, far, x);
                take_places(s, op, &mut aside, dst, len);
            }
            return;
        }
        let last = len - n;
        let (head, tail) = (load(s, src, 0), load(s, src, last));
        let first = dst.addr().wrapping_neg() / size_of::<f32>() % n;
        let end = first + (len - first) / n * n;
        let (mut i, mut many) = (first, false);
        while i < end {
            let stop = if end - i < BLOCK { end } else { i + BLOCK };
            let before = aside.registers;
            body(s, op, src, dst, i..stop, &mut aside, many, stream);
            many = aside.registers - before > MANY;
            if aside.registers > BLOCK / n {
                take_places(s, op, &mut aside, dst, len);
            }
            i = stop;
        }
        // Of a single register, the head is all.
        let ends = [(0, head, first > 0), (last, tail, end < len && last > 0)];
        let mut i = 0;
        while i < 2 {
            let (at, x, open) = ends[i];
            if open {
                let (y, near) = on(op, x);
                s.store(dst.add(at), y);
                if near != all {
                    aside.put(s, at, near ^ all, x);
                }
            }
            i += 1;
        }
        if aside.registers > 0 {
            take_places(s, op, &mut aside, dst, len);
        }
    }
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

/// Whole registers by [`Pieces::near`], with what that leaves to be done put aside.
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
) {
    let n = <S as Lanes<f32>>::N;
    let all = u32::MAX >> (32 - n);
    let mut i = range.start;
    // SAFETY: a register at `i` is within `range`.
    unsafe {
        // Two at a time share a branch; half as large registers are too few for two.
        while const { <S as Lanes<f32>>::N == LANES } && i + 2 * n <= range.end {
            let (a, b) = (load(s, src, i), load(s, src, i + n));
            let (y_a, near_a) = on(op, a);
            let (y_b, near_b) = on(op, b);
            store(s, dst.add(i), y_a, stream);
            store(s, dst.add(i + n), y_b, stream);
            if many || near_a & near_b != all {
                aside.put(s, i, near_a ^ all, a);
                aside.put(s, i + n, near_b ^ all, b);
            }
            i += 2 * n;
        }
        while i < range.end {
            let x = load(s, src, i);
            let (y, near) = on(op, x);
            store(s, dst.add(i), y, stream);
            if many || near != all {
                aside.put(s, i, near ^ all, x);
            }
            i += n;
        }
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

/// [`Pieces::near`] on a register, and a bit for each lane where it is right.
#[inline(always)]
fn on<S: Simd, O: Pieces<S, A>, const A: usize>(op: O, x: Registers<S, A>) -> (V<S, f32>, u32) {
    let (y, near) = op.near(x);
    let near = match near {
        Some(near) => near.bits(),
        None => u32::MAX >> (32 - <S as Lanes<f32>>::N),
    };
    (y.v(), near)
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
