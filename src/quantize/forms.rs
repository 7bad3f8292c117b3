//! The forms of quantisation on one backend, to memory that need not be initialised.

#![allow(unsafe_code)]

use halfwave_kernels::loops::Quantizable;

use super::grid::{Quantization, Quantized};
use crate::backend::Backend;
use crate::blocks::{Scratch, Walk};
use crate::kernels::Blockwise;
use crate::rows::{Rows, RowsMut, Slot, check_lengths, written};

/// `dst[i] = quantize(src[i])`.
#[track_caller]
pub(super) fn quantize<'a, E: Quantizable, Q: Quantized, T: Slot<Q>>(
    backend: Backend,
    src: &[E],
    to: Quantization<Q>,
    dst: &'a mut [T],
) -> &'a mut [Q] {
    check_lengths([("src", src.len()), ("dst", dst.len())]);
    let (x, q) = (Rows::flat(src), RowsMut::flat(dst).slots::<Q>());
    let (kernels, grid) = (backend.kernels(), to.grid());
    let walk = Walk::converting::<E>(&q).whole();
    walk.run(backend.threads(), move |block| {
        kernels.quantize(grid, x.at(block), q.at(block));
    });
    // SAFETY: the kernels have written every element.
    unsafe { written(dst) }
}

/// `dst[i] = quantize(f(src[i]))`.
#[track_caller]
pub(super) fn apply_quantize<'a, E: Quantizable, Q: Quantized, T: Slot<Q>>(
    backend: Backend,
    f: impl Blockwise<E>,
    src: &[E],
    to: Quantization<Q>,
    dst: &'a mut [T],
) -> &'a mut [Q] {
    check_lengths([("src", src.len()), ("dst", dst.len())]);
    let (x, q) = (Rows::flat(src), RowsMut::flat(dst).slots::<Q>());
    let (kernels, grid) = (backend.kernels(), to.grid());
    let walk = Walk::converting::<E>(&q);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<1>::new();
        let [z] = scratch.rooms::<E>();
        for block in walk.blocks(range) {
            let y = z.dst(block.len);
            f.map(x.at(&block), y);
            kernels.quantize(grid, y.written(), q.at(&block));
        }
    });
    // SAFETY: the kernels have written every element.
    unsafe { written(dst) }
}

/// `dst[i] = dequantize(src[i])`.
#[track_caller]
pub(super) fn dequantize<'a, Q: Quantized, E: Quantizable, T: Slot<E>>(
    backend: Backend,
    src: &[Q],
    from: Quantization<Q>,
    dst: &'a mut [T],
) -> &'a mut [E] {
    check_lengths([("src", src.len()), ("dst", dst.len())]);
    let (q, x) = (Rows::flat(src), RowsMut::flat(dst).slots::<E>());
    let (kernels, grid) = (backend.kernels(), from.grid());
    let walk = Walk::converting::<Q>(&x).whole();
    walk.run(backend.threads(), move |block| {
        kernels.dequantize(grid, q.at(block), x.at(block));
    });
    // SAFETY: the kernels have written every element.
    unsafe { written(dst) }
}
