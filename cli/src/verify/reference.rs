//! What `f32` is compared with.

use anyhow::{Result, bail};
use halfwave::Number;
use halfwave_oracle::{truth_for, truth_in_f64};
use rayon::prelude::*;

use super::inputs;
use super::subject::{Reference, Subject, name};

/// What `f32` is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Trusted {
    /// halfwave's own `f64` kernel of this function, which on so many samples and edges of `f32` was seen to be so many
    /// ulps of `f32` from the truth.
    Kernel {
        subject: Subject,
        samples: usize,
        ulps: f64,
    },
    /// The true values of this function.
    Truth(Subject),
}

impl Trusted {
    /// The kernel, if that is near enough to the truth on `count` samples and edges of `f32`: half a thousandth of
    /// an ulp.
    ///
    /// With parameters that are not the defaults it is the truth: `f32` may round what is made of them, where no `f64`
    /// kernel does, and samples need not tell.
    ///
    /// # Errors
    /// If the kernel was asked for, and is not near enough.
    pub fn new(subject: Subject, asked: Option<Reference>, count: usize) -> Result<Self> {
        const NEAR: f64 = 1.0 / 2048.0;
        let truth = Self::Truth(subject);
        match asked {
            Some(Reference::Truth) => return Ok(truth),
            None if !subject.is_default() => return Ok(truth),
            _ => {}
        }
        let values: Vec<f64> = subject.op.values().map(Number::to_f64).collect();
        let mut x: Vec<f32> = inputs::samples(count);
        let edges: Vec<f32> = inputs::edges(&values);
        let step = edges.len() / (count / 4 + 1) + 1;
        x.extend(edges.iter().step_by(step));
        subject.given(halfwave::backend()?, &mut x)?;
        x.retain(|x| x.is_finite());
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();
        // To the last bit of `f64`: the kernel is to be seen as near as it is.
        let at = |x: &f64| truth_for::<f64>(*x, &subject).to_f64();
        let truths: Vec<f64> = x.par_iter().map(at).collect();

        let mut nearest = f64::INFINITY;
        let (ones, mut values) = (vec![1.0; x.len()], x.clone());
        for candidate in subject.in_f64() {
            candidate.run(halfwave::backend()?, &x, &ones, &mut values)?;
            let mut farthest: f64 = 0.0;
            for ((&x, &y), &truth) in x.iter().zip(&values).zip(&truths) {
                let ulps = subject.counted(x, off(y, truth), (y - truth).abs());
                farthest = farthest.max(if ulps.is_nan() { f64::INFINITY } else { ulps });
            }
            if farthest <= NEAR {
                return Ok(Self::Kernel {
                    subject: candidate,
                    samples: x.len(),
                    ulps: farthest,
                });
            }
            nearest = nearest.min(farthest);
        }
        if asked.is_none() {
            return Ok(truth);
        }
        bail!(
            "{} {}: the f64 kernel is {nearest:.2e} ulps of f32 from the truth, too far to measure by it; leave \
             --reference out",
            subject.op,
            name(subject.form)
        )
    }

    /// The values of reference.
    pub fn values(self, x: &[f64], ones: &[f64], y: &mut [f64]) -> Result<()> {
        match self {
            Self::Kernel { subject, .. } => subject.run(halfwave::backend()?, x, ones, y)?,
            Self::Truth(subject) => {
                for (x, y) in x.iter().zip(y) {
                    *y = if x.is_nan() {
                        *x
                    } else if x.is_infinite() {
                        // A formula need not do limits.
                        subject.limit(*x)?
                    } else {
                        truth_in_f64(*x, &subject)
                    };
                }
            }
        }
        Ok(())
    }
}

/// The error of `y` in ulps of `f32` at the reference; NaN if one of them is. What `f32` holds no more counts as
/// 2^128, which its infinity stands for.
#[inline(always)]
pub fn off(y: f64, reference: f64) -> f64 {
    const LIMIT: f64 = 340282366920938463463374607431768211456.0;
    const LARGEST_POWER: f64 = LIMIT / 2.0;
    const LEAST: f64 = f32::MIN_POSITIVE as f64;
    const EXPONENT: u64 = 0x7ff << 52;
    let (y, reference) = (within(y, LIMIT), within(reference, LIMIT));
    let size = above(below(reference.abs(), LARGEST_POWER), LEAST);
    // The distance between neighbours is 2^-23 of the power of two below, and over that is times
    // the power whose exponent is turned round.
    let inverse = f64::from_bits(((2046 + 23) << 52) - (size.to_bits() & EXPONENT));
    (y - reference).abs() * inverse
}

// As the instructions have it: NaN comes out.
#[inline(always)]
fn above(x: f64, least: f64) -> f64 {
    if least > x { least } else { x }
}

#[inline(always)]
fn below(x: f64, most: f64) -> f64 {
    if most < x { most } else { x }
}

#[inline(always)]
fn within(x: f64, limit: f64) -> f64 {
    above(below(x, limit), -limit)
}
