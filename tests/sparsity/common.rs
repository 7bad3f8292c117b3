//! The plain loops, arrays, and buffers between canaries.

use std::fmt::Debug;

use halfwave::{Float, bf16, f16};

/// A float with its bits.
pub trait Bits: Float + Debug {
    type Bits: Copy + PartialEq + Debug;
    /// An element of 64 random bits, all of its own alike.
    fn of(random: u64) -> Self;
    fn bits(self) -> Self::Bits;
    /// As an operation may make it: a signalling NaN is quiet.
    fn quiet(self) -> Self {
        if self.to_f64().is_nan() {
            Self::quieted(self)
        } else {
            self
        }
    }
    fn quieted(self) -> Self;
}

macro_rules! bits {
    ($($E:ident $B:ident $quiet:expr;)*) => {$(
        impl Bits for $E {
            type Bits = $B;
            fn of(random: u64) -> Self {
                $E::from_bits((random >> (64 - $B::BITS)) as $B)
            }
            fn bits(self) -> $B {
                self.to_bits()
            }
            fn quieted(self) -> Self {
                $E::from_bits(self.to_bits() | 1 << $quiet)
            }
        }
    )*};
}
bits! { f32 u32 22; f64 u64 51; f16 u16 9; bf16 u16 6; }

pub fn is_positive<E: Float>(x: E) -> bool {
    x.to_f64() > 0.0 || x.to_f64().is_nan()
}

pub fn is_non_zero<E: Float>(x: E) -> bool {
    x.to_f64() != 0.0
}

pub fn rectified<E: Float>(x: &[E]) -> Vec<E> {
    let zero = E::from_f64(0.0);
    x.iter()
        .map(|&x| if x.to_f64() < 0.0 { zero } else { x })
        .collect()
}

pub fn mask_of<E: Float>(x: &[E]) -> Vec<u8> {
    let mut mask = vec![0; x.len().div_ceil(8)];
    for (i, &x) in x.iter().enumerate() {
        mask[i / 8] |= u8::from(is_positive(x)) << (i % 8);
    }
    mask
}

pub fn count<E: Float>(x: &[E], keep: fn(E) -> bool) -> usize {
    x.iter().filter(|&&x| keep(x)).count()
}

pub fn compacted<I: TryFrom<usize>, E: Float>(x: &[E], keep: fn(E) -> bool) -> (Vec<I>, Vec<E>) {
    let kept = x.iter().enumerate().filter(|&(_, &x)| keep(x));
    kept.map(|(i, &x)| (I::try_from(i).ok().unwrap(), x))
        .unzip()
}

/// Numbers of a linear congruential generator, the upper bits first.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 ^ self.0 >> 31
    }
}

const EDGES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    -f64::NAN,
    5e-324,
    -5e-324,
    65504.0,
    -65504.0,
];

/// `len` elements: any bits, edges, and small numbers of both signs.
pub fn any<E: Bits>(len: usize) -> Vec<E> {
    let mut random = Random(len as u64);
    let next = |_| {
        let r = random.next();
        match r % 4 {
            0 => E::of(random.next()),
            1 => E::from_f64(EDGES[(r >> 8) as usize % EDGES.len()]),
            _ => E::from_f64((r >> 40) as f64 / (1 << 23) as f64 - 1.0),
        }
    };
    (0..len).map(next).collect()
}

/// `len` elements, of which about one in `of` is above zero, and the others are zero or below.
pub fn sparse<E: Bits>(len: usize, of: u64) -> Vec<E> {
    let mut random = Random(of);
    let next = |i| {
        let r = random.next() >> 16;
        E::from_f64(match of {
            0 => -((i % 2) as f64),
            _ if r.is_multiple_of(of) => 1.0 + (i % 100) as f64,
            _ => -((r >> 8 & 1) as f64),
        })
    };
    (0..len).map(next).collect()
}

/// A buffer between canaries, `offset` elements into a line or near it.
pub struct Guarded<T> {
    all: Vec<T>,
    canary: T,
    at: usize,
    len: usize,
}

const MARGIN: usize = 80;

impl<T: Copy> Guarded<T> {
    pub fn new(len: usize, offset: usize, canary: T) -> Self {
        let all = vec![canary; len + offset + 2 * MARGIN];
        Self {
            all,
            canary,
            at: MARGIN + offset,
            len,
        }
    }

    pub fn of(x: &[T], offset: usize, canary: T) -> Self {
        let mut guarded = Self::new(x.len(), offset, canary);
        guarded.slice().copy_from_slice(x);
        guarded
    }

    pub fn slice(&mut self) -> &mut [T] {
        &mut self.all[self.at..][..self.len]
    }

    /// Its content, if the canaries are alive behind the first `used` and before the first.
    pub fn take<B: PartialEq + Debug>(
        self,
        used: usize,
        bits: impl Fn(T) -> B,
        what: &str,
    ) -> Vec<T> {
        for (i, &x) in self.all.iter().enumerate() {
            let inside = i >= self.at && i < self.at + used;
            assert!(
                inside || bits(x) == bits(self.canary),
                "{what} wrote at {i}, of {}..+{used}",
                self.at
            );
        }
        self.all[self.at..][..used].to_vec()
    }
}

#[track_caller]
pub fn same<E: Bits>(got: &[E], want: &[E], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.bits(), want.bits(), "{what} at {i}");
    }
}
