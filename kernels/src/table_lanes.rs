//! The words that functions by tables (`math/tanh_64.rs`, `math/gelu_64.rs`) ask of a vector unit, on lanes of `f64`.

use crate::lanes::{FloatLanes, V};
use crate::piece_lanes::zip_each;

/// The words that functions by tables need besides, on lanes of `f64`.
///
/// What a unit leaves out is done here one lane after the other: right, and slow. So an operation says by
/// [`ByTables`](crate::unary::ByTables) what it needs.
pub trait TableLanes: FloatLanes<f64> {
    /// Whether [`gather`](TableLanes::gather) is faster than to compute.
    const GATHERS: bool = false;

    /// Whether [`scale`](TableLanes::scale) is an instruction, and a look-up of 16 entries another.
    const SCALES: bool = false;

    /// `table[i]` for each lane, where i is what the lane's bits say, modulo `N`, a power of two.
    #[inline(always)]
    fn gather<const N: usize>(self, table: &'static [f64; N], index: V<Self, f64>) -> V<Self, f64> {
        zip_each::<_, f64>(self, [index; 3], |i, _, _| table[i.to_bits() as usize % N])
    }

    /// `table[j]`·2<sup>k</sup>, where that is a normal number, of lanes that hold the integer 16·k + j, j < 16, added to
    /// 1.5·2<sup>52</sup>, and all of that divided by 16.
    #[inline(always)]
    fn power(self, table: &'static [f64; 16], index: V<Self, f64>) -> V<Self, f64> {
        zip_each::<_, f64>(self, [index; 3], |i, _, _| {
            let i = i.to_bits();
            f64::from_bits(
                table[i as usize % 16]
                    .to_bits()
                    .wrapping_add((i & !15) << 48),
            )
        })
    }

    /// 1/x to 2<sup>−14</sup> of it, in 24 bits or fewer, where both are normal numbers of `f32`. Units may differ in
    /// the bits; one unit has the same on every CPU.
    #[inline(always)]
    fn short_reciprocal(self, x: V<Self, f64>) -> V<Self, f64> {
        zip_each::<_, f64>(self, [x; 3], |x, _, _| {
            f64::from_bits((1.0 / x).to_bits() & (!0 << 32))
        })
    }

    /// The bits of two lanes subtracted as integers; the difference wraps.
    #[inline(always)]
    fn sub_bits(self, a: V<Self, f64>, b: V<Self, f64>) -> V<Self, f64> {
        zip_each::<_, f64>(self, [a, b, b], |a, b, _| {
            f64::from_bits(a.to_bits().wrapping_sub(b.to_bits()))
        })
    }

    /// x·2<sup>⌊n⌋</sup>, rounded once, for |x| from 2<sup>−1000</sup> to 2<sup>1000</sup> and a `|n|` up to 2000.
    #[inline(always)]
    fn scale(self, x: V<Self, f64>, n: V<Self, f64>) -> V<Self, f64> {
        zip_each::<_, f64>(self, [x, n, n], |x, n, _| {
            let whole = n as i64;
            scaled(x, whole - i64::from(n < whole as f64))
        })
    }

    /// ⌊a·b⌋ + `shift`, for a·b ≥ 0 and a `shift` of 1.5·2<sup>52</sup>, next to which floats are integers.
    #[inline(always)]
    fn floor_to(self, a: V<Self, f64>, b: V<Self, f64>, shift: V<Self, f64>) -> V<Self, f64> {
        let nearest = self.mul_add(a, b, shift);
        let excess = self.neg_mul_add(a, b, self.sub(nearest, shift));
        let above = self.lt(self.splat(0.0), excess);
        self.select(above, self.sub(nearest, self.splat(1.0)), nearest)
    }
}

/// x·2<sup>n</sup>, in three steps, of which all but the last are exact if x is near to 1.
#[inline(always)]
fn scaled(x: f64, n: i64) -> f64 {
    let power = |n: i64| f64::from_bits(((1023 + n) as u64) << 52);
    let third = n.clamp(-2000, 2000) / 3;
    x * power(third) * power(third) * power(n.clamp(-2000, 2000) - 2 * third)
}
