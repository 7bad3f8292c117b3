//! An operation chosen at run time.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use halfwave_kernels::*;

use crate::backend::Backend;
use crate::blocks::{Dst, Room, Src, Value};
use crate::dispatch::BackendError;
use crate::kernels::{Blockwise, output_suffices};

macro_rules! op {
    ($($name:ident: $Type:ident in $Row:ident;)*) => {
        /// An operation chosen at run time, for command lines, configuration files and other
        /// languages. It parses from its name, with or without parameters, and prints with them.
        ///
        /// ```
        /// use halfwave::Op;
        ///
        /// let op: Op = "leaky_relu(slope=0.5)".parse()?;
        /// let mut y = [0.0f32; 2];
        /// op.apply(&[-1.0, 2.0], &mut y)?;
        /// assert_eq!((y, op.to_string()), ([-0.5, 2.0], "leaky_relu(slope=0.5)".into()));
        /// # Ok::<(), halfwave::OpError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs)]
        #[non_exhaustive]
        pub enum Op {
            $($Type($Type),)*
        }

        $(impl From<$Type> for Op {
            fn from(op: $Type) -> Self {
                Op::$Type(op)
            }
        })*

        impl Op {
            /// Every operation, with its default parameters.
            pub const fn all() -> &'static [Op] {
                &[$(Op::$Type(<$Type as Parameters>::DEFAULT),)*]
            }

            const fn about(self) -> About {
                match self {
                    $(Op::$Type(_) => About::of::<$Type>(stringify!($name)),)*
                }
            }
        }
    };
}
for_each_op!(op);

/// `match_op!(op, it => expression)`: the expression of the operation that `op` holds, by the name of `it`.
macro_rules! match_op {
    ($op:expr, $it:ident => $expression:expr) => {
        for_each_op!(match_op @arms $op, $it, $expression;)
    };
    (@arms $op:expr, $it:ident, $expression:expr; $($name:ident: $Type:ident in $Row:ident;)*) => {
        match $op {
            $(Op::$Type($it) => $expression,)*
        }
    };
}

/// What is the same of an operation with any parameters.
struct About {
    name: &'static str,
    formula: &'static str,
    dtypes: &'static [Dtype],
    parameters: &'static [Parameter],
}

impl About {
    const fn of<O: BuiltinOp>(name: &'static str) -> Self {
        Self {
            name,
            formula: O::FORMULA,
            dtypes: O::DTYPES,
            parameters: O::PARAMETERS,
        }
    }
}

impl Op {
    /// The operation's name, without parameters.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// What it computes, in the notation of a textbook: `max(x, 0)`.
    pub const fn formula(self) -> &'static str {
        self.about().formula
    }

    /// The dtypes the operation takes.
    pub const fn dtypes(self) -> &'static [Dtype] {
        self.about().dtypes
    }

    /// The operation's parameters: names, defaults, ranges.
    pub const fn parameters(self) -> &'static [Parameter] {
        self.about().parameters
    }

    /// The value of each of [`parameters`](Op::parameters).
    pub fn values(self) -> impl Iterator<Item = Number> {
        self.padded_values()
            .into_iter()
            .take(self.parameters().len())
    }

    fn padded_values(self) -> Values {
        match_op!(self, op => op.values())
    }

    /// The same operation with other values of its parameters.
    fn with_values(self, values: Values) -> Result<Self, ParameterError> {
        fn with<O: Parameters>(_: O, values: Values) -> Result<O, ParameterError> {
            O::from_values(values)
        }
        Ok(match_op!(self, op => with(op, values)?.into()))
    }

    /// Whether an output of dtype `E` tells the derivative, with these parameters.
    pub fn has_backward_from_output<E: Element>(self) -> bool {
        match_op!(self, op => output_suffices::<_, E>(op))
    }

    /// The operation with a backend that is to run it: for who compares backends, or has resolved one, or
    /// wants it on a pool of threads.
    ///
    /// ```
    /// use halfwave::Op;
    ///
    /// let op: Op = "leaky_relu(slope=0.5)".parse()?;
    /// for backend in halfwave::backends() {
    ///     let mut y = [0.0f32; 2];
    ///     op.on(*backend).apply(&[-1.0, 2.0], &mut y)?;
    ///     assert_eq!(y, [-0.5, 2.0], "{}", backend.name());
    /// }
    /// # Ok::<(), halfwave::OpError>(())
    /// ```
    pub fn on(self, backend: Backend) -> OpOn {
        OpOn { op: self, backend }
    }

    /// Whether a call on `E` can be made.
    pub(crate) fn check<E: Element>(self, need: Need) -> Result<(), OpError> {
        let dtypes = match need {
            Need::Takes => self.dtypes(),
            Need::Derivative | Need::FromOutput => Dtype::FLOATS,
        };
        if !dtypes.contains(&E::DTYPE) {
            Err(OpError::Dtype(self, E::DTYPE))
        } else if need == Need::FromOutput && !self.has_backward_from_output::<E>() {
            Err(OpError::FromOutput(self))
        } else {
            Ok(())
        }
    }

    /// Makes `call` with `backend`. It is [`Op::on`] for who has the method as a value, too. Panics as the
    /// method of the call's name does.
    ///
    /// # Errors
    /// As the method of the call's name has them.
    #[track_caller]
    pub fn run<E: Element>(self, backend: Backend, call: Call<'_, E>) -> Result<(), OpError> {
        let on = self.on(backend);
        match call {
            Call::Apply(src, dst) => on.apply(src, dst),
            Call::ApplyInPlace(x) => on.apply_in_place(x),
            Call::Backward(x, dy, dx) => on.backward(x, dy, dx),
            Call::BackwardInPlace(x, dy) => on.backward_in_place(x, dy),
            Call::BackwardFromOutput(y, dy, dx) => on.backward_from_output(y, dy, dx),
        }
    }
}

