//! The sum that is a slope's gradient. Its shape, and so each bit of it, is a function of the number of
//! channels, of neighbours in a channel, and of elements: blocks of fixed size are summed by a kernel in
//! any order of time, and the blocks' sums by halving.

use alloc::vec;

use halfwave_kernels::Float;

use super::slopes::Prelu;
use crate::backend::Backend;
use crate::blocks::Walk;
use crate::float_env::DefaultEnv;
use crate::kernels::CpuIsa;
use crate::rows::{Rows, RowsMut, check_lengths};

/// Neighbours of one channel that make a block.
const BLOCK: usize = 4096;

/// From how many neighbours on a channel is summed along them; below, the rows of an array are added up,
/// column by column.
const NEIGHBOURS: usize = 64;

/// Rows that make a block, and columns at most: as many as sums and elements stay in the first-level
/// cache.
const ROWS: usize = 64;
const COLUMNS: usize = 1024;

/// What each slope gains, of as many elements in `dy` as in `x`, which the slopes fit.
///
/// # Panics
/// Unless `dslope` has an element for each slope.
#[track_caller]
pub(super) fn of<E: Float>(
    backend: Backend,
    prelu: Prelu<'_, E>,
    x: &[E],
    dy: &[E],
    dslope: &mut [E],
) {
    match prelu {
        Prelu::Shared(_) => {
            check_lengths([("a shared slope", 1), ("dslope", dslope.len())]);
            sum(backend, x, dy, dslope, x.len());
        }
        Prelu::PerElement(slopes) => {
            check_lengths([("slopes", slopes.len()), ("dslope", dslope.len())]);
            let kernel = backend.kernels().prelu_slope_gradient::<E>();
            let (x, dy, to) = (Rows::flat(x), Rows::flat(dy), RowsMut::flat(dslope));
            Walk::to(&to, false, 3)
                .whole()
                .run(backend.threads(), move |block| {
                    kernel.zip(x.at(block), dy.at(block), to.at(block));
                });
        }
        Prelu::PerChannel { slopes, inner } => {
            check_lengths([("slopes", slopes.len()), ("dslope", dslope.len())]);
            sum(backend, x, dy, dslope, inner);
        }
    }
}

/// `dslope[c]` for channels of `inner` neighbours: the sum of `x ≥ 0 ? 0 : x · dy`. As many elements in
/// `dy` as in `x`, a multiple of `dslope.len() · inner`.
fn sum<E: Float>(backend: Backend, x: &[E], dy: &[E], dslope: &mut [E], inner: usize) {
    let (len, channels) = (x.len(), dslope.len());
    if len == 0 {
        return dslope.fill(E::default());
    }
    // The elements of an only channel are all neighbours.
    let inner = if channels == 1 { len } else { inner };
    let blocks = if inner >= NEIGHBOURS {
        Blocks::Neighbours {
            inner,
            per_run: inner.div_ceil(BLOCK),
        }
    } else {
        let period = channels * inner;
        Blocks::Columns {
            inner,
            period,
            stride: period * (COLUMNS / period).max(1),
            per_strip: COLUMNS / inner,
        }
    };
    let (rows, per_row) = blocks.count(len, channels);
    let mut partial = vec![0.0; rows * channels];
    let sums = RowsMut::flat(&mut partial);
    let data = Data {
        x,
        dy,
        channels,
        kernels: backend.kernels(),
    };
    // A block counts as 64 elements, for that is where ranges are cut.
    let (tasks, bytes) = (rows * per_row, size_of_val(x).saturating_mul(2));
    backend.threads().split(bytes, 64 * tasks, |range| {
        for task in range.start / 64..range.end / 64 {
            blocks.sum(task, per_row, data, &sums);
        }
    });
    let _env = DefaultEnv::enter();
    fold(&mut partial, channels);
    for (dslope, &sum) in dslope.iter_mut().zip(&partial) {
        // Which NaN an addition makes depends on the instruction set.
        *dslope = E::from_f64(if sum.is_nan() { f64::NAN } else { sum });
    }
}

