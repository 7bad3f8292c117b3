//! The measurements: how far results are from the truth.

use anyhow::Result;
use halfwave::{Backend, Dtype, Element};
use halfwave_kernels::{Bound, Form};
use halfwave_oracle::{Format, Truth, limit, truth_for};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::inputs;
use super::reference::{Trusted, off};
use super::subject::Subject;

/// What was seen of one subject on one backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub inputs: u64,
    /// How many results are those nearest to the truth.
    pub correct: u64,
    /// The largest error in ulps, as it counts.
    pub ulps: f64,
    /// The bits of the input there.
    pub at: Option<u64>,
}

impl Seen {
    fn add(&mut self, bits: u64, ulps: f64, correct: bool) {
        self.inputs += 1;
        self.correct += u64::from(correct);
        if ulps > self.ulps || self.at.is_none() {
            (self.ulps, self.at) = (ulps, Some(bits));
        }
    }

    fn merge(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.correct += other.correct;
        if self.at.is_none() || other.ulps > self.ulps {
            (self.ulps, self.at) = (other.ulps, other.at.or(self.at));
        }
    }
}

/// Of each backend.
type All = Vec<Seen>;

fn merged(mut a: All, b: All) -> Result<All> {
    a.iter_mut().zip(b).for_each(|(a, b)| a.merge(b));
    Ok(a)
}

/// Each of `x` against arbitrary precision, on each backend.
pub fn precisely<E: Format + Element>(
    subject: Subject,
    backends: &[Backend],
    x: &[E],
    progress: &ProgressBar,
) -> Result<All> {
    const BLOCK: usize = 512;
    let block = |x: &[E]| {
        let mut seen = vec![Seen::default(); backends.len()];
        let mut x = x.to_vec();
        subject.given(halfwave::backend()?, &mut x)?;
        let (ones, mut y) = (vec![E::from_f64(1.0); x.len()], x.clone());
        let truths: Vec<Option<Truth>> = x
            .iter()
            .map(|x| Some(x.to_f64()).filter(|x| x.is_finite()))
            .map(|x| Some(truth_for::<E>(x?, &subject)))
            .collect();
        for (seen, &backend) in seen.iter_mut().zip(backends) {
            subject.run(backend, &x, &ones, &mut y)?;
            for ((&x, &y), truth) in x.iter().zip(&y).zip(&truths) {
                let Some(truth) = truth else {
                    if let Some(right) = subject.beyond(x, y)? {
                        seen.add(x.bits(), if right { 0.0 } else { f64::INFINITY }, right);
                    }
                    continue;
                };
                let correct = y == truth.nearest();
                let (ulps, absolute) = (truth.ulps(y), (y.to_f64() - truth.to_f64()).abs());
                seen.add(
                    x.bits(),
                    subject.counted(x.to_f64(), ulps, absolute),
                    correct,
                );
            }
        }
        progress.inc(x.len() as u64);
        anyhow::Ok(seen)
    };
    let none = || vec![Seen::default(); backends.len()];
    x.par_chunks(BLOCK).map(block).try_reduce(none, merged)
}

impl Subject {
    /// Whether `y` is right for an `x` that is no finite number: the same NaN, or what the `f64` kernel
    /// has for an infinity. `None` if nothing is said of it.
    fn beyond<E: Format>(self, x: E, y: E) -> Result<Option<bool>> {
        if x.to_f64().is_nan() {
            let quiet = x.bits() | 1 << (E::PRECISION - 2);
            let kept = y.bits() == x.bits() || y.bits() == quiet;
            return Ok((self.form == Form::Forward).then_some(kept));
        }
        let limit = E::from_f64(self.limit(x.to_f64())?);
        let same = limit == y || limit.to_f64().is_nan() && y.to_f64().is_nan();
        Ok(Some(same))
    }

    /// What the formula has for an infinity, or, where it has nothing, the `f64` kernel.
    pub fn limit(self, x: f64) -> Result<f64> {
        let of = match self.dtype {
            Dtype::F64 => self,
            // Rrelu's mean is rounded, not its bounds, as a kernel of `f64` would have it.
            _ => match limit(x, &self) {
                Some(limit) => return Ok(limit),
                None => self.in_f64()[0],
            },
        };
        let mut limit = [0.0];
        of.run(halfwave::backend()?, &[x], &[1.0], &mut limit)?;
        Ok(limit[0])
    }
}

/// The arrays that a thread works on. They stay in its cache.
struct Buffers {
    x: Vec<f32>,
    y: Vec<f32>,
    ones: Vec<f32>,
    wide: Vec<f64>,
    wide_ones: Vec<f64>,
    reference: Vec<f64>,
}

