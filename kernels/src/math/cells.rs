//! Functions by cells: the line is cut into 8 or 32 of them, each with a polynomial of its own, whose
//! coefficients a unit looks up in registers ([`PieceLane`]).
//!
//! In a cell with the point b, f(a) = f(b) + d·p(d) with d = a − b, which is exact. The last step of p
//! adds d·p, which is small, to f(b). And b is chosen (Gal & Bachelis, 1991) so that f(b) is within
//! about a hundredth of an ulp of an `f32`: hardly anything but the last rounding counts. Where b = 0,
//! the leading term (x, or x/2) stands in the place of f(b).
//!
//! Cells are numbered by the lowest bits of a float: `floor_onto` a number whose last place is 1, or the
//! exponent and the first bits of the fraction, moved down. The numbers go round.

use crate::math::tables::Cells;
use crate::math::{cells_8, cells_32, slopes_32};
use crate::register::{Lane, Mask, Near, PieceLane};

impl<const N: usize, const D: usize> Cells<N, D> {
    /// p(d) = c<sub>1</sub> + c<sub>2</sub>·d + …, from the term c<sub>D</sub> on, or `last` if that is given.
    #[inline(always)]
    fn slope<X: PieceLane>(&'static self, cell: X, d: X, last: Option<X>) -> X {
        let mut p = match last {
            Some(last) => last,
            None => cell.look_up(&self.coefficients[D - 1]),
        };
        let mut i = D - 1;
        while i > 0 {
            i -= 1;
            p = p.mul_add(d, cell.look_up(&self.coefficients[i]));
        }
        p
    }
}

impl<const D: usize> Cells<32, D> {
    /// f(a) in this cell.
    #[inline(always)]
    fn at<X: PieceLane>(&'static self, cell: X, a: X) -> X {
        let d = a - cell.look_up(&self.points);
        let value = cell.look_up(&self.values);
        self.slope(cell, d, None).mul_add(d, value)
    }
}

/// 1.5·2<sup>23</sup>: a sum with it, as bits, ends in an integer.
pub(crate) const SHIFT: f64 = 12_582_912.0;

/// Where 32 cells lie: a is in cell ⌊a·(scale + growth·a)⌋.
pub(crate) struct Grid {
    pub(crate) scale: f64,
    pub(crate) growth: f64,
    /// Where the last ends.
    pub(crate) limit: f64,
}

impl Grid {
    /// a = |x|, or the limit where that is smaller or x is NaN; and its cell.
    #[inline(always)]
    fn place<X: PieceLane>(&'static self, x: X) -> (X, X) {
        let a = x.abs_to(x.splat(self.limit));
        let scale = if self.growth == 0.0 {
            x.splat(self.scale)
        } else {
            a.mul_add(x.splat(self.growth), x.splat(self.scale))
        };
        (a, a.floor_onto(scale, x.splat(SHIFT)))
    }
}

/// Beyond, tanh is 1.
const TANH_LIMIT: f64 = 9.02;

/// tanh x. In the cells that start at 0, f(b) is infinite, and a takes its place.
#[inline(always)]
pub(crate) fn tanh<X: PieceLane>(x: X) -> X {
    let a = x.splat(TANH_LIMIT).min(x.abs());
    let y = if X::ENTRIES < 32 {
        // Half octaves of 1 + 1.66a: eight up to the limit.
        let octaves = a.mul_add(x.splat(1.662_970_781_326_294), x.splat(1.0));
        let cell = octaves.shift_right::<22>();
        let d = a - cell.look_up(&cells_8::TANH.points);
        let value = cell.look_up(&cells_8::TANH.values).min(a);
        seven(&cells_8::TANH, cell, d).mul_add(d, value)
    } else {
        // Eight cells an octave of a + 0.625; what would be the first of them has numbers of its own.
        let cell = (a + x.splat(0.625)).shift_right::<20>();
        let d = a - cell.look_up(&cells_32::TANH.points);
        let value = cell.look_up(&cells_32::TANH.values).min(a);
        cells_32::TANH.slope(cell, d, None).mul_add(d, value)
    };
    y.copysign(x)
}

/// p of degree 6. The highest coefficient is in the lower half of the one before, where it changes that by less
/// than a rounding; a look-up less.
#[inline(always)]
fn seven<X: PieceLane>(cells: &'static Cells<8, 6>, cell: X, d: X) -> X {
    let sixth = cell.look_up(&cells.coefficients[5]);
    let seventh = sixth.shift_left::<16>();
    cells.slope(cell, d, Some(seventh.mul_add(d, sixth)))
}

const SIGMOID_GRID: Grid = Grid {
    scale: 1.840_000_033_378_601,
    growth: 0.0,
    limit: 17.390_216_827_392_578,
};

/// σ(x) down to −17.39, by σ(−a) and 1 − σ(−a), in 32 cells; and where it is.
#[inline(always)]
pub(crate) fn sigmoid_32<X: PieceLane>(x: X) -> Near<X> {
    let (a, cell) = SIGMOID_GRID.place(x);
    let left = cells_32::SIGMOID.at(cell, a);
    let y = left_or_rest(x, left);
    (y, Some(x.splat(-SIGMOID_GRID.limit).le(x)))
}

/// f(x) = 1 − f(−x) of what it is on the left of 0.
#[inline(always)]
pub(crate) fn left_or_rest<X: Lane>(x: X, left: X) -> X {
    x.lt(x.splat(0.0)).select(left, x.splat(1.0) - left)
}

