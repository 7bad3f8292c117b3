//! What the tests of agreement share: dtypes as bits, and every form by name.

use std::mem::MaybeUninit;
use std::ops::Range;

use halfwave::*;
use rayon::ThreadPoolBuilder;

use crate::thresholds;

/// A dtype with its contract spelled out: the positive part, NaN and -0.0 kept.
pub trait Bits: Element + std::fmt::Debug {
    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
    fn is_negative(self) -> bool;
}

macro_rules! bits {
    ($($E:ident $U:ident |$x:ident| $bits:expr, |$b:ident| $from:expr, $zero:expr;)*) => {$(
        impl Bits for $E {
            fn from_bits($b: u64) -> Self { $from }
            fn bits(self) -> u64 { let $x = self; $bits as $U as u64 }
            #[allow(unused_comparisons)] // of unsigned integers
            fn is_negative(self) -> bool { self < $zero }
        }
    )*};
}
bits! {
    f32 u32 |x| x.to_bits(), |b| f32::from_bits(b as u32), 0.0;
    f64 u64 |x| x.to_bits(), |b| f64::from_bits(b), 0.0;
    f16 u16 |x| x.to_bits(), |b| f16::from_bits(b as u16), f16::ZERO;
    bf16 u16 |x| x.to_bits(), |b| bf16::from_bits(b as u16), bf16::ZERO;
    i8 u8 |x| x, |b| b as i8, 0;
    i16 u16 |x| x, |b| b as i16, 0;
    i32 u32 |x| x, |b| b as i32, 0;
    i64 u64 |x| x, |b| b as i64, 0;
    u8 u8 |x| x, |b| b as u8, 0;
    u16 u16 |x| x, |b| b as u16, 0;
    u32 u32 |x| x, |b| b as u32, 0;
    u64 u64 |x| x, |b| b, 0;
}

pub fn random<E: Bits>(len: usize) -> Vec<E> {
    let mut state = 0x1234_5678_9ABC_DEFF_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        E::from_bits(state)
    };
    (0..len).map(|_| next()).collect()
}

pub fn expected<E: Bits>(x: &[E]) -> Vec<E> {
    let zero = E::from_bits(0);
    x.iter()
        .map(|&x| if x.is_negative() { zero } else { x })
        .collect()
}

#[track_caller]
pub fn assert_same<E: Bits>(got: &[E], want: &[E], context: impl std::fmt::Display) {
    assert_eq!(got.len(), want.len(), "{context}");
    let wrong = got
        .iter()
        .zip(want)
        .position(|(y, want)| y.bits() != want.bits());
    assert_eq!(wrong, None, "{context}: the first wrong element");
}

pub fn uninit<E: Copy>(len: usize) -> Vec<MaybeUninit<E>> {
    vec![MaybeUninit::uninit(); len]
}

/// The last length of `lengths`, where a call streams.
pub fn longest<E>() -> usize {
    thresholds::streamed::<E>() + 33
}

/// A length of several pieces on threads, but not past the caches.
pub fn cached<E>() -> usize {
    thresholds::split() / size_of::<E>() + 1
}

/// Lengths on both sides of every decision: one register, the break-even of threads, streaming.
pub fn lengths<E>() -> Vec<usize> {
    let of_bytes = |bytes: usize| bytes / size_of::<E>();
    vec![
        1,
        7,
        64,
        1000,
        of_bytes(thresholds::split() / 2),
        cached::<E>(),
        longest::<E>(),
    ]
}

pub const LEAKY: LeakyRelu = match LeakyRelu::new(0.2) {
    Ok(op) => op,
    Err(_) => panic!("a finite slope"),
};

/// What a method made of its slices, by the method's name.
pub type Made<E> = (&'static str, Vec<E>);

/// By a method that writes to a slice of this length, which holds nothing of the result yet.
pub fn fresh<E: Bits>(name: &'static str, len: usize, method: impl FnOnce(&mut [E])) -> Made<E> {
    let mut y = vec![E::from_bits(0x5A5A_5A5A_5A5A_5A5A); len];
    method(&mut y);
    (name, y)
}

/// By a method that works in place of `x`.
pub fn in_place<E: Bits>(name: &'static str, x: &[E], method: impl FnOnce(&mut [E])) -> Made<E> {
    let mut y = x.to_vec();
    method(&mut y);
    (name, y)
}

pub fn forms<O: Operation<E>, E: Bits>(b: Backend, op: O, x: &[E]) -> Vec<Made<E>> {
    let mut u = uninit(x.len());
    vec![
        fresh("apply", x.len(), |y| b.apply(op, x, y)),
        in_place("apply_in_place", x, |y| b.apply_in_place(op, y)),
        ("apply_uninit", b.apply_uninit(op, x, &mut u).to_vec()),
    ]
}

/// The derivative by every method that takes the input.
pub fn backward_forms<O: Operation<E>, E: Bits + Float>(
    b: Backend,
    op: O,
    x: &[E],
    dy: &[E],
) -> Vec<Made<E>> {
    let len = x.len();
    let mut u = uninit(len);
    vec![
        fresh("backward", len, |dx| b.backward(op, x, dy, dx)),
        in_place("backward_in_place", dy, |dx| b.backward_in_place(op, x, dx)),
        (
            "backward_uninit",
            b.backward_uninit(op, x, dy, &mut u).to_vec(),
        ),
    ]
}

/// The derivative by every method that takes the output.
pub fn from_output_forms<O: Operation<E>, E: Bits + Float>(
    b: Backend,
    op: O,
    y: &[E],
    dy: &[E],
) -> Vec<Made<E>> {
    let len = y.len();
    let mut u = uninit(len);
    let from_output = b.backward_from_output_uninit(op, y, dy, &mut u);
    vec![
        fresh("backward_from_output", len, |dx| {
            b.backward_from_output(op, y, dy, dx)
        }),
        in_place("backward_from_output_in_place", dy, |dx| {
            b.backward_from_output_in_place(op, y, dx);
        }),
        ("backward_from_output_uninit", from_output.to_vec()),
    ]
}

/// `f` of a few elements at a time: too few for a register, threads or streaming.
pub fn by_few<E: Bits>(len: usize, f: impl Fn(Range<usize>, &mut [E])) -> Vec<E> {
    let mut y = vec![E::default(); len];
    for (i, y) in y.chunks_mut(3).enumerate() {
        f(3 * i..3 * i + y.len(), y);
    }
    y
}

/// The backend that the others are compared with.
pub fn portable() -> Backend {
    *backends().last().unwrap()
}

/// Asserts that on every backend, serial and parallel, all of `made` is as much of `want`.
pub fn assert_all<E: Bits>(want: &[E], made: impl Fn(Backend, Range<usize>) -> Vec<Made<E>>) {
    assert_on(backends(), want, made);
}

/// The same on some backends.
pub fn assert_on<E: Bits>(
    backends: &[Backend],
    want: &[E],
    made: impl Fn(Backend, Range<usize>) -> Vec<Made<E>>,
) {
    let lengths = lengths::<E>();
    for len in lengths.into_iter().filter(|&len| len <= want.len()) {
        for b in backends {
            for (b, par) in [(*b, ""), (b.par(), "par ")] {
                for (form, y) in made(b, 0..len) {
                    let (dtype, isa) = (E::DTYPE, b.name());
                    let context = format_args!("{par}{form} of {len} {dtype} on {isa}");
                    assert_same(&y, &want[..len], context);
                }
            }
        }
    }
}

/// As many threads on a machine of one core as on any.
pub fn with_threads(threads: usize, f: impl FnOnce() + Send) {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.unwrap().install(f);
}
