//! What the kernel tests share: the tables this CPU runs, dtypes as bits, the oracle.

use halfwave_kernels::{Element, Kernels, bf16, f16, isa};

/// Every table this CPU runs.
pub fn tables() -> Vec<&'static Kernels> {
    #[cfg(target_arch = "x86_64")]
    {
        let avx2 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        let mut tables = vec![&isa::portable::KERNELS];
        tables.extend(avx2.then_some(&isa::avx2::KERNELS));
        tables.extend(avx512.then_some(&isa::avx512::KERNELS));
        tables
    }
    #[cfg(not(target_arch = "x86_64"))]
    vec![&isa::portable::KERNELS]
}

/// An element whose bits can be compared, and what relu makes of it, written as plainly as can be.
pub trait Bits: Element {
    /// Every bit pattern, zero-extended.
    fn bits(self) -> u64;
    /// The element with the low bits of `bits`.
    fn from_bits(bits: u64) -> Self;
    /// `x < 0 ? 0 : x`.
    fn relu(self) -> Self;
    /// What the contract names: zeros, infinities, NaNs of both kinds and signs, subnormals, ends.
    fn edges() -> Vec<Self>;
}

macro_rules! float {
    ($($E:ident $U:ident zero $zero:expr, mantissa $mantissa:literal;)*) => {$(
        impl Bits for $E {
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn from_bits(bits: u64) -> Self {
                $E::from_bits(bits as $U)
            }
            fn relu(self) -> Self {
                if self < $zero { $zero } else { self }
            }
            fn edges() -> Vec<Self> {
                let infinity = $E::INFINITY.to_bits();
                let quiet = infinity | 1 << ($mantissa - 1);
                let one = $E::from_bits(infinity >> 1 & infinity).to_bits();
                let positive = [
                    0,                          // zero
                    1, 2,                       // the smallest subnormals
                    (1 << $mantissa) - 1,       // the largest subnormal
                    1 << $mantissa,             // the smallest normal
                    one, one + 1,
                    infinity - 1,               // the largest finite
                    infinity,
                    quiet, quiet | 1, quiet | 5, // quiet NaN, with payloads
                    infinity | 1, infinity | 5, // signalling NaN, with payloads
                    $U::MAX >> 1,               // NaN with every payload bit
                ];
                let sign = 1 << ($U::BITS - 1);
                positive.iter().flat_map(|&b| [b, b | sign]).map($E::from_bits).collect()
            }
        }
    )*};
}
float! {
    f32 u32 zero 0.0, mantissa 23;
    f64 u64 zero 0.0, mantissa 52;
    f16 u16 zero f16::ZERO, mantissa 10;
    bf16 u16 zero bf16::ZERO, mantissa 7;
}

macro_rules! int {
    ($($E:ident $U:ident;)*) => {$(
        impl Bits for $E {
            fn bits(self) -> u64 {
                (self as $U).into()
            }
            fn from_bits(bits: u64) -> Self {
                bits as $E
            }
            fn relu(self) -> Self {
                if self < 0 { 0 } else { self }
            }
            fn edges() -> Vec<Self> {
                vec![0, 1, -1, 100, -100, $E::MAX, $E::MIN, $E::MAX - 1, $E::MIN + 1]
            }
        }
    )*};
}
int! { i8 u8; i16 u16; i32 u32; i64 u64; }

/// `len` elements in which edges and plain values of both signs alternate without a short period.
pub fn mixed<E: Bits>(len: usize) -> Vec<E> {
    let edges = E::edges();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    (0..len)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            if i % 3 == 0 {
                edges[(state >> 40) as usize % edges.len()]
            } else {
                E::from_bits(state >> 11)
            }
        })
        .collect()
}

/// Asserts that `got` is relu of `x`, by bits.
#[track_caller]
pub fn assert_relu<E: Bits>(x: &[E], got: &[E], context: impl std::fmt::Display) {
    assert_eq!(x.len(), got.len());
    for (i, (&x, &y)) in x.iter().zip(got).enumerate() {
        let want = x.relu();
        assert!(
            y.bits() == want.bits(),
            "{context}: {} relu({:#x}) at {i} is {:#x}, not {:#x}",
            E::DTYPE,
            x.bits(),
            y.bits(),
            want.bits()
        );
    }
}

/// Runs `$test::<E>()` for every dtype.
macro_rules! for_each_dtype {
    ($test:ident) => {
        $test::<f32>();
        $test::<f64>();
        $test::<halfwave_kernels::f16>();
        $test::<halfwave_kernels::bf16>();
        $test::<i8>();
        $test::<i16>();
        $test::<i32>();
        $test::<i64>();
    };
}
pub(crate) use for_each_dtype;
