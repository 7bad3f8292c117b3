//! The loop of a map by functions in pieces ([`Unary::near`]), on `f32`.
//!
//! It goes block by block. Numbers that no piece covers are put aside, all of a block's together, and
//! computed by [`Unary::far`] as an array of their own; then they take their places. So a few cost a
//! branch that is hardly ever taken, and many cost what they cost by themselves: computed where they
//! stand, one in a register would cost as much as a register of them.

use core::mem::MaybeUninit;

use crate::lanes::{Lanes, Simd, V, WithSimd};
use crate::register::Register;
use crate::unary::{Unary, far_f32};

/// Elements of a block: what is put aside of it stays in the first-level cache.
const BLOCK: usize = 512;

/// No unit has more lanes.
const LANES: usize = 16;

/// From so many registers of a block on that have a far number, the next block puts aside without a
/// branch, which would be mispredicted every other time.
const MANY: usize = 6;

/// Whether the map of `O` on `S` is this one.
pub(crate) const fn has_pieces<S: Simd, O: Unary>() -> bool {
    O::IN_PIECES && S::ENTRIES > 0
}

/// What has been put aside of a block.
struct Aside {
    /// The far numbers, in order.
    x: [MaybeUninit<f32>; BLOCK + LANES],
    lanes: usize,
    /// The registers they are from: their place in the block, and which lanes.
    from: [MaybeUninit<(u16, u16)>; BLOCK / 8],
    registers: usize,
}

impl Aside {
    #[inline(always)]
    fn put<S: Simd>(&mut self, s: S, at: usize, far: u32, x: V<S, f32>) {
        // SAFETY: a block has at most BLOCK / N registers, so that `registers` is within `from`, and
        // `lanes`, at most N for each, leaves room for one more register of N.
        unsafe {
            s.compress(far, x, self.x.as_mut_ptr().cast::<f32>().add(self.lanes));
            self.from
                .as_mut_ptr()
                .add(self.registers)
                .cast::<(u16, u16)>()
                .write((at as u16, far as u16));
        }
        self.lanes += far.count_ones() as usize;
        self.registers += 1;
    }
}

/// `dst[i] = op(src[i])`.
///
/// # Safety
/// As [`MapWithSimd::map_with_simd`](crate::MapWithSimd::map_with_simd).
#[inline(always)]
pub(crate) unsafe fn map_in_pieces<S: Simd, O: Unary>(
    s: S,
    op: O,
    src: *const f32,
    dst: *mut f32,
    len: usize,
    stream: bool,
) {
    let n = <S as Lanes<f32>>::N;
    let mut aside = Aside {
        x: [const { MaybeUninit::uninit() }; BLOCK + LANES],
        lanes: 0,
        from: [const { MaybeUninit::uninit() }; BLOCK / 8],
        registers: 0,
    };
    // Where results wait for those that were put aside, before they bypass the caches.
    let mut waiting = [const { MaybeUninit::<f32>::uninit() }; BLOCK];
    // A store that straddles cache lines costs double: a first block ends where registers are aligned.
    let ahead = dst.addr().wrapping_neg() / size_of::<f32>() % n;
    let mut count = if len < 4 * n || ahead == 0 {
        BLOCK
    } else {
        ahead
    };
    let (mut i, mut many) = (0, false);
    // SAFETY: a block is `i..i + count`, within `len`; if it is `waiting`, that has as many.
    unsafe {
        while i < len {
            count = if len - i < count { len - i } else { count };
            let to = if stream {
                waiting.as_mut_ptr().cast::<f32>()
            } else {
                dst.add(i)
            };
            near(s, op, src.add(i), to, count, &mut aside, many);
            many = aside.registers > MANY;
            if aside.registers > 0 {
                let aside = &mut aside;
                S::with_simd(Far {
                    op,
                    aside,
                    to,
                    count,
                });
            }
            if stream {
                stream_block(s, to, dst.add(i), count);
            }
            i += count;
            count = BLOCK;
        }
    }
}