/// A method of [`OpOn`] and its slices, for [`Op::run`].
#[derive(Debug)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Call<'a, E> {
    Apply(&'a [E], &'a mut [E]),
    ApplyInPlace(&'a mut [E]),
    Backward(&'a [E], &'a [E], &'a mut [E]),
    BackwardInPlace(&'a [E], &'a mut [E]),
    BackwardFromOutput(&'a [E], &'a [E], &'a mut [E]),
}

/// An [`Op`] with the backend that runs it, from [`Op::on`]. It has the methods of an operation whose
/// type is known; what depends on the choice made at run time is an error.
#[derive(Clone, Copy, Debug)]
pub struct OpOn {
    op: Op,
    backend: Backend,
}

impl OpOn {
    /// The operation.
    pub fn op(self) -> Op {
        self.op
    }

    /// The backend.
    pub fn backend(self) -> Backend {
        self.backend
    }

    /// An operation with its kernels, once [`Op::check`] has found that it takes `E`.
    #[inline]
    fn bound<O: BuiltinOp, E: Element>(self, op: O) -> impl Blockwise<E> {
        let bound = self.backend.kernels().bind(op);
        bound.expect("an operation that takes this dtype")
    }
}

impl<E: Element> Blockwise<E> for OpOn {
    fn map(&self, x: Src<'_, E>, y: Dst<'_, E>) {
        match_op!(self.op, op => self.bound(op).map(x, y));
    }

    fn uses_floats(&self) -> bool {
        match_op!(self.op, op => Blockwise::<E>::uses_floats(&self.bound::<_, E>(op)))
    }

    fn backward(&self, x: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>) {
        match_op!(self.op, op => self.bound(op).backward(x, dy, dx));
    }

    fn has_from_output(&self) -> bool {
        self.op.has_backward_from_output::<E>()
    }

    fn backward_from_output(&self, y: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>) {
        match_op!(self.op, op => self.bound(op).backward_from_output(y, dy, dx));
    }

    fn gate(&self, g: Src<'_, E>, v: Src<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float,
    {
        match_op!(self.op, op => self.bound(op).gate(g, v, z, y));
    }

    fn add_then(&self, x: Src<'_, E>, b: Value<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float,
    {
        match_op!(self.op, op => self.bound(op).add_then(x, b, z, y));
    }
}

/// What a call needs of an operation on a dtype.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// That it takes it.
    Takes,
    /// That it has a derivative there.
    Derivative,
    /// That its output tells the derivative.
    FromOutput,
}

/// `leaky_relu(slope=0.01)`; the name alone where there are no parameters.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from(self.name());
        for (i, (parameter, value)) in self.parameters().iter().zip(self.values()).enumerate() {
            let before = if i == 0 { "(" } else { ", " };
            fmt::Write::write_fmt(
                &mut text,
                format_args!("{before}{}={value}", parameter.name),
            )?;
        }
        if !self.parameters().is_empty() {
            text.push(')');
        }
        f.pad(&text)
    }
}

/// `leaky_relu`, or `leaky_relu(slope=0.2)`: parameters by name, in any order; those left out have
/// their defaults. Integers that are bounds of `clip` or the ceiling of `relu_n` keep all their digits.
impl FromStr for Op {
    type Err = OpError;

    fn from_str(s: &str) -> Result<Self, OpError> {
        let (name, given) = match s.split_once('(') {
            Some((name, rest)) => (name, Some(rest)),
            None => (s, None),
        };
        let mut all = Op::all().iter();
        let op =
            *(all.find(|op| op.name() == name)).ok_or_else(|| OpError::Unknown(name.into()))?;
        let Some(given) = given else {
            return Ok(op);
        };
        let syntax = || OpError::Syntax(op, s.into());
        let given = given.strip_suffix(')').ok_or_else(syntax)?;
        let mut values = op.padded_values();
        let mut seen = [false; size_of::<Values>() / size_of::<Number>()];
        for pair in given.split(',') {
            let (name, value) = pair.split_once('=').ok_or_else(syntax)?;
            let (name, value) = (name.trim(), value.trim());
            let i = op.parameters().iter().position(|p| p.name == name);
            let i = i.ok_or_else(|| OpError::NoParameter(op, name.into()))?;
            if core::mem::replace(&mut seen[i], true) {
                return Err(syntax());
            }
            values[i] = value
                .parse()
                .map_err(|_| OpError::NotANumber(op, name.into(), value.into()))?;
        }
        op.with_values(values)
            .map_err(|error| OpError::Parameter(op, error))
    }
}

/// Why an [`Op`] could not be made or applied.
///
/// What depends on a choice made at run time is an error: the operation, its parameters, its dtype, the
/// backend. Slices or rows that do not fit one another are a mistake of the program, and panic as they do
/// where the operation's type is known.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OpError {
    /// No operation has this name.
    Unknown(String),
    /// What follows the operation's name is not a list of parameters, or names one twice.
    Syntax(Op, String),
    /// The operation has no parameter of this name.
    NoParameter(Op, String),
    /// The value of a parameter is not a number.
    NotANumber(Op, String, String),
    /// A parameter cannot have this value.
    Parameter(Op, ParameterError),
    /// The operation is not defined on this dtype, or has no derivative on it.
    Dtype(Op, Dtype),
    /// The output of the operation does not tell its derivative.
    FromOutput(Op),
    /// `HALFWAVE_ISA` names a backend that cannot be had.
    Backend(BackendError),
}