/// What is summed.
#[derive(Clone, Copy)]
struct Data<'a, E> {
    x: &'a [E],
    dy: &'a [E],
    channels: usize,
    kernels: CpuIsa,
}

/// Writes sum number `i`, of one block.
#[inline]
fn put(sums: &RowsMut<'_, f64>, i: usize, sum: f64) {
    sums.range(i..i + 1, false).fill(sum);
}

/// How the array is cut. The blocks' sums make rows of one sum to each channel.
#[derive(Clone, Copy)]
enum Blocks {
    /// Along the neighbours of a channel.
    Neighbours { inner: usize, per_run: usize },
    /// Along columns `period` apart, or, if that is little, along wider rows of `stride` that are
    /// folded at the end: over up to `ROWS` rows, for up to `per_strip` channels.
    Columns {
        inner: usize,
        period: usize,
        stride: usize,
        per_strip: usize,
    },
}

impl Blocks {
    /// The rows of sums, and the blocks that make one.
    fn count(self, len: usize, channels: usize) -> (usize, usize) {
        match self {
            Blocks::Neighbours { inner, per_run } => (len / (channels * inner) * per_run, channels),
            Blocks::Columns {
                stride, per_strip, ..
            } => (
                len.div_ceil(stride).div_ceil(ROWS),
                channels.div_ceil(per_strip),
            ),
        }
    }

    /// Sums block number `task` into its own of the `sums`.
    fn sum<E: Float>(
        self,
        task: usize,
        per_row: usize,
        data: Data<'_, E>,
        sums: &RowsMut<'_, f64>,
    ) {
        let Data {
            x,
            dy,
            channels,
            kernels,
        } = data;
        match self {
            Blocks::Neighbours { inner, per_run } => {
                // In the order of memory: image, channel, block of its neighbours.
                let (run, block) = (task / per_run, task % per_run);
                let (image, channel) = (run / channels, run % channels);
                let start = run * inner + block * BLOCK;
                let end = (start + BLOCK).min((run + 1) * inner);
                let (x, dy) = (&x[start..end], &dy[start..end]);
                let row = image * per_run + block;
                put(sums, row * channels + channel, kernels.slope_sum(x, dy));
            }
            Blocks::Columns {
                inner,
                period,
                stride,
                per_strip,
            } => {
                let (block, strip) = (task / per_row, task % per_row);
                let channel = strip * per_strip;
                let of = per_strip.min(channels - channel);
                let width = if per_row == 1 { stride } else { of * inner };
                let first = block * ROWS;
                let rows = ROWS.min(x.len() / stride - first);
                // Room for the last register of a row to reach over its end.
                let mut acc = [0.0f64; COLUMNS + 16];
                let add = |row: usize, rows: usize, width: usize, acc: &mut [f64]| {
                    if rows == 0 || width == 0 {
                        return;
                    }
                    let start = row * stride + channel * inner;
                    let end = start + (rows - 1) * stride + width;
                    let (x, dy) = (&x[start..end], &dy[start..end]);
                    kernels.slope_sums([x, dy], [rows, width, stride], acc);
                };
                add(first, rows, width, &mut acc);
                if rows < ROWS {
                    // Wider rows need not come out even.
                    add(first + rows, 1, x.len() % stride, &mut acc);
                }
                if per_row == 1 {
                    fold(&mut acc[..width], period);
                }
                for (i, of_channel) in acc.chunks_exact_mut(inner).take(of).enumerate() {
                    fold(of_channel, 1);
                    put(sums, block * channels + channel + i, of_channel[0]);
                }
            }
        }
    }
}

/// Adds rows of `width` numbers up, the upper half to the lower half until one is left, the first.
fn fold(numbers: &mut [f64], width: usize) {
    let mut rows = numbers.len() / width;
    while rows > 1 {
        let half = rows.div_ceil(2);
        let (low, high) = numbers[..rows * width].split_at_mut(half * width);
        for (a, b) in low.iter_mut().zip(high) {
            *a += *b;
        }
        rows = half;
    }
}
