//! Functions on 16-bit floats by cells, every result of which rounds right: all 65,536 inputs of a dtype were
//! conditions when the coefficients were made, so nothing is left to check at run time.
//!
//! The points of the cells are the multiples of 2<sup>−BITS</sup>, so the distance from one takes no table.
//!
//! x/2 may lie on the middle between two numbers; then the next term decides. There the last steps round in its
//! direction.

use crate::math::cells::{SHIFT, left_or_rest};
use crate::register::PieceLane;

/// A function in 32 cells, 2<sup>−BITS</sup> wide, by polynomials of `N` coefficients.
pub(crate) struct HalfCells<const BITS: i32, const N: usize> {
    /// Where the last cell ends, or the function is constant.
    pub(crate) limit: f64,
    /// Of 1, d, d², ….
    pub(crate) coefficients: [[f32; 32]; N],
}

impl<const BITS: i32, const N: usize> HalfCells<BITS, N> {
    /// The number of the cell of a, and the distance from its point.
    #[inline(always)]
    fn cell<X: PieceLane>(&self, a: X) -> (X, X) {
        let shift = a.splat(SHIFT / f64::from(1 << BITS));
        let cell = a + shift;
        // +0 of −0 too. (AVX-512 has one instruction for it, but in Bochs, in which `.ci/avx512` runs the kernels, that
        // was wrong where a is a tie.)
        let d = (a + a.splat(0.0)) - (cell - shift);
        (cell, d)
    }

    /// The coefficient of d<sup>i</sup>.
    #[inline(always)]
    fn coefficient<X: PieceLane>(&'static self, cell: X, i: usize) -> X {
        cell.look_up(&self.coefficients[i])
    }

    /// c<sub>2</sub> + c<sub>3</sub>·d + ….
    #[inline(always)]
    fn bend<X: PieceLane>(&'static self, cell: X, d: X) -> X {
        let mut i = N - 1;
        let mut p = self.coefficient(cell, i);
        while i > 2 {
            i -= 1;
            p = p.mul_add(d, self.coefficient(cell, i));
        }
        p
    }

    /// c<sub>1</sub> + c<sub>2</sub>·d + ….
    #[inline(always)]
    fn slope<X: PieceLane>(&'static self, cell: X, d: X) -> X {
        self.bend(cell, d).mul_add(d, self.coefficient(cell, 1))
    }
}

/// tanh x.
#[inline(always)]
pub(crate) fn tanh<X: PieceLane, const BITS: i32, const N: usize>(
    x: X,
    cells: &'static HalfCells<BITS, N>,
) -> X {
    // In this order, NaN stays.
    let a = x.splat(cells.limit).min(x.abs());
    let (cell, d) = cells.cell(a);
    let y = cells.slope(cell, d).mul_add(d, cells.coefficient(cell, 0));
    y.copysign(x)
}

/// σ(x), by σ(−a) and 1 − σ(−a).
#[inline(always)]
pub(crate) fn sigmoid<X: PieceLane, const BITS: i32, const N: usize>(
    x: X,
    cells: &'static HalfCells<BITS, N>,
) -> X {
    let (cell, d) = cells.cell(x.abs_to(x.splat(cells.limit)));
    let left = cells.slope(cell, d).mul_add(d, cells.coefficient(cell, 0));
    left_or_rest(x, left).or_nan_of(x)
}

/// x·gate(x) = max(x, 0) − a·gate(−a). Near zero the slope is below 1/2 by rounding, and the result rounds up from
/// there.
#[inline(always)]
pub(crate) fn gate_up<X: PieceLane, const BITS: i32, const N: usize>(
    x: X,
    cells: &'static HalfCells<BITS, N>,
) -> X {
    let (cell, d) = cells.cell(x.abs_to(x.splat(cells.limit)));
    let relu = x.splat(0.0).max(x) - cells.coefficient(cell, 0);
    let slope = cells
        .bend(cell, d)
        .mul_add_down(d, cells.coefficient(cell, 1));
    slope.neg_mul_add_up(d, relu)
}

/// The same by cells of −a. Near zero the slope is the number below 1/2, which with a rounding down is enough on
/// `f16`.
#[inline(always)]
pub(crate) fn gate_down<X: PieceLane, const BITS: i32, const N: usize>(
    x: X,
    cells: &'static HalfCells<BITS, N>,
) -> X {
    let (cell, d) = cells.cell(x.minus_abs_to(x.splat(cells.limit)));
    let relu = x.splat(0.0).max(x) - cells.coefficient(cell, 0);
    cells.slope(cell, d).mul_add_down(d, relu)
}
