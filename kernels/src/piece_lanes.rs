//! The words that functions in pieces ask of a vector unit: to look up coefficients that stay in
//! registers, to make the number of a piece from the bits of a float, and to put aside the lanes that
//! no piece covers.

use crate::lanes::{FloatLanes, Lanes, V};

/// The words that functions in pieces (`math/cells.rs`, `math/powers.rs`) need besides, on lanes of `f32`.
///
/// What a unit leaves out is done here in several instructions, or one lane after the other: right, and
/// slow. So a loop asks for [`ENTRIES`](PieceLanes::ENTRIES) before it goes by pieces.
pub trait PieceLanes: FloatLanes<f32> {
    /// How many entries [`look_up`](PieceLanes::look_up) reads at the cost of an instruction or two.
    const ENTRIES: usize = 0;

    /// `table[i]` for each lane, where i is what the lane's bits say, modulo `N`, a power of two.
    #[inline(always)]
    fn look_up<const N: usize>(
        self,
        table: &'static [f32; N],
        index: V<Self, f32>,
    ) -> V<Self, f32> {
        look_up_each(self, table, index)
    }

    /// The bits of each lane moved up; zeros come in.
    #[inline(always)]
    fn shift_left<const BITS: u32>(self, x: V<Self, f32>) -> V<Self, f32> {
        each(self, x, |bits| bits << BITS)
    }

    /// The bits of each lane moved down; zeros come in.
    #[inline(always)]
    fn shift_right<const BITS: u32>(self, x: V<Self, f32>) -> V<Self, f32> {
        each(self, x, |bits| bits >> BITS)
    }

    /// The bits of two lanes added as integers; the sum wraps.
    #[inline(always)]
    fn add_bits(self, a: V<Self, f32>, b: V<Self, f32>) -> V<Self, f32> {
        let mut b = b;
        let b_lanes = (&raw mut b).cast::<u32>();
        let mut i = 0;
        each(self, a, |bits| {
            // SAFETY: a register is `N` packed lanes, and `each` comes once for each.
            let sum = unsafe { bits.wrapping_add(b_lanes.add(i).read()) };
            i += 1;
            sum
        })
    }

    /// Whether any lane has any of these bits.
    #[inline(always)]
    fn any_bits(self, x: V<Self, f32>, of: u32) -> bool {
        let mut any = 0;
        each(self, x, |bits| {
            any |= bits & of;
            bits
        });
        any != 0
    }

    /// Where x is subnormal.
    #[inline(always)]
    fn subnormal(self, x: V<Self, f32>) -> Self::M {
        // Of what is left of it, 0 makes a NaN.
        let less_one = self.add_bits(self.abs(x), self.splat(f32::from_bits(u32::MAX)));
        self.lt(less_one, self.splat(f32::from_bits(0x007F_FFFF)))
    }

    /// |x|, or `limit` where that is smaller or x is NaN.
    #[inline(always)]
    fn abs_to(self, x: V<Self, f32>, limit: V<Self, f32>) -> V<Self, f32> {
        self.min(self.abs(x), limit)
    }

    /// ⌊a·b⌋ + `shift`, for a·b ≥ 0 and a `shift` of 1.5·2<sup>23</sup>, next to which floats are integers.
    #[inline(always)]
    fn floor_onto(self, a: V<Self, f32>, b: V<Self, f32>, shift: V<Self, f32>) -> V<Self, f32> {
        let nearest = self.mul_add(a, b, shift);
        let excess = self.neg_mul_add(a, b, self.sub(nearest, shift));
        let above = self.lt(self.splat(0.0), excess);
        self.select(above, self.sub(nearest, self.splat(1.0)), nearest)
    }

    /// x/2, rounded toward −∞.
    #[inline(always)]
    fn half_down(self, x: V<Self, f32>) -> V<Self, f32> {
        let half = self.mul(x, self.splat(0.5));
        let above = self.lt(x, self.add(half, half));
        let least = self.splat(f32::from_bits(1));
        self.select(above, self.sub(half, least), half)
    }

    /// −|x|, or −`limit` where that is nearer to zero or x is NaN.
    #[inline(always)]
    fn minus_abs_to(self, x: V<Self, f32>, limit: V<Self, f32>) -> V<Self, f32> {
        self.copysign(self.abs_to(x, limit), self.splat(-0.0))
    }

    /// a·b + c, rounded once, toward −∞.
    #[inline(always)]
    fn mul_add_down(self, a: V<Self, f32>, b: V<Self, f32>, c: V<Self, f32>) -> V<Self, f32> {
        zip_each::<_, f32>(self, [a, b, c], mul_add_down)
    }

