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
use crate::math::{cells_8, cells_32, lifted, product, slopes_32};
use crate::register::{Lane, Mask, Near, PieceLane};

impl<const N: usize, const D: usize> Cells<N, D> {
    /// p(d) = c<sub>1</sub> + c<sub>2</sub>·d + …, from the term c<sub>D</sub> on, or `last` if that is given.
    #[inline(always)]
    pub(crate) fn slope<X: PieceLane>(&'static self, cell: X, d: X, last: Option<X>) -> X {
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
    /// a = |x|, or the limit where that is smaller or x is NaN; and its cell. Next to 0 it is [`lifted`].
    #[inline(always)]
    fn lifted_place<X: PieceLane>(&'static self, x: X) -> (X, X) {
        self.cell(lifted(x.abs_to(x.splat(self.limit))))
    }

    /// The same, not lifted.
    #[inline(always)]
    fn place<X: PieceLane>(&'static self, x: X) -> (X, X) {
        self.cell(x.abs_to(x.splat(self.limit)))
    }

    /// a and its cell.
    #[inline(always)]
    fn cell<X: PieceLane>(&'static self, a: X) -> (X, X) {
        let scale = if self.growth == 0.0 {
            a.splat(self.scale)
        } else {
            a.mul_add(a.splat(self.growth), a.splat(self.scale))
        };
        (a, a.floor_onto(scale, a.splat(SHIFT)))
    }
}

/// Beyond, tanh is 1.
const TANH_LIMIT: f64 = 9.02;

/// tanh x. In the cells that start at 0, f(b) is infinite, and a takes its place.
#[inline(always)]
pub(crate) fn tanh<X: PieceLane>(x: X) -> X {
    let a = x.splat(TANH_LIMIT).min(x.abs());
    let y = if const { X::ENTRIES < 32 } {
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
    let (a, cell) = SIGMOID_GRID.lifted_place(x);
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
    let (a, cell) = density.grid.lifted_place(x);
    let y = density.cells.at(cell, a);
    (y, Some(a.lt(x.splat(density.grid.limit))))
}

/// The derivative of x·gate(x), for a gate with gate(−x) = 1 − gate(x), of which the same is true; and where it is: down to
/// −limit. At the limit on the right it has arrived at 1.
#[inline(always)]
pub(crate) fn gated_derivative_32<X: PieceLane, const D: usize>(
    x: X,
    cells: &'static Cells<32, D>,
    grid: &'static Grid,
) -> Near<X> {
    let (a, cell) = grid.lifted_place(x);
    let y = left_or_rest(x, cells.at(cell, a));
    (y, Some(x.splat(-grid.limit).le(x)))
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

/// gelu for |x| below 8, on 8 entries: max(x, 0) − a·Φ(−a) with Φ(−a) = e<sup>−a²/2</sup>·m(a).
///
/// e<sup>−a²/2</sup>/2 = S·(1 + p) with S a rounded power of 2<sup>1/4</sup>, of eight bits as the values of
/// 2a·m(a) are: their product is exact, and so is its difference from x. What S lacks goes into the argument of
/// the exponential, and what rounding took of ln 2/4 into m.
#[inline(always)]
pub(crate) fn gelu_8<X: PieceLane>(x: X) -> X {
    let a = x.abs();
    let b = a * a;
    let b_low = a.mul_add(a, x.splat(-0.0) - b);
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
    s.neg_mul_add(rest, s.neg_mul_add(value, relu))
}

/// Where 32 cells to the nearest half end: the last number before a tie, from which the cells go round.
const SOFTPLUS_LIMIT: f64 = 15.749_999_046_325_684;

/// log1p(e<sup>x</sup>) on the right of 0, where `right`, else log1p(e<sup>−|x|</sup>). In a cell with the points ±b the
/// two differ by b, and their slopes by 1.
#[inline(always)]
fn softplus_by_side<X: PieceLane>(x: X, right: X::Mask) -> X {
    let cells = &cells_32::SOFTPLUS;
    let a = x.abs_to(x.splat(SOFTPLUS_LIMIT));
    // By a sum alone: a product with a subnormal number takes Intel's processors a detour.
    let cell = a + x.splat(SHIFT / 2.0);
    let b = cell.look_up(&cells.points);
    let value = cell.look_up(&cells.values);
    let d = a - b;
    let slope = cells.slope(cell, d, None);
    let slope = right.select(slope + x.splat(1.0), slope);
    let value = right.select(value + b, value);
    slope.mul_add(d, value)
}

/// log1p(e<sup>x</sup>) from −15.75 on, and where it is. On the right of the cells it is x.
#[inline(always)]
pub(crate) fn softplus_32<X: PieceLane>(x: X) -> Near<X> {
    let y = softplus_by_side(x, x.splat(0.0).le(x)).max(x);
    (y, Some(x.splat(-SOFTPLUS_LIMIT).le(x)))
}

/// −log1p(e<sup>−x</sup>) up to 15.75, and where it is.
#[inline(always)]
pub(crate) fn log_sigmoid_32<X: PieceLane>(x: X) -> Near<X> {
    let zero = x.splat(0.0);
    let y = (zero - softplus_by_side(x, x.le(zero))).min(x);
    (y, Some(x.le(x.splat(SOFTPLUS_LIMIT))))
}

/// Below, but for 0, what rounding takes from a³ may be subnormal.
pub(crate) const CUBE_LIMIT: f64 = 1.0 / (1 << 24) as f64;

/// Where [`tanh_shrink_32`] takes the difference from tanh: the end of a cell.
const CUBIC_LIMIT: f64 = 1.375;

/// x − tanh x, and where it is: not next to 0. There are two kinds of cells, those of tanh, of which the first have
/// (a − tanh a)/a³ = r instead; what is looked up is for either. a³·r has a³ in two words and r as f(b) + d·p(d),
/// of which the second term is small.
#[inline(always)]
pub(crate) fn tanh_shrink_32<X: PieceLane>(x: X) -> Near<X> {
    let cells = &cells_32::TANH_SHRINK;
    let zero = x.splat(0.0);
    let a = x.splat(CUBE_LIMIT).le(x.abs()).select(x.abs(), zero);
    let inner = x.splat(TANH_LIMIT).min(a);
    let cell = (inner + x.splat(0.625)).shift_right::<20>();
    let d = inner - cell.look_up(&cells.points);
    let value = cell.look_up(&cells.values);
    let slope = cells.slope(cell, d, None);
    let cube = product(inner, inner) * inner;
    let rest = cube.high.mul_add(d * slope, cube.low_or_zero() * value);
    let cubic = cube.high.mul_add(value, rest);
    let difference = slope.neg_mul_add(d, a - value);
    let y = inner.lt(x.splat(CUBIC_LIMIT)).select(cubic, difference);
    (y.copysign(x), Some(x.abs().le(a)))
}

/// The same from that limit on and of zeros, on 8 entries.
#[inline(always)]
pub(crate) fn tanh_shrink_8<X: PieceLane>(x: X) -> X {
    let cells = &cells_8::TANH_SHRINK;
    let a = x.abs();
    let inner = x.splat(TANH_LIMIT).min(a);
    let octaves = inner.mul_add(x.splat(1.662_970_781_326_294), x.splat(1.0));
    let cell = octaves.shift_right::<22>();
    let d = inner - cell.look_up(&cells.points);
    let value = cell.look_up(&cells.values);
    let slope = seven(cells, cell, d);
    let difference = slope.neg_mul_add(d, a - value);
    let square = inner * inner;
    let square_low = inner.mul_add(inner, x.splat(-0.0) - square);
    let cube = square * inner;
    let cube_low = square.mul_add(inner, x.splat(-0.0) - cube);
    let cube_low = square_low.mul_add(inner, cube_low);
    let rest = cube.mul_add(d * slope, cube_low * value);
    let cubic = cube.mul_add(value, rest);
    let y = octaves.lt(x.splat(4.0)).select(cubic, difference);
    y.copysign(x)
}

/// Below, a² may be subnormal.
const SQUARE_LIMIT: f64 = 1.0 / (1u64 << 62) as f64;

/// tanh² x, and where it is: not next to 0. In the first cell a² takes the place of f(b), and of d. Beyond the last
/// it is 1.
#[inline(always)]
pub(crate) fn squared_tanh_32<X: PieceLane>(x: X) -> Near<X> {
    let cells = &slopes_32::TANH_SHRINK;
    let near = x.splat(SQUARE_LIMIT).le(x.abs());
    let a = near.select(x.splat(TANH_LIMIT).min(x.abs()), x.splat(0.0));
    let shifted = a + x.splat(0.625);
    let cell = shifted.shift_right::<20>();
    let first = shifted.lt(x.splat(0.6875));
    let square = a * a;
    let d = first.select(square, a - cell.look_up(&cells.points));
    let value = first.select(square, cell.look_up(&cells.values));
    let y = cells.slope(cell, d, None).mul_add(d, value);
    let arrived = x.splat(TANH_LIMIT).lt(x.abs());
    (arrived.select(x.splat(1.0), y), Some(near))
}

/// Below, products may be subnormal.
const MISH_TINY: f64 = 1.0 / (1u128 << 100) as f64;

/// From where on the cells of mish and its derivative are; on the left there is more.
const MISH_LIMIT: f64 = -10.0;

/// x is in the cell to the nearest integer of x·(scale + growth·|x|), the narrower the nearer to 0; up to the end.
struct SignedGrid {
    scale: f64,
    growth: f64,
    end: f64,
}

impl SignedGrid {
    /// x, or the end if that is to the left.
    #[inline(always)]
    fn clamped<X: PieceLane>(&'static self, x: X) -> X {
        x.splat(self.end).min(x)
    }

    /// The cell of what is no further than the end.
    #[inline(always)]
    fn cell<X: PieceLane>(&'static self, x: X) -> X {
        let scale = x.abs().mul_add(x.splat(self.growth), x.splat(self.scale));
        x.mul_add(scale, x.splat(SHIFT))
    }
}

/// At the end, mish is x.
const MISH_GRID: SignedGrid = SignedGrid {
    scale: 1.899_999_976_158_142,
    growth: -0.029_999_999_329_447_746,
    end: 9.399_999_618_530_273,
};

/// At the end, mish′ is 1.
const MISH_SLOPE_GRID: SignedGrid = SignedGrid {
    scale: 1.799_999_952_316_284_2,
    growth: -0.035_000_000_149_011_61,
    end: 10.399_999_618_530_273,
};

/// mish from −10 on, and where it is, which is not next to 0: max(x, 0) less what it lacks of that, or, in the cell
/// of 0, x/2 less what it lacks of that.
#[inline(always)]
pub(crate) fn mish_32<X: PieceLane>(x: X) -> Near<X> {
    let cells = &cells_32::MISH;
    let zero = x.splat(0.0);
    // What is tiny goes where what is far out does.
    let tiny = x.abs().lt(x.splat(MISH_TINY));
    let inner = tiny.select(x.splat(2.0 * MISH_LIMIT), MISH_GRID.clamped(x));
    let cell = MISH_GRID.cell(inner);
    let d = inner - cell.look_up(&cells.points);
    let lacking = cell.look_up(&cells.values);
    let others = zero.max(x) - lacking;
    let value = lacking.le(zero).select(inner * x.splat(0.5), others);
    let y = cells.slope(cell, d, None).neg_mul_add(d, value);
    (y, Some(x.splat(MISH_LIMIT).le(inner)))
}

/// mish′ from −10 on, and where it is.
#[inline(always)]
pub(crate) fn mish_slope_32<X: PieceLane>(x: X) -> Near<X> {
    let inner = lifted(MISH_SLOPE_GRID.clamped(x));
    let y = slopes_32::MISH.at(MISH_SLOPE_GRID.cell(inner), inner);
    (y, Some(x.splat(MISH_LIMIT).le(x)))
}
