//! How far a result may be from the true value, as data.

use crate::dtype::Dtype;

/// Which function of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The operation.
    Forward,
    /// Its derivative, from the input.
    Backward,
    /// Its derivative, from the output.
    BackwardFromOutput,
}

/// The largest error that a result may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// None: it is the nearest number of the dtype, ties to even.
    Nearest,
    /// In units of the last place of the true value.
    Ulps(f64),
    /// In units of the last place; but for inputs from half of `point` to twice that, an absolute
    /// error of half an ulp of 1 counts as two. (On `f16` and `bf16` that is an ulp of `f32`, in which
    /// their derivatives are computed.)
    Turning {
        /// The bound elsewhere.
        ulps: f64,
        /// Where the derivative changes its sign.
        point: f64,
    },
}

impl Bound {
    /// Of an operation that rounds once, or not at all.
    pub const fn of_exact(_dtype: Dtype, _form: Form) -> Self {
        Self::Nearest
    }

    /// Of any other operation: `f16` and `bf16` are correctly rounded; `f32` is within one ulp; the
    /// derivatives are computed in `f32` or `f64` lanes.
    pub const fn of_inexact(dtype: Dtype, form: Form) -> Self {
        match (form, dtype) {
            (Form::Forward, Dtype::F32) => Self::Ulps(1.0),
            (Form::Forward, Dtype::F64) => Self::Ulps(1.5),
            (Form::Forward, _) => Self::Nearest,
            (_, Dtype::F64) => Self::Ulps(4.0),
            _ => Self::Ulps(2.0),
        }
    }

    /// This bound for a derivative that changes its sign at `point`.
    pub const fn turning_at(self, point: f64) -> Self {
        match self {
            Self::Ulps(ulps) => Self::Turning { ulps, point },
            other => other,
        }
    }

    /// The bound in ulps, where it is one.
    pub const fn ulps(self) -> f64 {
        match self {
            Self::Nearest => 0.5,
            Self::Ulps(ulps) | Self::Turning { ulps, .. } => ulps,
        }
    }

    /// Whether at `x` the bound is an absolute one.
    pub fn is_absolute_at(self, x: f64) -> bool {
        matches!(self, Self::Turning { point, .. } if (0.5..=2.0).contains(&(x / point)))
    }

    /// The error that counts at `x`, in ulps, of one that is `ulps` or `absolute` large.
    pub fn counted(self, dtype: Dtype, x: f64, ulps: f64, absolute: f64) -> f64 {
        if !self.is_absolute_at(x) {
            return ulps;
        }
        let ulp_of_1 = match dtype {
            Dtype::F64 => f64::EPSILON,
            _ => f32::EPSILON as f64,
        };
        ulps.min(absolute / (ulp_of_1 / 2.0) * 2.0)
    }
}
