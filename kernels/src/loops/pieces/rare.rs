//! The way of registers that have what the loop must not see.

use crate::lanes::{Lanes, V};
use crate::loops::pieces::aside::Aside;
use crate::loops::pieces::near::{all_bits, on, tells_by_bits, tiny, tiny_apart};
use crate::loops::pieces::op::Pieces;
use crate::loops::pieces::registers::{Registers, load, store};
use crate::register::{Lane, Mask, Register};
use crate::simd::{Simd, WithSimd};

/// Registers of which some have what the loop must not see, in a function of their own: they are rare, and would take
/// registers from the loop. The `at`th element is the first. Returns how many registers are not near.
///
/// # Safety
/// Each of `src` is valid for reads and `dst` for writes of the elements. There is room aside.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // as above
pub(super) unsafe fn carefully<S: Simd, O: Pieces<S, A>, const A: usize>(
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
pub(super) unsafe fn one_carefully<S: Simd, O: Pieces<S, A>, const A: usize>(
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
pub(super) struct Carefully<'a, O, const A: usize> {
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
                let zero = x[0].splat(0.0);
                let (mut z, mut beyond) = (x, 0);
                if let Some(below) = O::BELOW
                    && const { tells_by_bits::<S, O, A>() }
                {
                    let done = if O::OPEN {
                        zero.splat(-below).lt(x[0])
                    } else {
                        x[0].abs().lt(zero.splat(below))
                    };
                    beyond = done.bits() ^ all_bits::<S>();
                    let last = f64::from((below as f32).next_down());
                    z[0] = x[0].max(zero.splat(-last)).min(zero.splat(last));
                }
                // By branches: there are hardly ever any but where there are many.
                let tiny = tiny(self.op, x[0]);
                let mut apart = if const { tiny_apart::<S, O, A>() } {
                    tiny.bits()
                } else {
                    0
                };
                if apart != 0 {
                    z[0] = tiny.select(zero.copysign(x[0]), z[0]);
                }
                let (mut y, far) = on(self.op, z);
                if apart != 0 {
                    y = tiny.select(self.op.tiny(x), Register::new(s, y)).v();
                    // Zeros are not rare.
                    apart &= !x[0].abs().le(zero).bits();
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
