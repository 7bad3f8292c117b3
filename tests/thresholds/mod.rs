//! Small sizes in place of this machine's, so that small arrays reach threads, streaming stores and huge
//! pages, whatever caches the machine has. Whoever asks for one sets all of them for the process.
#![allow(dead_code)] // each test uses a part

use halfwave::{memory, parallel};

/// Pieces of 16 KiB: several blocks each of those that composed forms work in.
const SPLIT: usize = 128 << 10;
/// So much more that an array of any dtype and twice its length can be split and not stream.
const STREAM: usize = 3 << 20;
/// Less than a call writes that streams, so that it is on huge pages if it returns a vector.
const HUGE_PAGES: usize = 1 << 20;

fn set() {
    parallel::set_break_even(SPLIT);
    memory::set_streaming_threshold(STREAM);
    memory::set_huge_pages_from(HUGE_PAGES);
    assert_eq!(parallel::break_even(), SPLIT);
    assert_eq!(memory::streaming_threshold(), STREAM);
    assert_eq!(memory::huge_pages_from(), HUGE_PAGES);
}

/// From how many bytes touched on threads share the work.
pub fn split() -> usize {
    set();
    SPLIT
}

/// From how many bytes on, read and written together, stores go past the caches.
pub fn stream() -> usize {
    set();
    STREAM
}

/// The least length from which on a call streams that writes as many elements as it reads. That kernels
/// are told so is a test of the library's own, in `src/backend/work.rs`.
pub fn streamed<E>() -> usize {
    stream().div_ceil(2 * size_of::<E>())
}
