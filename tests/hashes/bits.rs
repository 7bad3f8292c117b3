//! Elements as bits, and the hash of many.

use xxhash_rust::xxh3::Xxh3Default;

use crate::names::*;

/// Anything that an array holds, as bits.
pub trait Bits: Copy + Send + Sync + 'static {
    /// The dtype, as lines name it.
    const LABEL: &'static str;
    /// The bits of +∞, which are those of the exponent; 0 if there is none.
    const INFINITY: u64;

    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
    /// The nearest there is to `x`.
    fn nearest(x: f64) -> Self;
    /// Writes the bytes, the least significant first.
    fn write(self, to: &mut [u8]);

    /// The bits without the sign, of floats.
    fn magnitude(self) -> u64 {
        self.bits() & !Self::sign()
    }

    /// The bit of the sign.
    fn sign() -> u64 {
        1 << (8 * size_of::<Self>() - 1)
    }

    /// The same number, where every NaN is the same NaN.
    fn number(self) -> Self {
        if Self::INFINITY != 0 && self.magnitude() > Self::INFINITY {
            return Self::from_bits(Self::INFINITY | Self::INFINITY >> 1);
        }
        self
    }
}

macro_rules! bits {
    ($($E:ident $U:ident $infinity:expr, $from:expr, $to:expr, $nearest:expr;)*) => {$(
        impl Bits for $E {
            const LABEL: &'static str = stringify!($E);
            const INFINITY: u64 = $infinity;
            fn from_bits(bits: u64) -> Self { $from(bits as $U) }
            fn bits(self) -> u64 { u64::from($to(self)) }
            fn nearest(x: f64) -> Self { $nearest(x) }
            fn write(self, to: &mut [u8]) { to.copy_from_slice(&$to(self).to_le_bytes()); }
        }
    )*};
}
bits! {
    f32 u32 0x7F80_0000, f32::from_bits, f32::to_bits, |x| x as f32;
    f64 u64 0x7FF0_0000_0000_0000, f64::from_bits, f64::to_bits, |x| x;
    f16 u16 0x7C00, f16::from_bits, f16::to_bits, f16::from_f64;
    bf16 u16 0x7F80, bf16::from_bits, bf16::to_bits, bf16::from_f64;
    i8 u8 0, u8::cast_signed, i8::cast_unsigned, |x| x as i8;
    i16 u16 0, u16::cast_signed, i16::cast_unsigned, |x| x as i16;
    i32 u32 0, u32::cast_signed, i32::cast_unsigned, |x| x as i32;
    i64 u64 0, u64::cast_signed, i64::cast_unsigned, |x| x as i64;
    u16 u16 0, u16::from, u16::from, |x| x as u16;
    u8 u8 0, u8::from, u8::from, |x| x as u8;
    u32 u32 0, u32::from, u32::from, |x| x as u32;
    u64 u64 0, u64::from, u64::from, |x| x as u64;
}

/// The hash of everything that a form wrote, in order.
#[derive(Clone, Default)]
pub struct Hash {
    bits: Xxh3Default,
    numbers: Xxh3Default,
}

/// What a [`Hash`] comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of every bit.
    pub bits: u64,
    /// Of the numbers, where every NaN counts as the same: if two runs differ in their bits but not in
    /// this, they differ in which NaN came out.
    pub numbers: u64,
}

impl Hash {
    pub fn add<T: Bits>(&mut self, values: &[T]) {
        let mut bytes = [0; 1 << 14];
        for block in values.chunks(bytes.len() / size_of::<T>()) {
            self.bits.update(written(block, &mut bytes, |x| x));
            self.numbers
                .update(written(block, &mut bytes, Bits::number));
        }
    }

    pub fn digest(&self) -> Digest {
        Digest {
            bits: self.bits.digest(),
            numbers: self.numbers.digest(),
        }
    }
}

/// Writes `f` of each value to the front of `to`; returns that part.
fn written<'a, T: Bits>(values: &[T], to: &'a mut [u8], f: impl Fn(T) -> T) -> &'a [u8] {
    let to = &mut to[..size_of_val(values)];
    for (to, &value) in to.chunks_exact_mut(size_of::<T>()).zip(values) {
        f(value).write(to);
    }
    to
}

/// The digest of one array.
pub fn digest<T: Bits>(values: &[T]) -> Digest {
    let mut hash = Hash::default();
    hash.add(values);
    hash.digest()
}

#[test]
fn a_changed_bit_changes_the_digest_and_a_changed_nan_only_one_half() {
    let x: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
    for i in [0, 4095, 4096, 9_999] {
        let mut y = x.clone();
        y[i] = f32::from_bits(y[i].to_bits() ^ 1);
        let (a, b) = (digest(&x), digest(&y));
        assert!(a.bits != b.bits && a.numbers != b.numbers, "{i}");
    }
    let (a, b) = (digest(&[f32::NAN]), digest(&[-f32::NAN]));
    assert!(a.bits != b.bits && a.numbers == b.numbers);
    let (a, b) = (digest(&[0.0f32]), digest(&[-0.0f32]));
    assert!(a.bits != b.bits && a.numbers != b.numbers);
}