const BLOCK: usize = 2048;

impl Buffers {
    fn new() -> Self {
        Self {
            x: vec![0.0; BLOCK],
            y: vec![0.0; BLOCK],
            ones: vec![1.0; BLOCK],
            wide: vec![0.0; BLOCK],
            wide_ones: vec![1.0; BLOCK],
            reference: vec![0.0; BLOCK],
        }
    }
}

/// `f32` against the reference: every `step`-th bit pattern, and the edges around `points`.
pub fn by_reference(
    subject: Subject,
    backends: &[Backend],
    trusted: &Trusted,
    step: u32,
    points: &[f64],
    progress: &ProgressBar,
) -> Result<All> {
    debug_assert_eq!(subject.dtype, Dtype::F32);
    let none = || vec![Seen::default(); backends.len()];
    let count = count(step);
    // Enough blocks that the bar moves, and few enough that it costs nothing.
    const BLOCKS: u64 = 64;
    let per_task = BLOCKS * BLOCK as u64;
    let task = |buffers: &mut Buffers, task: u64| {
        let mut seen = none();
        let range = task * per_task..((task + 1) * per_task).min(count);
        for start in range.clone().step_by(BLOCK) {
            let len = (range.end - start).min(BLOCK as u64);
            let mut bits = (start as u32).wrapping_mul(step);
            for x in &mut buffers.x[..len as usize] {
                *x = f32::from_bits(bits);
                bits = bits.wrapping_add(step);
            }
            block(subject, backends, trusted, buffers, len as usize, &mut seen)?;
        }
        progress.inc(range.end - range.start);
        anyhow::Ok(seen)
    };
    let tasks = (0..count.div_ceil(per_task)).into_par_iter();
    let mut seen = tasks
        .map_init(Buffers::new, task)
        .try_reduce(none, merged)?;
    if step > 1 {
        let mut buffers = Buffers::new();
        for edges in inputs::edges::<f32>(points).chunks(BLOCK) {
            buffers.x[..edges.len()].copy_from_slice(edges);
            let len = edges.len();
            block(subject, backends, trusted, &mut buffers, len, &mut seen)?;
        }
    }
    Ok(seen)
}

/// The first `len` inputs.
fn block(
    subject: Subject,
    backends: &[Backend],
    trusted: &Trusted,
    buffers: &mut Buffers,
    len: usize,
    seen: &mut All,
) -> Result<()> {
    let x = &mut buffers.x[..len];
    subject.given(halfwave::backend()?, x)?;
    let (ones, wide_ones) = (&buffers.ones[..len], &buffers.wide_ones[..len]);
    let (wide, reference) = (&mut buffers.wide[..len], &mut buffers.reference[..len]);
    let y = &mut buffers.y[..len];
    for (wide, x) in wide.iter_mut().zip(&*x) {
        *wide = f64::from(*x);
    }
    // Conversion, as arithmetic, makes NaNs quiet and nothing else: the numbers alone are compared.
    trusted.values(wide, wide_ones, reference)?;
    let bound = subject.bound();
    // Of a NaN a derivative may be a number, which says nothing.
    let nan = x.iter().fold(false, |any, x| any | x.is_nan());
    let absolute =
        matches!(bound, Bound::Turning { .. }) && wide.iter().any(|x| bound.is_absolute_at(*x));
    for (seen, &backend) in seen.iter_mut().zip(backends) {
        subject.run(backend, x, ones, y)?;
        let (correct, worst) = compare(y, reference);
        // A NaN is not for there.
        if nan || absolute || worst.is_nan() {
            one_by_one(subject, x, y, reference, seen);
            continue;
        }
        seen.inputs += len as u64;
        seen.correct += correct;
        if worst > seen.ulps || seen.at.is_none() {
            let mut pairs = y.iter().zip(&*reference);
            let at = pairs.position(|(y, reference)| off((*y).into(), *reference) == worst);
            (seen.ulps, seen.at) = (worst, at.map(|i| x[i].to_bits().into()));
        }
    }
    Ok(())
}

/// With NaNs among them, or a bound that is not everywhere the same.
fn one_by_one(subject: Subject, x: &[f32], y: &[f32], reference: &[f64], seen: &mut Seen) {
    for (i, &x) in x.iter().enumerate() {
        let (y, reference) = (y[i], reference[i]);
        let (ulps, correct) = if x.is_nan() {
            let kept = y.to_bits() | 1 << 22 == x.to_bits() | 1 << 22;
            if subject.form != Form::Forward {
                continue;
            }
            (if kept { 0.0 } else { f64::INFINITY }, kept)
        } else {
            let absolute = (f64::from(y) - reference).abs();
            let ulps = off(y.into(), reference);
            let ulps = if ulps.is_nan() { f64::INFINITY } else { ulps };
            let ulps = subject.counted(x.into(), ulps, absolute);
            (ulps, y == reference as f32)
        };
        seen.add(x.to_bits().into(), ulps, correct);
    }
}

