//! What `f32` is compared with.

use anyhow::{Result, bail};
use halfwave::Number;
use rayon::prelude::*;

use super::inputs;
use super::subject::{Reference, Subject, name};

/// What `f32` is compared with, and how near to the truth that was seen to be, in ulps of `f32`.
#[derive(Clone, Copy, Debug)]
pub struct Trusted {
    pub reference: Reference,
    /// The function that it is of.
    pub subject: Subject,
    pub samples: usize,
    pub ulps: f64,
}

impl Trusted {
    /// The first reference, of those asked for or of all, that is near enough to arbitrary precision on
    /// `count` samples and edges of `f32`: half a thousandth of an ulp.
    ///
    /// With parameters that are not the defaults, formulas come first: `f32` may round what is made of
    /// them, where no `f64` kernel does, and samples need not tell.
    ///
    /// # Errors
    /// If there is none.
    pub fn new(subject: Subject, asked: Option<Reference>, count: usize) -> Result<Self> {
        const NEAR: f64 = 1.0 / 2048.0;
        let values: Vec<f64> = subject.op.values().map(Number::to_f64).collect();
        let mut x: Vec<f32> = inputs::samples(count);
        let edges: Vec<f32> = inputs::edges(&values);
        let step = edges.len() / (count / 4 + 1) + 1;
        x.extend(edges.iter().step_by(step));
        subject.given(halfwave::backend()?, &mut x)?;
        x.retain(|x| x.is_finite());
        let truth = |x: &f32| subject.truth::<f32>(f64::from(*x)).to_f64();
        let truths: Vec<f64> = x.par_iter().map(truth).collect();
        let x: Vec<f64> = x.into_iter().map(f64::from).collect();

        let kernels = subject.in_f64().into_iter();
        let mut candidates: Vec<_> = kernels.map(|op| (Reference::Kernel, op)).collect();
        let formula = (Reference::Libm, subject);
        let place = if subject.is_default() {
            candidates.len()
        } else {
            0
        };
        candidates.insert(place, formula);
        candidates.retain(|(reference, _)| asked.is_none_or(|asked| asked == *reference));
        let mut nearest = f64::INFINITY;
        let (ones, mut values) = (vec![1.0; x.len()], x.clone());
        for (reference, candidate) in candidates {
            let mut trusted = Self {
                reference,
                subject: candidate,
                samples: x.len(),
                ulps: 0.0,
            };
            trusted.values(&x, &ones, &mut values)?;
            for ((&x, &y), &truth) in x.iter().zip(&values).zip(&truths) {
                let ulps = subject.counted(x, off(y, truth), (y - truth).abs());
                trusted.ulps = trusted.ulps.max(ulps);
            }
            if trusted.ulps <= NEAR {
                return Ok(trusted);
            }
            nearest = nearest.min(trusted.ulps);
        }
        bail!(
            "{} {}: what f32 is to be compared with is {nearest:.2e} ulps of f32 from arbitrary \
             precision, too far to measure by it; look at --dtype f64, or choose another --reference",
            subject.op,
            name(subject.form)
        )
    }

    /// The values of reference.
    pub fn values(self, x: &[f64], ones: &[f64], y: &mut [f64]) -> Result<()> {
        match self.reference {
            Reference::Kernel => self.subject.run(halfwave::backend()?, x, ones, y)?,
            Reference::Libm => {
                let pairs = x.iter().zip(&mut *y);
                pairs.for_each(|(x, y)| *y = self.subject.libm(*x));
            }
        }
        // A formula need not do limits.
        if self.reference == Reference::Libm {
            for (x, y) in x.iter().zip(y).filter(|(x, _)| x.is_infinite()) {
                *y = self.subject.limit(*x)?;
            }
        }
        Ok(())
    }
}

/// The error of `y` in ulps of `f32` at the reference. What `f32` holds no more counts as 2^128, which
/// its infinity stands for.
#[inline]
pub fn off(y: f64, reference: f64) -> f64 {
    const LIMIT: f64 = 340282366920938463463374607431768211456.0;
    let exponent = ((reference.to_bits() >> 52) & 0x7ff).clamp(1023 - 126, 1023 + 127);
    // The distance between neighbours is 2^-23 of the power of two below, and over that is times
    // the power whose exponent is turned round.
    let inverse = f64::from_bits((2046 + 23 - exponent) << 52);
    let off = (y.clamp(-LIMIT, LIMIT) - reference.clamp(-LIMIT, LIMIT)).abs() * inverse;
    if off.is_nan() { f64::INFINITY } else { off }
}
