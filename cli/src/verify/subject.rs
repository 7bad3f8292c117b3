//! What is measured, and what it is held to.

use clap::ValueEnum;
use halfwave::{Backend, Dtype, Element, Op, OpError};
use halfwave_kernels::*;
use halfwave_oracle::{Format, Formula, settings};

/// A form's name in what is printed.
pub fn name(form: Form) -> &'static str {
    match form {
        Form::Forward => "forward",
        Form::Backward => "backward",
        Form::BackwardFromOutput => "from_output",
    }
}

/// What parameters are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// random and extreme ones, the same at every call
    Random,
}

/// What `f32` is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Reference {
    /// halfwave's own f64 kernel
    Kernel,
    /// The formula, in as many bits as it takes: 20 times as slow
    Truth,
}

macro_rules! by_operation {
    ($($name:ident: $Op:ident in $Row:ident;)*) => {
        fn formula<P: Precision, N: OracleNumber>(op: Op, form: Form, x: N) -> N {
            match op {
                $(Op::$Op(op) => match form {
                    Form::Forward => op.oracle::<P, N>(x),
                    Form::Backward => op.derivative_oracle::<P, N>(x),
                    Form::BackwardFromOutput => op.derivative_from_output_oracle::<P, N>(x),
                },)*
                _ => unreachable!("the table has every operation"),
            }
        }

        fn bound(op: Op, dtype: Dtype, form: Form) -> Bound {
            match op {
                $(Op::$Op(op) => op.bound(dtype, form),)*
                _ => unreachable!("the table has every operation"),
            }
        }

        /// Whether the derivative from the output has a formula of its own.
        fn differs_from_output(op: Op) -> bool {
            match op {
                $(Op::$Op(_) => $Op::FROM_OUTPUT == FromOutput::ByItself,)*
                _ => unreachable!("the table has every operation"),
            }
        }

        /// The operation at so many random settings; none if it has no parameters.
        pub fn random(op: Op, count: usize) -> Vec<Op> {
            match op {
                $(Op::$Op(_) => settings::<$Op>(count).into_iter().map(Op::$Op).collect(),)*
                _ => unreachable!("the table has every operation"),
            }
        }

        /// The operation with its parameters rounded to `f32`, if they are then still in range.
        fn rounded_to_f32(op: Op) -> Result<Op, ParameterError> {
            match op {
                $(Op::$Op(op) => {
                    let values = op.values().map(|value| Number::from(<f32 as Float>::parameter(value.to_f64())));
                    Parameters::from_values(values).map(Op::$Op)
                })*
                _ => unreachable!("the table has every operation"),
            }
        }
    };
}
for_each_op!(by_operation);

/// A function of an operation on a dtype.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub op: Op,
    pub form: Form,
    pub dtype: Dtype,
}

impl Subject {
    /// The functions that the operation has, `backward` ones if asked for.
    pub fn all(op: Op, dtype: Dtype, backward: bool) -> Vec<Self> {
        let mut forms = vec![Form::Forward];
        if backward {
            forms.push(Form::Backward);
            let tells = match dtype {
                Dtype::F32 => op.has_backward_from_output::<f32>(),
                Dtype::F64 => op.has_backward_from_output::<f64>(),
                Dtype::F16 => op.has_backward_from_output::<f16>(),
                _ => op.has_backward_from_output::<bf16>(),
            };
            if tells && differs_from_output(op) {
                forms.push(Form::BackwardFromOutput);
            }
        }
        let subject = |form| Self { op, form, dtype };
        forms.into_iter().map(subject).collect()
    }

    /// The contract.
    pub fn bound(self) -> Bound {
        bound(self.op, self.dtype, self.form)
    }

    /// Whether every result must be the one nearest to the truth.
    pub fn correctly_rounded(self) -> bool {
        self.bound() == Bound::Nearest
    }

    /// The error that counts at `x`, in ulps, of one that is `ulps` or `absolute` large.
    pub fn counted(self, x: f64, ulps: f64, absolute: f64) -> f64 {
        self.bound().counted(self.dtype, x, ulps, absolute)
    }

    /// The functions on `f64` that this one on `f32` may be compared with, the likeliest first.
    ///
    /// The kernels of `f32` round the parameters to `f32`, or they round what they make of them. So
    /// the first has its parameters rounded, if the operation takes them, and the last as given.
    pub fn in_f64(self) -> Vec<Self> {
        let mut ops: Vec<Op> = rounded_to_f32(self.op).into_iter().collect();
        if ops.first() != Some(&self.op) {
            ops.push(self.op);
        }
        let subject = |op| Self {
            op,
            dtype: Dtype::F64,
            ..self
        };
        ops.into_iter().map(subject).collect()
    }

    /// Whether the parameters are the defaults, or there are none.
    pub fn is_default(self) -> bool {
        Op::all().contains(&self.op)
    }

    /// `y = f(x)`. `ones` has as many elements as they.
    pub fn run<E: Element>(
        self,
        backend: Backend,
        x: &[E],
        ones: &[E],
        y: &mut [E],
    ) -> Result<(), OpError> {
        let call = match self.form {
            Form::Forward => halfwave::Call::Apply(x, y),
            Form::Backward => halfwave::Call::Backward(x, ones, y),
            Form::BackwardFromOutput => halfwave::Call::BackwardFromOutput(x, ones, y),
        };
        self.op.run(backend, call)
    }

    /// What it is given for inputs `x` of the operation: them, or the operation's outputs.
    pub fn given<E: Format + Element>(self, backend: Backend, x: &mut [E]) -> Result<(), OpError> {
        if self.form == Form::BackwardFromOutput {
            self.op.run(backend, halfwave::Call::ApplyInPlace(x))?;
        }
        Ok(())
    }
}

/// With parameters as the dtype has them.
impl Formula for Subject {
    #[inline]
    fn at<N: OracleNumber>(&self, x: N) -> N {
        match self.dtype {
            Dtype::F64 => formula::<f64, _>(self.op, self.form, x),
            _ => formula::<f32, _>(self.op, self.form, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f32_is_compared_with_its_own_parameters_first() {
        for (op, want) in [
            ("relu", &["relu"][..]),
            ("clip(min=-inf, max=0.5)", &["clip(min=-inf, max=0.5)"]),
            (
                "leaky_relu(slope=0.1)",
                &[
                    "leaky_relu(slope=0.10000000149011612)",
                    "leaky_relu(slope=0.1)",
                ],
            ),
            // As f32 it were infinite, which no slope may be.
            (
                "leaky_relu(slope=1e300)",
                &[
                    "leaky_relu(slope=3.4028234663852886e38)",
                    "leaky_relu(slope=1e300)",
                ],
            ),
        ] {
            let want: Vec<Op> = want.iter().map(|op| op.parse().unwrap()).collect();
            let subject = Subject {
                op: op.parse().unwrap(),
                form: Form::Backward,
                dtype: Dtype::F32,
            };
            let seen = subject.in_f64();
            assert_eq!(seen.iter().map(|s| s.op).collect::<Vec<_>>(), want);
            assert!(
                seen.iter()
                    .all(|s| s.dtype == Dtype::F64 && s.form == Form::Backward)
            );
        }
    }
}
