//! The forms of quantisation on one backend.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::loops::{Dequantize, Quantizable, Quantize as Kernel};
use halfwave_kernels::{Operation, table};

use super::{Quantization, Quantized};
use crate::backend::{Backend, Shared, check_lengths};
use crate::memory;
use crate::pieces::{PIECE, Scratch, pieces};

impl Backend {
    /// [`quantize`](crate::quantize()) with this backend.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn quantize<E: Quantizable, Q: Quantized>(
        self,
        src: &[E],
        to: Quantization<Q>,
        dst: &mut [Q],
    ) {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as many elements in both, which a shared and an exclusive borrow keep apart.
        unsafe { self.quantize_raw(src, to, dst.as_mut_ptr()) }
    }

    /// [`quantize`](Backend::quantize) into memory that need not be initialised. Returns it
    /// initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn quantize_uninit<'a, E: Quantizable, Q: Quantized>(
        self,
        src: &[E],
        to: Quantization<Q>,
        dst: &'a mut [MaybeUninit<Q>],
    ) -> &'a mut [Q] {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as `quantize`; the kernel writes every element and reads none of `dst`.
        unsafe {
            self.quantize_raw(src, to, dst.as_mut_ptr().cast());
            &mut *(ptr::from_mut(dst) as *mut [Q])
        }
    }

    /// # Safety
    /// `dst` is valid for writes of as many elements as `src` has, and does not overlap it.
    unsafe fn quantize_raw<E: Quantizable, Q: Quantized>(
        self,
        src: &[E],
        to: Quantization<Q>,
        dst: *mut Q,
    ) {
        let kernel = table::quantize::<E>(self.isa()).quantize;
        let (grid, dst) = (to.grid(), Shared::new(dst.cast::<i8>()));
        self.convert::<E>(src.len(), |Range { start, end }, stream| {
            let (src, dst) = (src[start..end].as_ptr(), dst.at(start));
            // SAFETY: a piece of both; `dispatch` vouches for the CPU.
            unsafe {
                kernel(Kernel {
                    grid,
                    src,
                    dst,
                    len: end - start,
                    stream,
                })
            }
        });
    }

    /// `dst[i] = quantize(f(src[i]))`: see [`Quantize`](crate::Quantize).
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn apply_quantize<O: Operation<E>, E: Quantizable, Q: Quantized>(
        self,
        op: O,
        src: &[E],
        to: Quantization<Q>,
        dst: &mut [Q],
    ) {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as `quantize`.
        unsafe { self.apply_quantize_raw(op, src, to, dst.as_mut_ptr()) }
    }

    /// [`apply_quantize`](Backend::apply_quantize) into memory that need not be initialised. Returns
    /// it initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn apply_quantize_uninit<'a, O: Operation<E>, E: Quantizable, Q: Quantized>(
        self,
        op: O,
        src: &[E],
        to: Quantization<Q>,
        dst: &'a mut [MaybeUninit<Q>],
    ) -> &'a mut [Q] {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as `quantize_uninit`.
        unsafe {
            self.apply_quantize_raw(op, src, to, dst.as_mut_ptr().cast());
            &mut *(ptr::from_mut(dst) as *mut [Q])
        }
    }

    /// # Safety
    /// As `quantize_raw`.
    unsafe fn apply_quantize_raw<O: Operation<E>, E: Quantizable, Q: Quantized>(
        self,
        op: O,
        src: &[E],
        to: Quantization<Q>,
        dst: *mut Q,
    ) {
        let apply = self.kernels::<O, E>().map;
        let kernel = table::quantize::<E>(self.isa()).quantize;
        let (grid, dst) = (to.grid(), Shared::new(dst.cast::<i8>()));
        self.convert::<E>(src.len(), |range, stream| {
            let mut scratch = Scratch::<E, PIECE>::new();
            pieces(dst.at(0), range, |Range { start, end }| {
                let (dst, y, len) = (dst.at(start), scratch.as_mut_ptr(), end - start);
                // SAFETY: a piece of both, and no larger than the scratch; `dispatch` vouches for the
                // CPU.
                unsafe {
                    apply(op, src[start..end].as_ptr(), y, len, false);
                    kernel(Kernel {
                        grid,
                        src: y,
                        dst,
                        len,
                        stream,
                    });
                }
            });
        });
    }

    /// [`dequantize`](crate::dequantize()) with this backend.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn dequantize<Q: Quantized, E: Quantizable>(
        self,
        src: &[Q],
        from: Quantization<Q>,
        dst: &mut [E],
    ) {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as `quantize`.
        unsafe { self.dequantize_raw(src, from, dst.as_mut_ptr()) }
    }

    /// [`dequantize`](Backend::dequantize) into memory that need not be initialised. Returns it
    /// initialised.
    ///
    /// # Panics
    /// If the lengths differ.
    #[track_caller]
    pub fn dequantize_uninit<'a, Q: Quantized, E: Quantizable>(
        self,
        src: &[Q],
        from: Quantization<Q>,
        dst: &'a mut [MaybeUninit<E>],
    ) -> &'a mut [E] {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        // SAFETY: as `quantize_uninit`.
        unsafe {
            self.dequantize_raw(src, from, dst.as_mut_ptr().cast::<E>());
            &mut *(ptr::from_mut(dst) as *mut [E])
        }
    }

    /// # Safety
    /// As `quantize_raw`.
    unsafe fn dequantize_raw<Q: Quantized, E: Quantizable>(
        self,
        src: &[Q],
        from: Quantization<Q>,
        dst: *mut E,
    ) {
        let kernel = table::quantize::<E>(self.isa()).dequantize;
        let (grid, dst) = (from.grid(), Shared::new(dst));
        self.convert::<E>(src.len(), |Range { start, end }, stream| {
            // SAFETY: a piece of both; `dispatch` vouches for the CPU.
            unsafe {
                kernel(Dequantize {
                    grid,
                    src: src[start..end].as_ptr().cast(),
                    dst: dst.at(start),
                    len: end - start,
                    stream,
                })
            }
        });
    }

    /// Runs `work` on pieces of `len` elements, `E` on one side and a byte on the other, and tells it
    /// whether to store past the caches.
    fn convert<E>(self, len: usize, work: impl Fn(Range<usize>, bool) + Sync) {
        let bytes = len.saturating_mul(size_of::<E>() + 1);
        let stream = memory::streams(bytes / 2);
        let threads = self.threads();
        threads.split(bytes, len, stream, |range| work(range, stream));
    }
}