impl From<BackendError> for OpError {
    fn from(error: BackendError) -> Self {
        OpError::Backend(error)
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpError::Unknown(name) => {
                write!(f, "there is no operation {name:?}; the operations are:")?;
                Op::all()
                    .iter()
                    .try_for_each(|op| write!(f, " {}", op.name()))
            }
            OpError::Syntax(op, text) => {
                write!(f, "{text:?} is not an operation; ")?;
                match op.parameters() {
                    [] => write!(f, "{op} has no parameters"),
                    _ => write!(f, "write it as {:?}", alloc::format!("{op}")),
                }
            }
            OpError::NoParameter(op, name) => {
                write!(f, "{} has no parameter {name:?}; it has:", op.name())?;
                match op.parameters() {
                    [] => f.write_str(" none"),
                    list => list.iter().try_for_each(|p| write!(f, " {}", p.name)),
                }
            }
            OpError::NotANumber(op, name, value) => {
                write!(
                    f,
                    "{}: {name} is {value:?}, which is not a number",
                    op.name()
                )
            }
            OpError::Parameter(op, error) => write!(f, "{}: {error}", op.name()),
            OpError::Dtype(op, dtype) if op.dtypes().contains(dtype) => {
                write!(f, "{op} has no derivative on {dtype}; it has one on:")?;
                Dtype::FLOATS
                    .iter()
                    .try_for_each(|dtype| write!(f, " {dtype}"))
            }
            OpError::Dtype(op, dtype) => {
                write!(f, "{op} is not defined on {dtype}; it takes:")?;
                op.dtypes()
                    .iter()
                    .try_for_each(|dtype| write!(f, " {dtype}"))
            }
            OpError::FromOutput(op) => {
                write!(
                    f,
                    "the output of {op} does not tell its derivative; use the input"
                )
            }
            OpError::Backend(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for OpError {}

#[cfg(test)]
mod tests;
