//! An operation and the machine's limits on the same memory, by turns.

use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytemuck::Pod;
use halfwave::{Backend, Call, Element, Op, bf16, f16, limits, memory, parallel};
use rayon::prelude::*;

use crate::human;

/// What to measure.
pub struct Subject {
    pub op: Op,
    pub backend: Backend,
    pub form: Form,
    pub threads: usize,
}

/// Which call of the operation.
#[derive(Clone, Copy, PartialEq)]
pub enum Form {
    Apply,
    InPlace,
    Backward,
}

impl Form {
    /// Arrays that it touches.
    pub fn arrays(self) -> usize {
        match self {
            Form::Apply => 2,
            Form::InPlace => 1,
            Form::Backward => 3,
        }
    }

    /// Arrays that it reads, and those that it writes.
    pub fn moved(self) -> usize {
        match self {
            Form::Apply | Form::InPlace => 2,
            Form::Backward => 3,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Form::Apply => "out of place",
            Form::InPlace => "in place",
            Form::Backward => "backward",
        }
    }
}

/// One of those that take turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contender {
    Op,
    Copy,
    StreamCopy,
    WriteBack,
}

impl Contender {
    pub fn name(self, op: Op) -> &'static str {
        match self {
            Contender::Op => op.name(),
            Contender::Copy => "copy",
            Contender::StreamCopy => "stream_copy",
            Contender::WriteBack => "write_back",
        }
    }
}

/// A dtype with a way to make its elements.
pub trait Sample: Element + Pod {
    fn from_f64(x: f64) -> Self;
}

macro_rules! sample {
    ($($T:ty: $x:ident => $made:expr;)*) => {
        $(impl Sample for $T {
            fn from_f64($x: f64) -> Self {
                $made
            }
        })*
    };
}
sample! {
    f32: x => x as f32;
    f64: x => x;
    f16: x => f16::from_f64(x);
    bf16: x => bf16::from_f64(x);
    i8: x => (x * 16.0) as i8;
    i16: x => (x * 16.0) as i16;
    i32: x => (x * 16.0) as i32;
    u8: x => (x * 16.0) as i8 as u8;
    u16: x => (x * 16.0) as i16 as u16;
    u32: x => (x * 16.0) as i32 as u32;
    u64: x => (x * 16.0) as i64 as u64;
    i64: x => (x * 16.0) as i64;
}

/// No sample is shorter, so that reading the clock costs nothing beside it.
const SAMPLE: Duration = Duration::from_micros(50);
/// However slow a call, each contender gets so many turns.
const TURNS: u32 = 5;
const LINE: usize = 64;
/// Where arrays start is settled: at a page, and at the middle of one. Left to chance, the low 12
/// bits of what is written may come to equal those of what is read next, which x86 CPUs take for a
/// dependence: twice as slow in L1, in some runs and not in others.
const PAGE: usize = 4096;