/// How many `y` are those nearest to the reference, and the largest error; NaN if one is. In lanes, as the compiler
/// makes vectors of them: this is done for every input and backend.
fn compare(y: &[f32], reference: &[f64]) -> (u64, f64) {
    const LANES: usize = 8;
    let (mut correct, mut worst, mut sum) = ([0u32; LANES], [0f64; LANES], [0f64; LANES]);
    let mut lanes = |y: &[f32; LANES], reference: &[f64; LANES]| {
        for i in 0..LANES {
            correct[i] += u32::from(y[i] == reference[i] as f32);
        }
        for i in 0..LANES {
            let off = off(y[i].into(), reference[i]);
            sum[i] += off;
            worst[i] = if off > worst[i] { off } else { worst[i] };
        }
    };
    let (y, y_rest) = y.as_chunks::<LANES>();
    let (reference, reference_rest) = reference.as_chunks::<LANES>();
    for (y, reference) in y.iter().zip(reference) {
        lanes(y, reference);
    }
    // 1 is 1.
    let (mut y, mut reference) = ([1.0; LANES], [1.0; LANES]);
    y[..y_rest.len()].copy_from_slice(y_rest);
    reference[..y_rest.len()].copy_from_slice(reference_rest);
    lanes(&y, &reference);
    let correct =
        correct.iter().map(|&n| u64::from(n)).sum::<u64>() - (LANES - y_rest.len()) as u64;
    let sum: f64 = sum.iter().sum();
    let worst = worst.into_iter().fold(0.0, f64::max);
    (correct, if sum.is_nan() { sum } else { worst })
}

/// How many bit patterns of `f32` that is.
pub fn count(step: u32) -> u64 {
    (1u64 << 32).div_ceil(step.into())
}

#[cfg(test)]
mod tests {
    use halfwave_oracle::truth;

    use super::*;

    /// The fast measure of `f32` and the one in arbitrary precision.
    #[test]
    fn both_measures_of_f32_are_the_same() {
        let x: Vec<f32> = inputs::edges(&[0.1]);
        let numbers = x.iter().filter(|x| x.is_finite());
        for &y in numbers {
            for by in [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 3.0] {
                let (y64, up) = (f64::from(y), f64::from(y.next_up()));
                let up = if up.is_infinite() { 2f64.powi(128) } else { up };
                let reference = y64 + (up - y64) * by;
                let precise = truth(reference, |x| x);
                let fast = off(y.into(), reference);
                let slow = precise.ulps(y);
                assert!(
                    (fast - slow).abs() <= 1e-6 * slow || reference.abs() >= 2f64.powi(128),
                    "{y:e} {by}: {fast} {slow}"
                );
                let correct = compare(&[y], &[reference]).0;
                assert_eq!(correct == 1, precise.nearest::<f32>() == y, "{y:e} {by}");
            }
        }
        assert_eq!(off(f64::INFINITY, 1e300), 0.0);
        assert_eq!(off(f64::INFINITY, f32::MAX.into()), 1.0);
        assert_eq!(off(f32::MAX.into(), 1e300), 1.0);
        assert!(off(f64::NAN, 1.0).is_nan());
        assert!(off(1.0, f64::NAN).is_nan());
        assert_eq!(off(1e-45f32.into(), 0.0), 1.0);
    }

    /// At every place, whatever the length.
    #[test]
    fn the_largest_error_is_found() {
        let near = f64::from(1f32.next_up());
        for len in 1..40 {
            for at in 0..len {
                let mut y = vec![1.0f32; len];
                y[at] = 1f32.next_up().next_up();
                let reference = vec![near; len];
                assert_eq!(compare(&y, &reference), (0, 1.0), "{len} {at}");
                y[at] = f32::NAN;
                assert!(compare(&y, &reference).1.is_nan(), "{len} {at}");
                let mut y = vec![1f32.next_up(); len];
                y[at] = -f32::INFINITY;
                let (correct, worst) = compare(&y, &reference);
                assert_eq!(
                    (correct, worst > 1e38),
                    (len as u64 - 1, true),
                    "{len} {at}"
                );
            }
        }
    }
}
