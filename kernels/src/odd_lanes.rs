//! Rounding to odd: a result that is no `f32` becomes the odd one of its two neighbours.
//!
//! No second rounding, to a format two bits shorter or more, can spoil that (Boldo & Melquiond, 2008): what lies
//! in the middle between two of its numbers is even, so a result is there only if the true value is.

use crate::lanes::FloatLanes;

/// Products and sums of `f32`, rounded to odd. NaN as of [`FloatLanes`]; what overflows may be infinite.
pub trait OddLanes: FloatLanes<f32> {
    /// Whether that is as fast as to round to nearest and to look whether a result lies in a middle.
    const FAST: bool = false;

    /// `a · b`, where `a` has 11 bits or fewer. Without `TINY`, a product below 2<sup>−100</sup> may be rounded to
    /// nearest.
    fn mul_to_odd<const TINY: bool>(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a + b`.
    fn add_to_odd(self, a: Self::V, b: Self::V) -> Self::V;
}