impl Subject {
    /// The operation first, then the limits it is held against.
    pub fn contenders(&self) -> &'static [Contender] {
        match self.form {
            Form::InPlace => &[Contender::Op, Contender::WriteBack],
            Form::Apply | Form::Backward => {
                &[Contender::Op, Contender::Copy, Contender::StreamCopy]
            }
        }
    }

    /// The best seconds per call of each contender on `len` elements, within about `budget`.
    pub fn measure<E: Sample>(&self, len: usize, budget: Duration) -> Result<Vec<f64>> {
        let room = len
            .checked_mul(size_of::<E>() * self.form.arrays())
            .and_then(|bytes| bytes.checked_add(4 * PAGE))
            .with_context(|| format!("{len} elements are more than there are addresses"))?;
        check_memory(len, room)?;

        // Written now, so that no page faults are measured; positive and negative by no pattern
        // a branch predictor would learn. Normal, as what comes out of a layer is: how often a
        // vector holds a number of the tails decides what those cost.
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut uniform = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random as f64 / u64::MAX as f64 // never 0
        };
        let mut number = || {
            let (u, v) = (uniform(), uniform());
            E::from_f64(2.0 * (-2.0 * u.ln()).sqrt() * (TAU * v).cos()) // Box and Muller
        };
        let lengths = match self.form {
            Form::Apply => [len, 0, len],
            Form::InPlace => [len, 0, 0],
            Form::Backward => [len, len, len],
        };
        let mut rooms = lengths.map(|len| array(len, &mut number));
        let [x, dy, dst] = &mut rooms;
        let mut arrays = Arrays {
            x: at(0, x, lengths[0]),
            dy: at(PAGE / 4, dy, lengths[1]),
            dst: at(PAGE / 2, dst, lengths[2]),
        };

        let contenders = self.contenders();
        let mut best = vec![f64::INFINITY; contenders.len()];
        let mut calls = vec![1; contenders.len()];
        let start = Instant::now();
        let mut turns = 0;
        while turns < TURNS || start.elapsed() < budget {
            for (i, &contender) in contenders.iter().enumerate() {
                // Untimed: streaming stores leave the caches without the array, and the next in
                // turn would pay for bringing it back.
                self.call(contender, black_box(&mut arrays))?;
                let begin = Instant::now();
                for _ in 0..calls[i] {
                    self.call(contender, black_box(&mut arrays))?;
                }
                let taken = begin.elapsed();
                if taken >= SAMPLE {
                    best[i] = best[i].min(taken.as_secs_f64() / f64::from(calls[i]));
                } else {
                    calls[i] *= 2;
                }
            }
            turns += u32::from(best.iter().all(|seconds| seconds.is_finite()));
        }
        Ok(best)
    }

    fn call<E: Sample>(&self, contender: Contender, arrays: &mut Arrays<E>) -> Result<()> {
        let threads = self.threads;
        let Arrays { x, dy, dst } = arrays;
        match contender {
            Contender::Op => {
                let call = match self.form {
                    Form::Apply => Call::Apply(x, dst),
                    Form::InPlace => Call::ApplyInPlace(x),
                    Form::Backward => Call::Backward(x, dy, dst),
                };
                self.op.run(self.backend, call)?;
            }
            Contender::Copy => arrays.copied(threads, limits::copy),
            Contender::StreamCopy => arrays.copied(threads, limits::stream_copy),
            Contender::WriteBack => {
                let x: &mut [u8] = bytemuck::cast_slice_mut(x);
                let piece = piece(threads, x.len(), x.len());
                if piece == x.len() {
                    limits::write_back(x);
                } else {
                    x.par_chunks_mut(piece).for_each(limits::write_back);
                }
            }
        }
        Ok(())
    }
}

/// What the contenders work on. Those that a form does not touch are empty.
struct Arrays<'a, E> {
    x: &'a mut [E],
    dy: &'a mut [E],
    dst: &'a mut [E],
}

impl<E: Sample> Arrays<'_, E> {
    /// Copies what there is to what there is, so that as many bytes of the same arrays move as by
    /// the operation: `x`, and half of `dy` to the other half. Backward reads two of them and writes
    /// one, where this reads and writes one and a half.
    fn copied(&mut self, threads: usize, copy: fn(&[u8], &mut [u8])) {
        both(threads, self.x, self.dst, copy);
        let (half, other) = self.dy.split_at_mut(self.dy.len() / 2);
        both(threads, half, &mut other[..half.len()], copy);
    }
}

/// A copy, by as many threads as the operation gets.
fn both<E: Sample>(threads: usize, src: &[E], dst: &mut [E], copy: fn(&[u8], &mut [u8])) {
    let (src, dst): (&[u8], &mut [u8]) = (bytemuck::cast_slice(src), bytemuck::cast_slice_mut(dst));
    let piece = piece(threads, src.len(), 2 * src.len());
    if piece == src.len() {
        copy(src, dst);
    } else {
        let pieces = src.par_chunks(piece).zip(dst.par_chunks_mut(piece));
        pieces.for_each(|(src, dst)| copy(src, dst));
    }
}

/// How much of `len` bytes each thread takes; all of it where the operation would not share either.
fn piece(threads: usize, len: usize, touched: usize) -> usize {
    if threads == 1 || touched < parallel::break_even() {
        len
    } else {
        len.div_ceil(threads).next_multiple_of(LINE)
    }
}

/// `len` elements, and as many more as it takes to have them start where they should.
fn array<E: Sample>(len: usize, mut make: impl FnMut() -> E) -> Vec<E> {
    let len = len + 2 * PAGE / size_of::<E>();
    let mut array = memory::vec_with_capacity(len);
    array.extend((0..len).map(|_| make()));
    array
}

/// `len` elements, the first of them `offset` bytes into a page.
fn at<E>(offset: usize, room: &mut [E], len: usize) -> &mut [E] {
    let skip = room.as_ptr().align_offset(PAGE) + offset / size_of::<E>();
    &mut room[skip..skip + len]
}

/// Refuses what the machine would kill the process for, or abort it.
fn check_memory(len: usize, bytes: usize) -> Result<()> {
    let free = available().unwrap_or(usize::MAX);
    if bytes > free || Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        let free = match available() {
            Some(free) => format!("{} are free", human::bytes(free)),
            None => "the system refuses".into(),
        };
        bail!(
            "{len} elements take {} of memory, and {free}; give smaller --sizes",
            human::bytes(bytes)
        );
    }
    Ok(())
}

/// What Linux says could be used without swapping.
fn available() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}
