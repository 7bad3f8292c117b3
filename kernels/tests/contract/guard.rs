//! Slices that end, and begin, at a page that must not be touched.
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::ptr;

use crate::common::*;
use halfwave_kernels::{Float, Isa, Operation, Relu};

const PAGE: usize = 64 << 10;

/// Two accessible pages between two that fault on any access.
struct Guarded(*mut u8);

impl Guarded {
    fn new() -> Self {
        // SAFETY: a fresh anonymous mapping; protecting its inner pages harms nobody.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let p = libc::mmap(ptr::null_mut(), 4 * PAGE, libc::PROT_NONE, flags, -1, 0);
            assert_ne!(p, libc::MAP_FAILED);
            let inner = p.byte_add(PAGE);
            assert_eq!(
                libc::mprotect(inner, 2 * PAGE, libc::PROT_READ | libc::PROT_WRITE),
                0
            );
            Self(inner.cast())
        }
    }

    /// The last `len` elements before the guard.
    fn last<E>(&self, len: usize) -> *mut E {
        self.0.wrapping_add(2 * PAGE - len * size_of::<E>()).cast()
    }

    /// The elements right behind the other guard.
    fn first<E>(&self) -> *mut E {
        self.0.cast()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping made by `new`.
        unsafe { libc::munmap(self.0.wrapping_sub(PAGE).cast(), 4 * PAGE) };
    }
}

/// A read or write beyond either end kills this test.
#[test]
fn no_access_beyond_either_end() {
    /// Arrays of zeroed, accessible memory, aligned to their size, on both sides.
    fn ends<E, const N: usize>(pages: &[Guarded; N], len: usize) -> [[*mut E; N]; 2] {
        [
            pages.each_ref().map(|page| page.last(len)),
            pages.each_ref().map(Guarded::first),
        ]
    }
    fn test<E: Bits>() {
        let pages = [(); 2].map(|()| Guarded::new());
        for kernel in maps::<E>() {
            for len in lengths(&kernel.name) {
                for [x, y] in ends::<E, 2>(&pages, len) {
                    (kernel.run)(x, y, len, false);
                    (kernel.run)(x, y, len, true);
                    (kernel.run)(x, x, len, false);
                }
            }
        }
    }
    fn of_two<E: Bits + Float>() {
        let pages = [(); 3].map(|()| Guarded::new());
        for kernel in pairs::<E>() {
            for len in lengths(&kernel.name) {
                for [a, b, y] in ends::<E, 3>(&pages, len) {
                    (kernel.run)([a, b], y, len, false);
                    (kernel.run)([a, b], y, len, true);
                    (kernel.run)([a, b], a, len, false);
                    (kernel.run)([a, b], b, len, false);
                }
            }
        }
    }
    for_each_dtype!(test);
    for_each_float!(of_two);
}

/// Beyond four registers of the smallest elements; one kernel in a loop of several rounds.
fn lengths(name: &str) -> impl Iterator<Item = usize> + use<> {
    let most = if name.contains(" relu ") { 320 } else { 131 };
    (0..=most).step_by(one_in(7))
}

/// The guard itself is tested: a child that asks for one element too many must die of it.
#[test]
fn one_element_too_many_faults() {
    const CHILD: &str = "HALFWAVE_TEST_OVERRUN";
    if std::env::var_os(CHILD).is_some() {
        let page = Guarded::new();
        let x = [1.0f32; 9];
        let relu = <Relu as Operation<f32>>::kernels_for(Isa::Portable).map;
        // SAFETY: none; the ninth element lies on the guard page, and that is the point.
        unsafe { relu(Relu, x.as_ptr(), page.last(8), 9, false) };
        return;
    }
    let status = this_program()
        .args(["--exact", "guard::one_element_too_many_faults"])
        .env(CHILD, "1")
        .output()
        .unwrap()
        .status;
    let signal = status.signal();
    assert!(
        signal == Some(libc::SIGSEGV) || signal == Some(libc::SIGBUS),
        "{status}"
    );
}

/// This test program, to be run again: under an emulator, by the command that `.ci/aarch64` names.
fn this_program() -> Command {
    let program = std::env::current_exe().unwrap();
    let Ok(runner) = std::env::var("HALFWAVE_TEST_RUNNER") else {
        return Command::new(program);
    };
    let mut words = runner.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).arg(program);
    command
}
