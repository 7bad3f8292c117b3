//! The work: read a chunk, transform it in place, pass it on.

use anyhow::Result;
use halfwave::{Dtype, Op, OpError};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::compact::Compact;
use super::input::Input;
use super::plan::{Plan, Segment};
use super::stats::{Scalar, Stats};
use crate::dtype::with_element;
use crate::output::Output;

/// How much is read at a time. Twice what threads need to be worth waking
/// ([`halfwave::parallel::break_even`]), and small enough to stay in a last-level cache between
/// the read, the arithmetic and the write.
///
/// The three take turns. Overlapping them on threads of their own, and having each thread read
/// and write its own part of the file, were measured: neither was faster, both cost more CPU time.
const CHUNK: usize = 4 << 20;

/// How much of a chunk one thread takes at a time: it stays in the core's own cache while it is
/// swapped, computed and counted, and leaves a chunk enough pieces for many threads.
const GRAIN: usize = 256 << 10;

// Files are little-endian, and so is every machine this has been tried on.
const _: () = assert!(cfg!(target_endian = "little"));

/// Where the elements go.
pub struct Sinks {
    pub output: Option<Output>,
    pub compact: Option<Compact>,
    /// Whether all of [`Stats`] is wanted, and not only what costs nothing.
    pub stats: bool,
}

/// What came out.
#[derive(Default)]
pub struct Tally {
    pub stats: Stats,
    /// Read and written.
    pub bytes: u64,
}

/// Carries out `plan` on the current rayon pool.
pub fn run(
    op: Op,
    plan: &Plan,
    input: &mut Input,
    sinks: &mut Sinks,
    bar: &ProgressBar,
) -> Result<Tally> {
    let total = plan.bytes();
    let size = total.min(CHUNK as u64).next_multiple_of(8) as usize;
    // Of u64, to be aligned for every dtype, wherever in the file a tensor lies.
    let mut buffer = vec![0u64; size / 8];
    let mut tally = Tally::default();
    let mut done = 0;
    if let Some(output) = &mut sinks.output {
        output.put(&plan.header)?;
    }
    for segment in &plan.segments {
        let mut left = segment.bytes();
        while left > 0 {
            let n = left.min(size as u64) as usize;
            let chunk = &mut bytemuck::cast_slice_mut(&mut buffer)[..n];
            let got = input.fill(chunk)?;
            if got < n {
                return Err(input.short(total, done + got as u64));
            }
            if let Segment::Apply {
                dtype, big_endian, ..
            } = *segment
            {
                transform(op, dtype, chunk, big_endian, sinks.stats, &mut tally.stats)?;
                if let Some(compact) = &mut sinks.compact {
                    with_element!(dtype, E => compact.add::<E>(bytemuck::cast_slice(chunk)))?;
                }
            }
            if let Some(output) = &mut sinks.output {
                output.put(chunk)?;
            }
            left -= n as u64;
            done += n as u64;
            bar.inc(n as u64);
        }
    }
    if input.fill(&mut [0])? != 0 {
        return Err(input.trailing(total));
    }
    tally.bytes = plan.header_read + done;
    if sinks.output.is_some() {
        tally.bytes += plan.header.len() as u64 + done;
    }
    Ok(tally)
}

/// Applies `op` to the elements in `bytes`, and adds what comes out to `stats`.
fn transform(
    op: Op,
    dtype: Dtype,
    bytes: &mut [u8],
    swap: bool,
    all: bool,
    stats: &mut Stats,
) -> Result<(), OpError> {
    fn typed<E: Scalar>(
        op: Op,
        bytes: &mut [u8],
        swap: bool,
        all: bool,
    ) -> Result<Vec<Stats>, OpError> {
        // Not `par_apply_in_place`, which would go over the whole chunk before it is counted.
        bytemuck::cast_slice_mut::<u8, E>(bytes)
            .par_chunks_mut(GRAIN / size_of::<E>())
            .map(|piece| {
                if swap {
                    piece.iter_mut().for_each(|x| *x = x.swap_bytes());
                }
                op.apply_in_place(piece)?;
                Ok(if all {
                    Stats::of(piece)
                } else {
                    Stats::counts(piece)
                })
            })
            .collect()
    }
    let pieces = with_element!(dtype, E => typed::<E>(op, bytes, swap, all))?;
    pieces.iter().for_each(|piece| stats.add(piece));
    Ok(())
}
