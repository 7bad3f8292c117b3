//! The work: read a chunk, transform it in place, write it.

use anyhow::Result;
use bytemuck::Pod;
use half::{bf16, f16};
use halfwave::{Dtype, Element, Op, OpError};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::input::Input;
use super::plan::{Plan, Segment};
use crate::dtype::with_element;
use crate::output::Output;

/// How much is read at a time. Twice what threads need to be worth waking
/// ([`halfwave::parallel::BREAK_EVEN`]), and small enough to stay in a last-level cache between
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

/// What came out.
#[derive(Default)]
pub struct Tally {
    pub elements: u64,
    pub zeros: u64,
    pub bytes: u64,
}

/// Carries out `plan` on the current rayon pool.
pub fn run(
    op: Op,
    plan: &Plan,
    input: &mut Input,
    output: &mut Output,
    bar: &ProgressBar,
) -> Result<Tally> {
    let total = plan.bytes();
    let size = total.min(CHUNK as u64).next_multiple_of(8) as usize;
    // Of u64, to be aligned for every dtype, wherever in the file a tensor lies.
    let mut buffer = vec![0u64; size / 8];
    let mut tally = Tally {
        bytes: plan.header_read + plan.header.len() as u64,
        ..Tally::default()
    };
    let mut done = 0;
    output.write(&plan.header)?;
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
                tally.elements += (n / dtype.size()) as u64;
                tally.zeros += transform(op, dtype, chunk, big_endian)?;
            }
            output.write(chunk)?;
            left -= n as u64;
            done += n as u64;
            bar.inc(n as u64);
        }
    }
    if input.fill(&mut [0])? != 0 {
        return Err(input.trailing(total));
    }
    tally.bytes += 2 * done;
    Ok(tally)
}

/// Applies `op` to the elements in `bytes`, and counts the zeros that come out.
fn transform(op: Op, dtype: Dtype, bytes: &mut [u8], swap: bool) -> Result<u64, OpError> {
    fn typed<E: Scalar>(op: Op, bytes: &mut [u8], swap: bool) -> Result<u64, OpError> {
        // Not `par_apply_in_place`, which would go over the whole chunk before it is counted.
        bytemuck::cast_slice_mut::<u8, E>(bytes)
            .par_chunks_mut(GRAIN / size_of::<E>())
            .map(|piece| {
                if swap {
                    piece.iter_mut().for_each(|x| *x = x.swap_bytes());
                }
                op.apply_in_place(piece)?;
                Ok(zeros(piece))
            })
            .sum()
    }
    with_element!(dtype, E => typed::<E>(op, bytes, swap))
}

/// How many elements are zero, of either sign.
fn zeros<E: Scalar>(piece: &[E]) -> u64 {
    // A narrow counter vectorises, and cannot overflow on a short run.
    let runs = piece.chunks(1 << 12);
    runs.map(|run| u64::from(run.iter().map(|x| u32::from(x.is_zero())).sum::<u32>()))
        .sum()
}

/// What is asked of an element here and not in the library.
trait Scalar: Element + Pod {
    fn swap_bytes(self) -> Self;
    fn is_zero(self) -> bool;
}

macro_rules! scalars {
    ($($Float:ty),*; $($Int:ty),*) => {
        $(impl Scalar for $Float {
            fn swap_bytes(self) -> Self {
                Self::from_bits(self.to_bits().swap_bytes())
            }
            // By bits, because the 16-bit floats have no compare instruction; the shift drops the
            // sign.
            fn is_zero(self) -> bool {
                self.to_bits() << 1 == 0
            }
        })*
        $(impl Scalar for $Int {
            fn swap_bytes(self) -> Self {
                self.swap_bytes()
            }
            fn is_zero(self) -> bool {
                self == 0
            }
        })*
    };
}
scalars!(f32, f64, f16, bf16; i8, i16, i32, i64);
