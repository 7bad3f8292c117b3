//! Every length and every offset, with canaries around the destination, on every backend.

use crate::common::{Bits, assert_relu, for_each_dtype, mixed, tables};
use halfwave_kernels::{Operation, Relu};

/// Elements in a register.
const fn lanes<E>() -> usize {
    32 / size_of::<E>()
}

/// An emulated CPU (`.ci/avx512`) gets every seventh case.
fn sampled(case: usize) -> bool {
    std::env::var_os("HALFWAVE_TEST_SAMPLED").is_none() || case.is_multiple_of(7)
}

/// `f(src, dst, len)` on buffers placed `src_at` and `dst_at` bytes past a 64-byte boundary, among
/// canaries. Returns the destination; panics if a canary died or the source changed.
fn among_canaries<E: Bits>(
    x: &[E],
    (src_at, dst_at): (usize, usize),
    f: impl Fn(*const E, *mut E, usize),
) -> Vec<E> {
    const MARGIN: usize = 128;
    const CANARY: u8 = 0xC5;
    let bytes = size_of_val(x);
    let place = |at: usize| {
        let buffer = vec![CANARY; MARGIN + 128 + bytes + MARGIN];
        let start = buffer.as_ptr().align_offset(64) + 64 + at;
        (buffer, start)
    };
    let ((mut src, from), (mut dst, to)) = (place(src_at), place(dst_at));
    // SAFETY: `bytes` bytes fit behind `from`.
    unsafe {
        src.as_mut_ptr()
            .add(from)
            .copy_from(x.as_ptr().cast(), bytes)
    };
    let before = src.clone();

    f(
        src[from..].as_ptr().cast(),
        dst[to..].as_mut_ptr().cast(),
        x.len(),
    );

    assert!(src == before, "the source changed");
    let mut y = vec![E::default(); x.len()];
    // SAFETY: `bytes` bytes lie behind `to`.
    unsafe {
        y.as_mut_ptr()
            .cast::<u8>()
            .copy_from(dst[to..].as_ptr(), bytes)
    };
    dst[to..to + bytes].fill(CANARY);
    assert!(
        dst.iter().all(|&b| b == CANARY),
        "wrote outside the destination"
    );
    y
}

#[test]
fn every_length_at_every_offset() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        for kernels in tables() {
            let kernel = Relu::kernel(kernels);
            let n = lanes::<E>();
            // Up to where the loop of four registers has run twice behind any head.
            let longest = 9 * n + 3;
            let x = mixed::<E>(longest);
            let cases = (0..=longest).flat_map(|len| (0..n).map(move |offset| (len, offset)));
            for (_, (len, offset)) in cases.enumerate().filter(|&(case, _)| sampled(case)) {
                let x = &x[..len];
                // Each destination offset meets every source offset as the lengths go by.
                let at = ((len + offset) % n * size_of::<E>(), offset * size_of::<E>());
                let isa = kernels.isa;
                for (form, f) in [("map", kernel.map), ("stream", kernel.stream)] {
                    // SAFETY: this CPU runs the table; `among_canaries` gives `len` elements, the
                    // destination aligned to its element.
                    let y =
                        among_canaries(x, at, |src, dst, len| unsafe { f(Relu, src, dst, len) });
                    assert_relu(x, &y, format_args!("{isa} {form} {len} {at:?}"));

                    let y = among_canaries(x, at, |src, dst, len| unsafe {
                        // SAFETY: as above; the destination is its own source.
                        dst.copy_from(src, len);
                        f(Relu, dst, dst, len);
                    });
                    assert_relu(x, &y, format_args!("{isa} {form} in place {len} {at:?}"));
                }
            }
        }
    }
    for_each_dtype!(test);
}

/// Raw buffers need not be aligned even to their element: a mapped file, a packed record.
#[test]
fn buffers_aligned_to_no_element() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        for kernels in tables() {
            let kernel = Relu::kernel(kernels);
            let n = lanes::<E>();
            let x = mixed::<E>(4 * n + 3);
            for len in [0, 1, 2, n - 1, n, n + 1, 2 * n, 3 * n + 1, 4 * n + 3] {
                for at in (0..64).map(|i| (i * 13 % 64, i)) {
                    let (x, isa) = (&x[..len], kernels.isa);
                    let y = among_canaries(x, at, |src, dst, len| {
                        // SAFETY: this CPU runs the table, and `map` takes any alignment.
                        unsafe { (kernel.map)(Relu, src, dst, len) }
                    });
                    assert_relu(x, &y, format_args!("{isa} {len} {at:?}"));
                    let y = among_canaries(x, at, |src, dst, len| {
                        // SAFETY: as above; the destination is its own source. Bytes are copied,
                        // because a copy of elements would want them aligned.
                        unsafe {
                            let bytes = len * size_of::<E>();
                            dst.cast::<u8>().copy_from(src.cast(), bytes);
                            (kernel.map)(Relu, dst, dst, len);
                        }
                    });
                    assert_relu(x, &y, format_args!("{isa} in place {len} {at:?}"));
                }
            }
        }
    }
    for_each_dtype!(test);
}
