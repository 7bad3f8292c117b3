//! What has been put aside, and how it comes to its place.

use core::mem::MaybeUninit;
use core::ops::Range;

use crate::lanes::Lanes;
use crate::loops::pieces::near::is_far;
use crate::loops::pieces::op::Pieces;
use crate::loops::pieces::registers::{BLOCK, ROOM, Registers, load, store};
use crate::simd::{Simd, WithSimd};

/// What has been put aside.
pub(super) struct Aside<const A: usize> {
    /// The far numbers, in order, and what the other arrays have there.
    x: [[MaybeUninit<f32>; ROOM]; A],
    lanes: usize,
    /// The registers they are from: their place in the array, and which lanes.
    from: [MaybeUninit<(usize, u32)>; 2 * BLOCK / 8 + 4],
    /// Of another type, lest LLVM add to both as to one vector, whose halves then wait for one another.
    registers: u32,
}

impl<const A: usize> Aside<A> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            x: [const { [const { MaybeUninit::uninit() }; ROOM] }; A],
            lanes: 0,
            from: [const { MaybeUninit::uninit() }; 2 * BLOCK / 8 + 4],
            registers: 0,
        }
    }

    #[inline(always)]
    pub(super) fn registers(&self) -> usize {
        self.registers as usize
    }

    /// # Safety
    /// There is room: `registers` is below the length of `from`, so `lanes`, at most N for each, leaves
    /// a register of N.
    #[inline(always)]
    pub(super) unsafe fn put<S: Simd>(&mut self, s: S, at: usize, far: u32, x: Registers<S, A>) {
        // SAFETY: the caller vouches for the room.
        unsafe {
            let mut k = 0;
            while k < A {
                let to = self.x[k].as_mut_ptr().cast::<f32>();
                s.compress(far, x[k].v(), to.add(self.lanes));
                k += 1;
            }
            let from = self.from.as_mut_ptr().cast::<(usize, u32)>();
            from.add(self.registers()).write((at, far));
        }
        self.lanes += far.count_ones() as usize;
        self.registers += u32::from(far != 0);
    }
}

/// [`Pieces::far`] for what was put aside of `dst`, in a function of its own: it is rare and long. If those were whole
/// registers, it goes on with the elements `ahead`, as long as there is nothing but such. Returns how many of them it
/// did.
///
/// # Safety
/// `dst` is valid for reads and writes of `len` elements, and what is aside is from there. The elements `ahead` are
/// whole registers, those that each of `src` starts with, as [`body`](super::body) says.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // as there
pub(super) unsafe fn take_places<S: Simd, O: Pieces<S, A>, const A: usize>(
    _: S,
    op: O,
    aside: &mut Aside<A>,
    dst: *mut f32,
    len: usize,
    src: [*const f32; A],
    ahead: Range<usize>,
    stream: bool,
) -> usize {
    // SAFETY: the unit is the proof that the CPU has its instructions; the rest is forwarded.
    unsafe {
        S::with_simd(Far {
            op,
            aside,
            dst,
            len,
            src,
            ahead,
            stream,
        })
    }
}

/// See [`take_places`]; nothing is aside afterwards.
pub(super) struct Far<'a, O, const A: usize> {
    op: O,
    aside: &'a mut Aside<A>,
    dst: *mut f32,
    len: usize,
    src: [*const f32; A],
    ahead: Range<usize>,
    stream: bool,
}

impl<S: Simd, O: Pieces<S, A>, const A: usize> WithSimd<S> for Far<'_, O, A> {
    type Output = usize;

    #[inline(always)]
    unsafe fn with_simd(self, s: S) -> usize {
        let n = <S as Lanes<f32>>::N;
        let Far {
            op,
            aside,
            dst,
            len,
            src,
            ahead,
            stream,
        } = self;
        let mut x = [core::ptr::null(); A];
        // SAFETY: zeros behind the numbers, for which there is room, make whole registers of them. The
        // registers they go to are those they are from; a part of one only where the array is no longer.
        // For those ahead, forwarded.
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
            // Both in one loop, which has the formula once.
            let lanes = aside.lanes.next_multiple_of(n);
            let whole = aside.lanes == aside.registers() * n;
            let end = lanes + if whole { ahead.len() } else { 0 };
            let mut i = 0;
            while i < end {
                let is_aside = i < lanes;
                let (from, to) = if is_aside {
                    (load(s, x, i), results.add(i))
                } else {
                    let j = i - lanes;
                    (load(s, src, j), dst.add(ahead.start + j))
                };
                if !is_aside && !is_far(op, from) {
                    break;
                }
                store(s, to, op.far(from).v(), stream && !is_aside);
                i += n;
            }
            let done = i - lanes;
            // Loaded one turn ahead: else LLVM makes one instruction of a load and an expansion, which Zen
            // runs by microcode.
            let (mut i, mut from) = (0, results.cast_const());
            let mut next = s.load(from);
            while i < aside.registers() {
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
            (aside.lanes, aside.registers) = (0, 0);
            done
        }
    }
}
