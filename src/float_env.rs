//! The floating-point environment: rounding, what becomes of subnormal numbers, which exceptions trap.
//!
//! It is a register of each thread, and other libraries set theirs: PyTorch, ONNX Runtime and pthreadpool
//! have subnormal numbers flushed to zero. A result is to depend on nothing but its element, so kernels run
//! in the default environment: to the nearest, nothing flushed, no traps. Everything that computes with
//! floats on a thread holds a [`DefaultEnv`] meanwhile, in each task of a pool anew: a pool's threads have
//! environments of their own, and who waits for them in between may be given work of others, which is to
//! find the environment that it knows.

#![allow(unsafe_code)]

use core::hint::black_box;
use core::marker::PhantomData;

/// While it lives, this thread has the default environment. Then the thread has again what it had.
///
/// To find that it is there already, which is what nearly all calls do, costs the reading of a register.
///
/// The flags that say which exceptions have been are no result of this library: what runs in vectors
/// raises them for elements that are none. In the default environment they are left as the kernels leave
/// them. Another environment is put back with the flags it had, where one register has both (x86-64).
#[must_use]
pub(crate) struct DefaultEnv {
    found: register::Word,
    of_this_thread: PhantomData<*const ()>,
}

impl DefaultEnv {
    #[inline(always)]
    pub(crate) fn enter() -> Self {
        let found = register::read();
        if !register::is_default(found) {
            change(register::DEFAULT);
        }
        Self {
            found,
            of_this_thread: PhantomData,
        }
    }
}

impl Drop for DefaultEnv {
    #[inline(always)]
    fn drop(&mut self) {
        if !register::is_default(self.found) {
            change(self.found);
        }
    }
}

#[cold]
#[inline(never)]
fn change(word: register::Word) {
    // SAFETY: the default, or what this thread had before, which its owner answers for.
    unsafe { register::write(word) }
}

/// `f(x)` in the default environment. For arithmetic between kernels: the compiler knows nothing of
/// environments, and would be free to move it to where the caller's is.
#[inline]
pub(crate) fn compute<T, R>(x: T, f: impl FnOnce(T) -> R) -> R {
    let _env = DefaultEnv::enter();
    black_box(f(black_box(x)))
}

/// MXCSR, by instructions: the intrinsics are deprecated.
#[cfg(target_arch = "x86_64")]
mod register {
    use core::arch::asm;
    use core::mem::MaybeUninit;

    pub(super) type Word = u32;
    /// To the nearest, nothing flushed, all exceptions masked.
    pub(super) const DEFAULT: Word = 0x1F80;
    /// What has been, which is no part of the environment.
    const FLAGS: Word = 0x3F;

    #[inline(always)]
    pub(super) fn is_default(word: Word) -> bool {
        word & !FLAGS == DEFAULT
    }

    #[inline(always)]
    pub(super) fn read() -> Word {
        let mut word = MaybeUninit::uninit();
        // SAFETY: SSE, which every x86-64 CPU has, writes the word.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) word.as_mut_ptr(), options(nostack, preserves_flags));
            word.assume_init()
        }
    }

    /// # Safety
    /// The caller answers for what this thread computes from here on.
    #[inline(always)]
    pub(super) unsafe fn write(word: Word) {
        // SAFETY: reads the word. Only bits are set that the register has: those of the default, or some
        // that were read there.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags)) }
    }
}

/// FPCR.
#[cfg(target_arch = "aarch64")]
mod register {
    use core::arch::asm;

    pub(super) type Word = u64;
    /// To the nearest, nothing flushed, NaN kept, all exceptions masked, 16-bit floats as IEEE has them.
    pub(super) const DEFAULT: Word = 0;

    #[inline(always)]
    pub(super) fn is_default(word: Word) -> bool {
        word == DEFAULT
    }

    #[inline(always)]
    pub(super) fn read() -> Word {
        let word;
        // SAFETY: any program may read it.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags)) };
        word
    }

    /// # Safety
    /// The caller answers for what this thread computes from here on.
    #[inline(always)]
    pub(super) unsafe fn write(word: Word) {
        // SAFETY: any program may write it.
        unsafe { asm!("msr fpcr, {}", in(reg) word, options(nostack, preserves_flags)) }
    }
}

/// Nothing to be changed, as on wasm, or nothing known.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    pub(super) type Word = ();
    pub(super) const DEFAULT: Word = ();

    #[inline(always)]
    pub(super) fn is_default((): Word) -> bool {
        true
    }

    #[inline(always)]
    pub(super) fn read() -> Word {}

    /// # Safety
    /// None is needed.
    #[inline(always)]
    pub(super) unsafe fn write((): Word) {}
}

#[cfg(all(test, target_arch = "x86_64", feature = "std"))]
mod tests {
    use super::*;

    /// To zero, and subnormal numbers flushed on both sides; inexact and invalid have been.
    const OTHER: register::Word = 0xFFE1;

    #[test]
    fn what_was_found_comes_back_also_from_a_panic() {
        let before = register::read();
        change(OTHER);
        let (mut inside, mut nested) = (0, 0);
        let panic = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            let _env = DefaultEnv::enter();
            inside = register::read();
            drop(DefaultEnv::enter());
            nested = register::read();
            std::panic::resume_unwind(alloc::boxed::Box::new(()));
        }));
        let after = register::read();
        change(before);
        assert!(panic.is_err());
        assert!(register::is_default(inside) && register::is_default(nested));
        assert_eq!(after, OTHER);
    }

    #[test]
    fn the_default_is_left_alone_whatever_has_been() {
        assert!(register::is_default(register::DEFAULT | 0x3F));
        assert!(!register::is_default(0)); // no exception masked
        assert!(!register::is_default(OTHER));
    }
}
