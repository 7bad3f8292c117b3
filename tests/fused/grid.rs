//! Arrays of random bits between canaries.

use std::fmt::Display;

use halfwave::{Float, Rows, RowsMut, bf16, f16};

pub trait Bits: Float + std::fmt::Debug {
    fn of(bits: u64) -> Self;
    fn bits(self) -> u64;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! bits {
    ($($E:ident $U:ident $quiet:literal, $a:ident $b:ident: $plus:expr, $times:expr;)*) => {$(
        impl Bits for $E {
            fn of(bits: u64) -> Self {
                Self::from_bits(bits as $U)
            }
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn plus(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                nan(self, other, $quiet).unwrap_or_else(|| $plus)
            }
            fn times(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                nan(self, other, $quiet).unwrap_or_else(|| $times)
            }
        }
    )*};
}
bits! {
    f32 u32 0x40_0000, a b: a + b, a * b;
    f64 u64 0x8_0000_0000_0000, a b: a + b, a * b;
    f16 u16 0x200, a b: f16::from_f32(a.to_f32() + b.to_f32()), f16::from_f32(a.to_f32() * b.to_f32());
    bf16 u16 0x40, a b: bf16::from_f32(a.to_f32() + b.to_f32()), bf16::from_f32(a.to_f32() * b.to_f32());
}

/// The NaN that a sum or a product of NaN is: that of the first, else that of the second made quiet;
/// the 16-bit floats, which are converted, are quiet in any case.
fn nan<E: Bits>(a: E, b: E, quiet: u64) -> Option<E> {
    match [a, b].map(|x| x.to_f64().is_nan()) {
        [true, _] if size_of::<E>() > 2 => Some(a),
        [true, _] => Some(E::of(a.bits() | quiet)),
        [false, true] => Some(E::of(b.bits() | quiet)),
        [false, false] => None,
    }
}

pub fn canary<E: Bits>() -> E {
    E::from_f64(-123.0)
}

/// Rows with gaps of canaries before, between and behind them.
#[derive(Clone)]
pub struct Grid<E> {
    pub data: Vec<E>,
    pub before: usize,
    rows: usize,
    cols: usize,
    pub stride: usize,
}

impl<E: Bits> Grid<E> {
    pub fn new(seed: u64, [rows, cols]: [usize; 2], gap: usize, before: usize) -> Self {
        let stride = cols + gap;
        let mut data = vec![canary(); before + rows * stride + 9];
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for row in 0..rows {
            for x in &mut data[before + row * stride..][..cols] {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(seed);
                // Any bits, hence NaN and subnormal numbers too; mostly numbers of a layer.
                let random = state >> 16;
                *x = match random % 8 {
                    0 => E::of(random >> 3),
                    _ => E::from_f64((random >> 8 & 0xFFFF) as f64 / 4096.0 - 8.0),
                };
            }
        }
        Self {
            data,
            before,
            rows,
            cols,
            stride,
        }
    }

    pub fn rows(&self) -> Rows<'_, E> {
        Rows::strided(&self.data[self.before..], self.rows, self.cols, self.stride)
    }

    pub fn rows_mut(&mut self) -> RowsMut<'_, E> {
        let Self {
            rows, cols, stride, ..
        } = *self;
        RowsMut::strided(&mut self.data[self.before..], rows, cols, stride)
    }

    pub fn values(&self) -> Vec<E> {
        (0..self.rows)
            .flat_map(|i| self.rows().row(i).to_vec())
            .collect()
    }

    #[track_caller]
    pub fn check(&self, want: &[E], context: impl Display) {
        let mut want = want.iter();
        for (i, x) in self.data.iter().enumerate() {
            let at = i.checked_sub(self.before);
            let (row, col) = at.map_or((0, usize::MAX), |at| {
                (at / self.stride.max(1), at % self.stride.max(1))
            });
            let inside = row < self.rows && col < self.cols;
            let want = if inside {
                *want.next().unwrap()
            } else {
                canary()
            };
            let same = x.bits() == want.bits();
            assert!(
                same,
                "{context}: {x:?} for {want:?} at row {row}, column {col}, inside: {inside}"
            );
        }
        assert!(want.next().is_none(), "{context}: as many elements");
    }
}

/// Where grids lie: the gap between rows and the elements before the first, of inputs and outputs.
#[derive(Clone, Copy, Debug)]
pub struct Lie {
    pub gaps: [usize; 2],
    pub before: [usize; 2],
}

pub const LIES: [Lie; 4] = [
    Lie {
        gaps: [0, 0],
        before: [0, 0],
    },
    Lie {
        gaps: [3, 0],
        before: [1, 3],
    },
    Lie {
        gaps: [0, 16],
        before: [2, 0],
    },
    Lie {
        gaps: [5, 7],
        before: [0, 1],
    },
];