/// A block by [`Unary::near`], with what that leaves to be done put aside.
///
/// # Safety
/// `src` is valid for reads and `dst` for writes of `count <= BLOCK` elements; they are the same or do
/// not overlap.
#[inline(always)]
unsafe fn near<S: Simd, O: Unary>(
    s: S,
    op: O,
    src: *const f32,
    dst: *mut f32,
    count: usize,
    aside: &mut Aside,
    many: bool,
) {
    let n = <S as Lanes<f32>>::N;
    let all = u32::MAX >> (32 - n);
    let mut i = 0;
    // SAFETY: a register at `i` is within `count`; the last has the `count - i` elements that are left.
    unsafe {
        // Two at a time share a branch; half as large registers are too few for two.
        while const { <S as Lanes<f32>>::N == LANES } && i + 2 * n <= count {
            let (a, b) = (s.load(src.add(i)), s.load(src.add(i + n)));
            let (y_a, near_a) = on(s, op, a);
            let (y_b, near_b) = on(s, op, b);
            s.store(dst.add(i), y_a);
            s.store(dst.add(i + n), y_b);
            if many || near_a & near_b != all {
                aside.put(s, i, near_a ^ all, a);
                aside.put(s, i + n, near_b ^ all, b);
            }
            i += 2 * n;
        }
        while i + n <= count {
            let x = s.load(src.add(i));
            let (y, near) = on(s, op, x);
            s.store(dst.add(i), y);
            if many || near != all {
                aside.put(s, i, near ^ all, x);
            }
            i += n;
        }
        if i < count {
            let x = s.load_part(src.add(i), count - i);
            let (y, near) = on(s, op, x);
            s.store_part(dst.add(i), count - i, y);
            if near != all {
                aside.put(s, i, near ^ all, x);
            }
        }
    }
}

/// [`Unary::near`] on a register, and a bit for each lane where it is right.
#[inline(always)]
fn on<S: Simd, O: Unary>(s: S, op: O, x: V<S, f32>) -> (V<S, f32>, u32) {
    let (y, near) = op.near(Register::<f32, S>::new(s, x));
    let near = match near {
        Some(near) => near.bits(),
        None => u32::MAX >> (32 - <S as Lanes<f32>>::N),
    };
    (y.v(), near)
}

/// Computes what was put aside and gives it its places: a call, to keep it out of the loop.
struct Far<'a, O> {
    op: O,
    /// Empty afterwards.
    aside: &'a mut Aside,
    /// The block.
    to: *mut f32,
    count: usize,
}

impl<S: Simd, O: Unary> WithSimd<S> for Far<'_, O> {
    type Output = ();

    /// # Safety
    /// `to` is valid for reads and writes of the `count` elements of the block that was put aside.
    #[inline(always)]
    unsafe fn with_simd(self, s: S) {
        let n = <S as Lanes<f32>>::N;
        let Far {
            op,
            aside,
            to,
            count,
        } = self;
        let x = aside.x.as_mut_ptr().cast::<f32>();
        // SAFETY: zeros behind the numbers, for which there is room, make whole registers of them; the
        // registers they go to are those of the block they are from, the last perhaps in part.
        unsafe {
            s.store(x.add(aside.lanes), s.splat(0.0f32));
            let mut i = 0;
            while i < aside.lanes {
                s.store(x.add(i), far_f32(s, op, s.load(x.add(i))));
                i += n;
            }
            let (mut i, mut from) = (0, x.cast_const());
            while i < aside.registers {
                let (at, far) = aside.from[i].assume_init();
                let (at, far) = (usize::from(at), u32::from(far));
                let (to, y) = (to.add(at), s.load(from));
                if at + n <= count {
                    s.store(to, s.expand(far, y, s.load(to)));
                } else {
                    let others = s.load_part(to, count - at);
                    s.store_part(to, count - at, s.expand(far, y, others));
                }
                from = from.add(far.count_ones() as usize);
                i += 1;
            }
        }
        (aside.lanes, aside.registers) = (0, 0);
    }
}

/// Copies a block past the caches. Only the first and the last may be no whole registers, and those are
/// stored plainly.
///
/// # Safety
/// `from` is valid for reads and `to` for writes of `count` elements, and they do not overlap.
#[inline(always)]
unsafe fn stream_block<S: Simd>(s: S, from: *const f32, to: *mut f32, count: usize) {
    let n = <S as Lanes<f32>>::N;
    let mut i = 0;
    // SAFETY: as the loop of `near`; a register is streamed only where it is aligned.
    unsafe {
        while i + n <= count {
            let (y, to): (V<S, f32>, _) = (s.load(from.add(i)), to.add(i));
            if to.addr() % size_of::<V<S, f32>>() == 0 {
                s.stream(to.cast(), y);
            } else {
                s.store(to, y);
            }
            i += n;
        }
        if i < count {
            s.store_part(to.add(i), count - i, s.load_part(from.add(i), count - i));
        }
    }
}
