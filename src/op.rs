//! An operation chosen at run time.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use halfwave_kernels::{Dtype, Element, Operation, Relu, Unary, for_each_op};

use crate::backend::Backend;
use crate::dispatch::active;

macro_rules! op {
    ($($name:ident: $Type:ident;)*) => {
        /// An operation chosen at run time, for command lines, configuration files and other
        /// languages. It parses from and prints as its name.
        ///
        /// ```
        /// use halfwave::Op;
        ///
        /// let op: Op = "relu".parse()?;
        /// let mut y = [0.0f32; 2];
        /// op.apply(&[-1.0, 2.0], &mut y)?;
        /// assert_eq!((y, op.to_string()), ([0.0, 2.0], "relu".into()));
        /// # Ok::<(), halfwave::OpError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs)]
        #[non_exhaustive]
        pub enum Op {
            $($Type($Type),)*
        }

        impl Op {
            /// Every operation, with its default parameters.
            pub const fn all() -> &'static [Op] {
                &[$(Op::$Type($Type),)*]
            }

            /// The operation's name, without parameters.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Op::$Type(_) => stringify!($name),)*
                }
            }

            /// What it computes, in the notation of a textbook: `max(x, 0)`.
            pub const fn formula(self) -> &'static str {
                match self {
                    $(Op::$Type(_) => <$Type as Unary>::FORMULA,)*
                }
            }

            /// Makes `call` with the kernels of `backend`: for who compares backends, or has
            /// resolved one. Panics as the method of the call's name does.
            ///
            /// # Errors
            /// As [`apply`](Op::apply).
            #[track_caller]
            pub fn run<E: Element>(
                self,
                backend: Backend,
                call: Call<'_, E>,
            ) -> Result<(), OpError> {
                match self {
                    $(Op::$Type(op) => call.on(backend, op),)*
                }
                Ok(())
            }
        }
    };
}
for_each_op!(op);

/// What [`Op::run`] is to do: a method of [`Activation`](crate::Activation) and its slices.
#[derive(Debug)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Call<'a, E> {
    Apply(&'a [E], &'a mut [E]),
    ApplyInPlace(&'a mut [E]),
    #[cfg(feature = "parallel")]
    ParApply(&'a [E], &'a mut [E]),
    #[cfg(feature = "parallel")]
    ParApplyInPlace(&'a mut [E]),
}

impl<E: Element> Call<'_, E> {
    #[track_caller]
    fn on<O: Operation<E>>(self, backend: Backend, op: O) {
        match self {
            Call::Apply(src, dst) => backend.apply(op, src, dst),
            Call::ApplyInPlace(x) => backend.apply_in_place(op, x),
            #[cfg(feature = "parallel")]
            Call::ParApply(src, dst) => backend.par_apply(op, src, dst),
            #[cfg(feature = "parallel")]
            Call::ParApplyInPlace(x) => backend.par_apply_in_place(op, x),
        }
    }
}

impl Op {
    /// The dtypes the operation takes.
    pub const fn dtypes(self) -> &'static [Dtype] {
        Dtype::ALL
    }

    /// As [`Activation::apply`](crate::Activation::apply), with its panics.
    ///
    /// # Errors
    /// If the operation does not take `E`: see [`dtypes`](Op::dtypes).
    #[track_caller]
    pub fn apply<E: Element>(self, src: &[E], dst: &mut [E]) -> Result<(), OpError> {
        self.run(active(), Call::Apply(src, dst))
    }

    /// As [`Activation::apply_in_place`](crate::Activation::apply_in_place).
    ///
    /// # Errors
    /// As [`apply`](Op::apply).
    pub fn apply_in_place<E: Element>(self, x: &mut [E]) -> Result<(), OpError> {
        self.run(active(), Call::ApplyInPlace(x))
    }

    /// As [`Activation::par_apply`](crate::Activation::par_apply), with its panics.
    ///
    /// # Errors
    /// As [`apply`](Op::apply).
    #[cfg(feature = "parallel")]
    #[track_caller]
    pub fn par_apply<E: Element>(self, src: &[E], dst: &mut [E]) -> Result<(), OpError> {
        self.run(active(), Call::ParApply(src, dst))
    }

    /// As [`Activation::par_apply_in_place`](crate::Activation::par_apply_in_place).
    ///
    /// # Errors
    /// As [`apply`](Op::apply).
    #[cfg(feature = "parallel")]
    pub fn par_apply_in_place<E: Element>(self, x: &mut [E]) -> Result<(), OpError> {
        self.run(active(), Call::ParApplyInPlace(x))
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Op {
    type Err = OpError;

    fn from_str(s: &str) -> Result<Self, OpError> {
        let op = Op::all().iter().find(|op| op.name() == s);
        op.copied().ok_or_else(|| OpError::Unknown(s.into()))
    }
}

/// Why an [`Op`] could not be made or applied.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OpError {
    /// No operation has this name.
    Unknown(String),
    /// The operation is not defined on this dtype.
    Dtype(Op, Dtype),
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpError::Unknown(name) => {
                write!(f, "there is no operation {name:?}; the operations are:")?;
                Op::all().iter().try_for_each(|op| write!(f, " {op}"))
            }
            OpError::Dtype(op, dtype) => {
                write!(f, "{op} is not defined on {dtype}; it takes:")?;
                op.dtypes()
                    .iter()
                    .try_for_each(|dtype| write!(f, " {dtype}"))
            }
        }
    }
}

impl core::error::Error for OpError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_operation_parses_from_what_it_prints() {
        for op in Op::all() {
            assert_eq!(op.to_string().parse(), Ok(*op));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known() {
        for wrong in ["", "Relu", "relu ", "relu()", "rleu"] {
            let error = wrong.parse::<Op>().unwrap_err().to_string();
            assert!(error.contains(&alloc::format!("{wrong:?}")), "{error}");
            assert!(error.contains(" relu"), "{error}");
        }
    }
}