/// An even function in 32 cells of |x|.
pub(crate) struct Density {
    cells: &'static Cells<32, 5>,
    grid: Grid,
}

pub(crate) const SIGMOID_DENSITY: Density = Density {
    cells: &slopes_32::SIGMOID,
    grid: Grid {
        scale: 1.980_000_019_073_486_3,
        growth: 0.0,
        limit: 16.100_000_381_469_727,
    },
};

pub(crate) const TANH_DENSITY: Density = Density {
    cells: &slopes_32::TANH,
    grid: Grid {
        scale: 3.950_000_047_683_716,
        growth: 0.0,
        limit: 8.050_000_190_734_863,
    },
};

/// The [`Density`], and where it is that.
#[inline(always)]
pub(crate) fn density_32<X: PieceLane>(x: X, density: &'static Density) -> Near<X> {
    let (a, cell) = density.grid.place(x);
    let y = density.cells.at(cell, a);
    (y, Some(a.lt(x.splat(density.grid.limit))))
}

/// The derivative of x·gate(x), for a gate with gate(−x) = 1 − gate(x), of which the same is true; and where it is:
/// on the left within the limit, and on the right too unless it has `arrived` there at 1.
#[inline(always)]
pub(crate) fn gated_derivative_32<X: PieceLane, const D: usize>(
    x: X,
    cells: &'static Cells<32, D>,
    grid: &'static Grid,
    arrived: bool,
) -> Near<X> {
    let (a, cell) = grid.place(x);
    let y = left_or_rest(x, cells.at(cell, a));
    let near = if arrived {
        x.splat(-grid.limit).le(x)
    } else {
        a.lt(x.splat(grid.limit))
    };
    (y, Some(near))
}

/// What tells one [`gate_32`] from another.
pub(crate) struct Gate<const D: usize> {
    pub(crate) cells: &'static Cells<32, D>,
    /// Its limit is where a·gate(−a) is below half an ulp of a.
    pub(crate) grid: Grid,
    /// One coefficient more for the first cell, which is the widest in ulps; or 0.
    pub(crate) first: f64,
}

/// x·gate(x) = max(x, 0) − a·gate(−a), down to −limit, for a gate with gate(−x) = 1 − gate(x); and where it is.
/// In the first cell x/2 takes the place of max(x, 0) − f(b): rounded down, because the least subnormal would
/// come out as +0 for −0.0.
#[inline(always)]
pub(crate) fn gate_32<X: PieceLane, const D: usize>(x: X, gate: &'static Gate<D>) -> Near<X> {
    let cells = gate.cells;
    let (a, cell) = gate.grid.place(x);
    let first = cell.lt(x.splat(SHIFT + 1.0));
    let d = a - cell.look_up(&cells.points);
    let others = x.splat(0.0).max(x) - cell.look_up(&cells.values);
    let value = first.select(x.half_down(), others);
    let last = if gate.first == 0.0 {
        None
    } else {
        let last = cell.look_up(&cells.coefficients[D - 1]);
        Some(first.select(d.mul_add(x.splat(gate.first), last), last))
    };
    let y = cells.slope(cell, d, last).neg_mul_add(d, value);
    (y, Some(x.splat(-gate.grid.limit).le(x)))
}

/// gelu from −8 on, on 8 entries: max(x, 0) − a·Φ(−a) with Φ(−a) = e<sup>−a²/2</sup>·m(a); and where it is.
///
/// e<sup>−a²/2</sup>/2 = S·(1 + p) with S a rounded power of 2<sup>1/4</sup>, of eight bits as the values of
/// 2a·m(a) are: their product is exact, and so is its difference from x. What S lacks goes into the argument of
/// the exponential, and what rounding took of ln 2/4 into m.
#[inline(always)]
pub(crate) fn gelu_8<X: PieceLane>(x: X) -> Near<X> {
    // The last number below 8, where the cells go round.
    let limit = 7.999_999_523_162_842;
    let a = x.abs_to(x.splat(limit));
    let b = a * a;
    let b_low = a.mul_add(a, x.splat(0.0) - b);
    // Quarters of powers; 8·126, because it is half of the exponential.
    let shift = x.splat(SHIFT + 1008.0);
    let shifted = b.mul_add(x.splat(-4.0 * core::f64::consts::LOG2_E), shift);
    let n = shifted - shift;
    let rest = b_low + shifted.look_up(&cells_8::ROUND_EIGHTHS_LACK);
    let r = n.mul_add(x.splat(0.173_286_795_616_149_9), b) + rest;
    let place = shifted.shift_left::<20>();
    let s = shifted.look_up(&cells_8::ROUND_EIGHTHS).add_bits(place);
    // e^(−r/2) − 1
    let q = r.mul_add(
        x.splat(2.604_314_591_735_601_4e-3),
        x.splat(-2.083_496_935_665_607_5e-2),
    );
    let q = r.mul_add(r.mul_add(q, x.splat(0.125)), x.splat(-0.5));
    let p = r * q;
    let octaves = a.mul_add(x.splat(1.874_999_046_325_683_6), x.splat(1.0));
    let cell = octaves.shift_right::<22>();
    let d = a - cell.look_up(&cells_8::GELU.points);
    let value = cell.look_up(&cells_8::GELU.values).min(a);
    let slope = seven(&cells_8::GELU, cell, d);
    let g = slope.mul_add(d, value);
    let rest = slope.mul_add(d, p * g);
    let relu = x.splat(0.0).max(x);
    let y = s.neg_mul_add(rest, s.neg_mul_add(value, relu));
    (y, Some(x.splat(-limit).le(x)))
}
