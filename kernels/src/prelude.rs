//! What the file of an operation imports: `use crate::prelude::*;`, and functions of `math` by name.

pub(crate) use crate::dtype::{Dtype, Float, Int};
pub(crate) use crate::number::Number;
#[cfg(feature = "oracle")]
pub(crate) use crate::oracle::{Oracle, OracleNumber};
pub(crate) use crate::parameters::{
    ABOVE_ZERO, FINITE, MODERATE, NOT_NEGATIVE, NOT_ZERO, NUMBER, POSITIVE, ParameterError,
    checked, parameters,
};
pub(crate) use crate::precision::Precision;
pub(crate) use crate::register::{IntLane, Lane, Mask, Near, PieceLane, TableLane};
pub(crate) use crate::unary::{ByTables, F32Lanes, FromOutput, HalfTail, OnHalf, Unary, UnaryInt};
