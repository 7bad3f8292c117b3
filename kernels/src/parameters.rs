//! What a user may set of an operation.

use core::fmt;

use crate::number::Number;
use crate::precision::Precision;

/// One parameter of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// As in the operation's struct, and in `leaky_relu(slope=0.2)`.
    pub name: &'static str,
    /// The value it has unless one is given.
    pub default: f64,
    /// The smallest value it may have.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The smallest magnitude.
    pub least: f64,
}

impl Parameter {
    /// Checks a value.
    ///
    /// # Errors
    /// If `value` is NaN or lies outside, or too near to 0.
    pub const fn check(&self, value: f64) -> Result<(), ParameterError> {
        if self.min <= value && value <= self.max && value.abs() >= self.least {
            Ok(())
        } else {
            Err(ParameterError::Range(*self, value))
        }
    }
}

/// The values of an operation's parameters, in the order of
/// [`PARAMETERS`](Parameters::PARAMETERS); behind them, zeros.
pub type Values = [Number; 2];

/// An operation's parameters, by number.
pub trait Parameters: Copy {
    /// What they are; empty if there are none.
    const PARAMETERS: &'static [Parameter];

    /// The operation with the values it has unless others are given.
    const DEFAULT: Self;

    /// The values of the parameters.
    fn values(self) -> Values;

    /// The operation with [`Precision::constant`] of every parameter in its place, unchecked: for
    /// kernels.
    #[doc(hidden)]
    fn rounded<P: Precision<Lane = f32>>(self) -> Self;

    /// The operation with these values.
    ///
    /// # Errors
    /// If one is out of range, or they do not go together.
    fn from_values(values: Values) -> Result<Self, ParameterError>;
}

/// A value that a parameter cannot have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterError {
    /// It is NaN, or too small, or too large.
    Range(Parameter, f64),
    /// The first parameter must not be above the second.
    Order((&'static str, f64), (&'static str, f64)),
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Range(parameter, value) => {
                let Parameter { name, least, .. } = parameter;
                let (min, max) = (parameter.min, parameter.max);
                write!(f, "{name} is {value}; it must be ")?;
                match (min, max, least) {
                    (f64::NEG_INFINITY, f64::INFINITY, _) => f.write_str("a number"),
                    (f64::MIN, f64::MAX, _) => f.write_str("a finite number"),
                    ABOVE_ZERO => f.write_str("a finite number above 0"),
                    (_, f64::MAX, _) => write!(f, "a finite number, {min:e} or more"),
                    NOT_ZERO => write!(f, "from {min:e} to {max:e}, and at least {least:e} from 0"),
                    _ => write!(f, "from {min:e} to {max:e}"),
                }
            }
            Self::Order((low, a), (high, b)) => {
                write!(
                    f,
                    "{low} is {a} and {high} is {b}; {low} must not be above {high}"
                )
            }
        }
    }
}

impl core::error::Error for ParameterError {}

/// The smallest and the largest value of a parameter, and the smallest magnitude.
pub(crate) type Range = (f64, f64, f64);

/// Any number but NaN.
pub(crate) const NUMBER: Range = (f64::NEG_INFINITY, f64::INFINITY, 0.0);
/// Any number but NaN and the infinities.
pub(crate) const FINITE: Range = (f64::MIN, f64::MAX, 0.0);
/// Any number by which products and quotients of `f32` stay far from its ends.
pub(crate) const MODERATE: Range = (-1e30, 1e30, 0.0);
/// Any positive number by which products and quotients of `f32` stay far from its ends.
pub(crate) const POSITIVE: Range = (1e-30, 1e30, 0.0);
/// Any number of either sign by which products and quotients of `f32` stay far from its ends.
pub(crate) const NOT_ZERO: Range = (-1e30, 1e30, 1e-30);
/// Any finite number that is not negative.
pub(crate) const NOT_NEGATIVE: Range = (0.0, f64::MAX, 0.0);
/// Any finite number above zero.
pub(crate) const ABOVE_ZERO: Range = (f64::from_bits(1), f64::MAX, 0.0);

