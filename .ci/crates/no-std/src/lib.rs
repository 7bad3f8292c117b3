//! A program for a machine without an operating system, as far as it concerns halfwave.
//!
//! It brings its own panic handler and allocator, as such a program must. A crate can have only one
//! panic handler, and `std` has one: if anything below here links `std`, this does not compile.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use core::ptr;

use halfwave::{Activation, Broadcast, Fused, Gelu, Relu, Rows, RowsMut};

/// Has no memory to give.
struct NoMemory;

// SAFETY: a null pointer says that the allocation failed, and so there is nothing to free.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// An exact operation, a smooth one and a fused form.
#[unsafe(no_mangle)]
pub extern "C" fn activate(x: &[f32; 6], bias: &[f32; 3], y: &mut [f32; 6]) {
    Relu.apply(x, y);
    Gelu.apply_in_place(y);
    Relu.bias(
        Rows::new(x, 2, 3),
        Broadcast::PerColumn(bias),
        RowsMut::new(y, 2, 3),
    );
}
