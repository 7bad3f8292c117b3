//! The inputs: a function of the dtype alone, the same at every commit.

use crate::bits::Bits;

/// Where formulas of the operations branch, or results leave the range of a dtype; and parameters. To add
/// one is to change every hash.
const POINTS: &[f64] = &[
    1e-310,
    1e-45,
    1e-30,
    1e-7,
    0.001,
    0.01,
    0.1,
    0.125,
    1.0 / 6.0,
    0.2,
    0.25,
    0.3,
    1.0 / 3.0,
    0.5,
    0.7,
    0.75,
    0.7517915,
    1.0,
    1.25,
    1.5,
    1.702,
    2.0,
    2.5,
    3.0,
    3.1,
    4.0,
    5.0,
    6.0,
    8.0,
    9.0,
    10.0,
    12.0,
    13.0,
    15.0,
    16.6355,
    17.0,
    17.3,
    18.0,
    20.0,
    27.0,
    36.7,
    37.5,
    38.5,
    39.0,
    64.0,
    87.0,
    87.34,
    88.0,
    88.73,
    90.0,
    100.5,
    103.28,
    104.0,
    127.0,
    128.0,
    255.0,
    256.0,
    300.0,
    700.0,
    708.4,
    709.78,
    745.13,
    746.0,
    1000.25,
    65504.0,
    65520.0,
    65537.0,
    1e30,
    3.4e38,
    1e39,
    1e300,
];

/// Numbers that have no pattern.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits of xorshift64*.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Any bits.
    pub fn any<E: Bits>(&mut self) -> E {
        E::from_bits(self.next() >> (64 - 8 * size_of::<E>()))
    }

    /// Any bytes.
    pub fn bytes(mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.any()).collect()
    }

    /// A number from -`most` to `most`, more often a small one: the mean of three even ones.
    pub fn within<E: Bits>(&mut self, most: f64) -> E {
        let mut even = || (self.next() as i64 >> 11) as f64 / (1u64 << 52) as f64;
        E::nearest((even() + even() + even()) / 3.0 * most)
    }
}

fn both_signs<E: Bits>(magnitudes: &[u64]) -> impl Iterator<Item = E> {
    magnitudes
        .iter()
        .flat_map(|&x| [E::from_bits(x), E::from_bits(x | E::sign())])
}

/// The few that are paired with one another.
pub fn core<E: Bits>() -> Vec<E> {
    if E::INFINITY == 0 {
        return ints(&[0, 1, 6, 7]);
    }
    let (infinity, quiet) = (E::INFINITY, (E::INFINITY & E::INFINITY.wrapping_neg()) >> 1);
    let normal = quiet << 1;
    let mut all = vec![0, 1, 2, quiet, normal - 1, normal, normal + 1];
    // The largest, infinity, NaNs that signal and quiet ones.
    all.extend([infinity - 1, infinity, infinity | 1, infinity | quiet >> 1]);
    let payloads = [0, 1, quiet >> 2, quiet - 1];
    all.extend(payloads.map(|payload| infinity | quiet | payload));
    for point in [
        0.5, 0.75, 0.7517915, 1.0, 1.5, 2.0, 3.0, 6.0, 17.3, 20.0, 88.0, 104.0,
    ] {
        let bits = E::nearest(point).bits();
        all.extend([bits - 1, bits, bits + 1]);
    }
    both_signs(&all).collect()
}

/// Integers of these magnitudes, both signs, and the ends of the dtype.
fn ints<E: Bits>(magnitudes: &[u64]) -> Vec<E> {
    let ends = [E::sign() - 1, E::sign(), E::sign() + 1];
    let all = magnitudes.iter().flat_map(|&x| [x, x.wrapping_neg()]);
    all.chain(ends).map(E::from_bits).collect()
}

/// All edges.
pub fn edges<E: Bits>() -> Vec<E> {
    let mut points: Vec<f64> = POINTS.to_vec();
    points.extend((0..600).map(|i| f64::from(i) / 2.0));
    if E::INFINITY == 0 {
        let bits = 8 * size_of::<E>() as u32;
        let powers = (0..bits).flat_map(|i| [(1u64 << i) - 1, 1 << i, (1 << i) + 1]);
        let mut all: Vec<u64> = (0..300).chain(powers).collect();
        for point in points {
            let at = E::nearest(point).bits();
            all.extend([at.wrapping_sub(1), at, at.wrapping_add(1)]);
        }
        return ints(&all);
    }
    let mantissa = E::INFINITY.trailing_zeros();
    let exponents = E::INFINITY >> mantissa;
    let powers = (1..exponents).map(|e| e << mantissa);
    let subnormal = (0..mantissa).map(|i| 1 << i);
    let near = |x: u64| [x.saturating_sub(1), x, x + 1];
    let mut all: Vec<u64> = powers.chain(subnormal).flat_map(near).collect();
    for point in points {
        let at = E::nearest(point).magnitude();
        all.extend(at.saturating_sub(4)..=at + 4);
    }
    core().into_iter().chain(both_signs(&all)).collect()
}

/// Two operands of the same length.
pub struct Pairs<E> {
    pub x: Vec<E>,
    pub dy: Vec<E>,
}

impl<E: Bits> Pairs<E> {
    fn push(&mut self, x: E, dy: E) {
        self.x.push(x);
        self.dy.push(dy);
    }

    /// The edges with one another, or with a few plain numbers; then all bits there are, sixteen times,
    /// or 2^20 random ones; then random ones of the usual sizes. Derivatives of `x` go with `dy`.
    pub fn all() -> Self {
        let mut all = Self::of_core();
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        for dy in [1.0, -0.0, -3.0, 1e-5, f64::INFINITY].map(E::nearest) {
            for x in edges() {
                all.push(x, dy);
            }
        }
        for i in 0..1 << 20 {
            let x = match size_of::<E>() {
                1 | 2 => E::from_bits(i),
                _ => random.any(),
            };
            all.push(
                x,
                if i < 1 << 16 {
                    E::nearest(1.0)
                } else {
                    random.any()
                },
            );
        }
        for most in [10.0, 100.0] {
            for _ in 0..1 << 18 {
                all.push(random.within(most), random.within(most));
            }
        }
        all
    }

    /// The few edges with one another.
    fn of_core() -> Self {
        let mut all = Self {
            x: vec![],
            dy: vec![],
        };
        for x in core() {
            for dy in core() {
                all.push(x, dy);
            }
        }
        all
    }
}

/// How many elements of each operand fused forms and their like take: the pairs of the few edges, and
/// 2^14 others.
pub const FEW: usize = 27_000;

/// Operands for what takes several and is tried with every operation.
pub struct Few<E> {
    pub a: Vec<E>,
    pub b: Vec<E>,
    pub c: Vec<E>,
}

impl<E: Bits> Few<E> {
    pub fn new() -> Self {
        let (core, mut random) = (core(), Random(0xD1B5_4A32_D192_ED03));
        let n = core.len();
        let mut operand = |edge: fn(usize, usize) -> usize| -> Vec<E> {
            let number = |i| match i {
                _ if i < FEW - (1 << 14) => core[edge(i, n) % n],
                _ if i % 2 == 0 => random.any(),
                _ => random.within(20.0),
            };
            (0..FEW).map(number).collect()
        };
        Self {
            a: operand(|i, _| i),
            b: operand(|i, n| i + i / n),
            c: operand(|i, n| 5 * i + i / n),
        }
    }
}