/// `parameters!(Relu)`, or `parameters!(LeakyRelu { slope: 0.01 in FINITE })`: [`Parameters`],
/// `Default`, and the checked constructor `new`. `where min <= max` adds a condition. With `exact`, the
/// fields are [`Number`]s, and the operation brings `new` itself, and `exact`, which takes them.
macro_rules! parameters {
    ($Op:ident) => {
        impl $Op { const fn new() -> Result<Self, $crate::ParameterError> { Ok(Self) } }
        $crate::parameters::parameters!(@impl $Op {} new, $crate::Number::to_f64);
    };
    ($Op:ident { $($field:ident: $default:literal in $range:expr),+ } $(where $low:ident <= $high:ident)?) => {
        impl $Op {
            /// Checks the parameters.
            ///
            /// # Errors
            /// If one is NaN or out of its range; the message names it, its value and the range.
            pub const fn new($($field: f64),+) -> Result<Self, $crate::ParameterError> {
                let in_order = [$([(stringify!($low), $low), (stringify!($high), $high)])?];
                $crate::parameters::checked(Self { $($field),+ }, &[$($field),+], &in_order)
            }
        }
        $crate::parameters::parameters!(@impl $Op { $($field: $default in $range),+ } new, $crate::Number::to_f64);
    };
    ($Op:ident { $($field:ident: $default:literal in $range:expr),+ } exact) => {
        $crate::parameters::parameters!(@impl $Op { $($field: $default in $range),+ } exact, core::convert::identity);
    };
    (@impl $Op:ident { $($field:ident: $default:literal in $range:expr),* } $new:ident, $of:expr) => {
        impl $crate::Parameters for $Op {
            const PARAMETERS: &'static [$crate::Parameter] = &[$($crate::Parameter {
                name: stringify!($field), default: $default, min: $range.0, max: $range.1, least: $range.2,
            }),*];
            const DEFAULT: Self = $crate::parameters::valid(Self::new($($default),*));
            #[inline(always)]
            fn rounded<P: $crate::Precision<Lane = f32>>(self) -> Self {
                Self { $($field: P::constant($crate::Number::from(self.$field).to_f64()).into()),* }
            }
            fn values(self) -> $crate::parameters::Values {
                $crate::parameters::padded(&[$(self.$field.into()),*])
            }
            fn from_values(values: $crate::parameters::Values) -> Result<Self, $crate::ParameterError> {
                let [$($field,)* ..] = values.map($of);
                Self::$new($($field),*)
            }
        }
        impl Default for $Op {
            fn default() -> Self {
                <Self as $crate::Parameters>::DEFAULT
            }
        }
    };
}
pub(crate) use parameters;

/// The operation, if each value that it was given is in its range, and of the two that must be in order,
/// if there are such, the first is not above the second.
pub(crate) const fn checked<O: Parameters>(
    op: O,
    given: &[f64],
    in_order: &[[(&'static str, f64); 2]],
) -> Result<O, ParameterError> {
    let mut i = 0;
    while i < given.len() {
        if let Err(error) = O::PARAMETERS[i].check(given[i]) {
            return Err(error);
        }
        i += 1;
    }
    if let [[low, high]] = *in_order
        && low.1 > high.1
    {
        return Err(ParameterError::Order(low, high));
    }
    Ok(op)
}

/// The operation with its defaults.
pub(crate) const fn valid<O: Copy>(made: Result<O, ParameterError>) -> O {
    match made {
        Ok(op) => op,
        Err(_) => panic!("a default must be in its range"),
    }
}

pub(crate) fn padded(given: &[Number]) -> Values {
    let mut values = Values::default();
    values[..given.len()].copy_from_slice(given);
    values
}
