//! The register that holds a thread's floating-point environment, and what a program may do to it.

use std::arch::asm;

/// Environments that programs run in, by name: the control bits.
#[cfg(target_arch = "x86_64")]
pub const CHANGED: &[(&str, u32)] = &[
    ("FTZ", DEFAULT | FTZ),
    ("DAZ", DEFAULT | DAZ),
    ("FTZ and DAZ", DEFAULT | FTZ | DAZ),
    ("rounding down", DEFAULT | 1 << 13),
    ("rounding up", DEFAULT | 2 << 13),
    ("rounding to zero", DEFAULT | 3 << 13),
    ("FTZ, DAZ and rounding up", DEFAULT | FTZ | DAZ | 2 << 13),
    ("no exception masked", 0),
];
#[cfg(target_arch = "x86_64")]
const DEFAULT: u32 = 0x1F80;
#[cfg(target_arch = "x86_64")]
const FTZ: u32 = 1 << 15;
#[cfg(target_arch = "x86_64")]
const DAZ: u32 = 1 << 6;

/// Environments that programs run in, by name: the control bits. Not every processor can trap.
#[cfg(target_arch = "aarch64")]
pub const CHANGED: &[(&str, u32)] = &[
    ("FZ", 1 << 24),
    ("rounding up", 1 << 22),
    ("rounding down", 2 << 22),
    ("rounding to zero", 3 << 22),
    ("the default NaN", 1 << 25),
    ("FZ and rounding up", 1 << 24 | 1 << 22),
];

/// The control bits, without those that say what has happened.
pub fn control() -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut word = 0u32;
        // SAFETY: writes the register to a word on the stack.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags)) };
        word & !0x3F
    }
    #[cfg(target_arch = "aarch64")]
    {
        let word: u64;
        // SAFETY: reads the register.
        unsafe { asm!("mrs {}, fpcr", out(reg) word, options(nostack, preserves_flags)) };
        word as u32
    }
}

/// Changes the environment of this thread.
pub fn set(control: u32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a word on the stack. No Rust code of these tests computes with floats before the
    // register is what it was.
    unsafe {
        asm!("ldmxcsr [{}]", in(reg) &control, options(nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: no Rust code of these tests computes with floats before the register is what it was.
    unsafe {
        asm!("msr fpcr, {}", in(reg) u64::from(control), options(nostack, preserves_flags));
    }
}

/// Runs `f` in an environment. It must not compute with floats itself.
pub fn under<R>(environment: u32, f: impl FnOnce() -> R) -> R {
    struct Back(u32);
    impl Drop for Back {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let _back = Back(control());
    set(environment);
    f()
}