    /// c − a·b, rounded once, toward +∞.
    #[inline(always)]
    fn neg_mul_add_up(self, a: V<Self, f32>, b: V<Self, f32>, c: V<Self, f32>) -> V<Self, f32> {
        zip_each::<_, f32>(self, [a, b, c], |a, b, c| -mul_add_down(a, b, -c))
    }

    /// a·b + c, which is not negative, rounded once, to odd (`odd_lanes.rs`).
    #[inline(always)]
    fn mul_add_to_odd(self, a: V<Self, f32>, b: V<Self, f32>, c: V<Self, f32>) -> V<Self, f32> {
        zip_each::<_, f32>(self, [a, b, c], |a, b, c| {
            let (below, above) = (mul_add_down(a, b, c), -mul_add_down(-a, b, -c));
            let odd = f32::from_bits(below.to_bits() | above.to_bits() & 1);
            if below < above { odd } else { above }
        })
    }

    /// Writes a whole register: first the lanes of `x` whose bit is set, in order, then anything.
    ///
    /// # Safety
    /// `to` is valid for writes of `N` lanes.
    #[inline(always)]
    unsafe fn compress(self, bits: u32, x: V<Self, f32>, to: *mut f32) {
        let from = (&raw const x).cast::<f32>();
        let mut to = to;
        let mut i = 0;
        while i < Self::N {
            if bits >> i & 1 != 0 {
                // SAFETY: a register is `N` packed lanes; no more are written than were read.
                unsafe {
                    to.write(from.add(i).read());
                    to = to.add(1);
                }
            }
            i += 1;
        }
    }

    /// Puts the first lanes of `x`, in order, where a bit is set; the others are of `others`.
    #[inline(always)]
    fn expand(self, bits: u32, x: V<Self, f32>, others: V<Self, f32>) -> V<Self, f32> {
        let (mut y, mut from) = (others, (&raw const x).cast::<f32>());
        let to = (&raw mut y).cast::<f32>();
        let mut i = 0;
        while i < Self::N {
            if bits >> i & 1 != 0 {
                // SAFETY: a register is `N` packed lanes; no more are read than are written.
                unsafe {
                    to.add(i).write(from.read());
                    from = from.add(1);
                }
            }
            i += 1;
        }
        y
    }
}

/// [`PieceLanes::look_up`], one lane after the other.
#[inline(always)]
pub(crate) fn look_up_each<S: Lanes<f32>, const N: usize>(
    s: S,
    table: &'static [f32; N],
    index: S::V,
) -> S::V {
    each(s, index, |bits| table[bits as usize % N].to_bits())
}

/// `f` of the bits of each lane, in order.
#[inline(always)]
fn each<S: Lanes<f32>>(_: S, x: S::V, mut f: impl FnMut(u32) -> u32) -> S::V {
    let mut y = x;
    let lanes = (&raw mut y).cast::<u32>();
    let mut i = 0;
    while i < S::N {
        // SAFETY: a register is `N` packed lanes.
        unsafe { lanes.add(i).write(f(lanes.add(i).read())) };
        i += 1;
    }
    y
}

/// `f` of the lanes of three registers, in order.
#[inline(always)]
pub(crate) fn zip_each<S: Lanes<T>, T: Copy>(_: S, x: [S::V; 3], f: impl Fn(T, T, T) -> T) -> S::V {
    let mut y = x[0];
    let to = (&raw mut y).cast::<T>();
    let from = (&raw const x).cast::<T>();
    let mut i = 0;
    while i < S::N {
        // SAFETY: a register is `N` packed lanes, and three follow one another.
        unsafe {
            let [a, b, c] = [0, S::N, 2 * S::N].map(|j| from.add(i + j).read());
            to.add(i).write(f(a, b, c));
        }
        i += 1;
    }
    y
}

/// a·b + c, rounded once, toward −∞; of finite numbers. In `f64` the product is exact, and so is what the sum
/// loses (Knuth's sum).
#[inline(always)]
fn mul_add_down(a: f32, b: f32, c: f32) -> f32 {
    let (p, c) = (f64::from(a) * f64::from(b), f64::from(c));
    let sum = p + c;
    if sum == 0.0 {
        // Of opposite zeros, and of numbers that cancel, the sum toward −∞ is −0.
        return if p.is_sign_positive() && c.is_sign_positive() {
            0.0
        } else {
            -0.0
        };
    }
    let c_seen = sum - p;
    let lost = (p - (sum - c_seen)) + (c - c_seen);
    let near = sum as f32;
    if f64::from(near) - sum > lost {
        near.next_down()
    } else {
        near
    }
}
