//! What tests of several float dtypes share.
#![allow(dead_code)] // each test uses a part

use halfwave::{Float, bf16, f16};

/// A float dtype in plain arithmetic.
pub trait Plain: Float + std::fmt::Debug {
    fn bits(self) -> u64;
    fn from_bits(bits: u64) -> Self;
    /// `a · b`, rounded once.
    fn times(self, b: Self) -> Self;
}

macro_rules! plain {
    ($($E:ident $U:ident |$a:ident, $b:ident| $times:expr;)*) => {$(
        impl Plain for $E {
            fn bits(self) -> u64 { self.to_bits().into() }
            fn from_bits(bits: u64) -> Self { $E::from_bits(bits as $U) }
            fn times(self, b: Self) -> Self { let ($a, $b) = (self, b); $times }
        }
    )*};
}
plain! {
    f32 u32 |a, b| a * b;
    f64 u64 |a, b| a * b;
    // The product is exact in f64, and in f32 but for bf16's extremes, where it is subnormal or infinite
    // in both.
    f16 u16 |a, b| f16::from_f32(a.to_f32() * b.to_f32());
    bf16 u16 |a, b| bf16::from_f32(a.to_f32() * b.to_f32());
}

pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Numbers of both signs and all special values, in no order.
pub fn numbers<E: Plain>(len: usize, seed: u64) -> Vec<E> {
    let mut random = Random(seed);
    let special = [
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -1e-7,
        1e-7,
        -6e4,
    ];
    let number = |_| match random.next() % 64 {
        i @ 0..8 => E::from_f64(special[i as usize]),
        _ => E::from_f64((random.next() as i64 >> 11) as f64 / (1u64 << 51) as f64),
    };
    (0..len).map(number).collect()
}

#[track_caller]
pub fn assert_same<E: Plain>(got: &[E], want: &[E], context: impl std::fmt::Display) {
    assert_eq!(got.len(), want.len(), "{context}");
    for (i, (&a, &b)) in got.iter().zip(want).enumerate() {
        let same = a.bits() == b.bits() || a.to_f64().is_nan() && b.to_f64().is_nan();
        assert!(same, "{context}: element {i} is {a:?} and not {b:?}");
    }
}
