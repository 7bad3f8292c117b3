//! Every length and every offset, with canaries around each array, for every kernel of the tables.

use std::marker::PhantomData;

use crate::common::*;
use halfwave_kernels::Float;

/// Elements in a register of the largest unit.
const fn lanes<E>() -> usize {
    64 / size_of::<E>()
}

/// Up to where every loop of these kernels has run behind any head; and for one of them, twice.
fn longest<E>(name: &str) -> usize {
    let registers = if name.contains(" relu ") { 9 } else { 4 };
    registers * lanes::<E>() + 3
}

/// Every length with every offset; for an emulated CPU, fewer of them, others for each
/// kernel: one in 7 is still every length of each, one in 241 every length and every offset for some.
fn cases<E>(kernel: usize, longest: usize) -> impl Iterator<Item = (usize, usize)> {
    let n = lanes::<E>();
    let step = one_in(241);
    let all = (0..=longest).flat_map(move |len| (0..n).map(move |offset| (len, offset)));
    all.skip(kernel % step).step_by(step)
}

/// An array among canaries.
struct Array<E> {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
    before: Vec<u8>,
    element: PhantomData<E>,
}

impl<E: Bits> Array<E> {
    const MARGIN: usize = 64;
    const CANARY: u8 = 0xC5;

    /// `len` elements, all canaries, `at` bytes past a 64-byte boundary.
    fn empty(len: usize, at: usize) -> Self {
        let size = 64 + Self::MARGIN + at + len * size_of::<E>() + Self::MARGIN;
        let bytes = vec![Self::CANARY; size];
        let start = bytes.as_ptr().align_offset(64) + Self::MARGIN + at;
        Self {
            bytes,
            start,
            len,
            before: vec![],
            element: PhantomData,
        }
    }

    fn of(x: &[E], at: usize) -> Self {
        let mut array = Self::empty(x.len(), at);
        // SAFETY: as many bytes lie behind `p` as `x` has.
        unsafe {
            let p = array.p().cast::<u8>();
            p.copy_from_nonoverlapping(x.as_ptr().cast(), size_of_val(x));
        }
        array.before = array.bytes.clone();
        array
    }

    fn p(&mut self) -> *mut E {
        self.bytes[self.start..].as_mut_ptr().cast()
    }

    #[track_caller]
    fn assert_unchanged(&self, name: &str) {
        assert!(self.bytes == self.before, "{name} changed a source");
    }

    /// Asserts that the array is `want` and the canaries live.
    #[track_caller]
    fn assert_is(mut self, want: &[E], context: impl std::fmt::Display) {
        let mut y = vec![E::default(); self.len];
        let size = size_of_val(&y[..]);
        // SAFETY: as many bytes lie behind `p` as `y` has.
        unsafe {
            let y = y.as_mut_ptr().cast::<u8>();
            y.copy_from_nonoverlapping(self.p().cast(), size);
        }
        assert_same(&y, want, &context);
        let (front, rest) = self.bytes.split_at(self.start);
        let canaries = front.iter().chain(&rest[size..]);
        let dead = canaries.filter(|&&byte| byte != Self::CANARY).count();
        assert_eq!(dead, 0, "{context}: wrote outside the destination");
    }
}

/// Out of place, streaming, in place: the bits that each element has alone.
fn check_map<E: Bits>(kernel: &Map<E>, x: &[E], want: &[E], (from, to): (usize, usize)) {
    let len = x.len();
    let context = |form| format!("{kernel} {form} of {len} from {from} to {to}");
    let aligned = to.is_multiple_of(size_of::<E>());
    let mut src = Array::of(x, from);
    for (form, stream) in [("map", false), ("stream", true)] {
        if stream && !aligned {
            continue;
        }
        let mut dst = Array::empty(len, to);
        (kernel.run)(src.p(), dst.p(), len, stream);
        dst.assert_is(want, context(form));
        src.assert_unchanged(&kernel.name);
    }
    let mut x = Array::of(x, to);
    (kernel.run)(x.p(), x.p(), len, false);
    x.assert_is(want, context("in place"));
}

/// The same, with the destination in place of the one or the other source.
fn check_pair<E: Bits>(
    kernel: &Pair<E>,
    (a, b): (&[E], &[E]),
    want: &[E],
    [from_a, from_b, to]: [usize; 3],
) {
    let len = a.len();
    let context = |form| format!("{kernel} {form} of {len} from {from_a} and {from_b} to {to}");
    let aligned = to.is_multiple_of(size_of::<E>());
    let (mut src_a, mut src_b) = (Array::of(a, from_a), Array::of(b, from_b));
    for (form, stream) in [("zip", false), ("stream", true)] {
        if stream && !aligned {
            continue;
        }
        let mut dst = Array::empty(len, to);
        (kernel.run)([src_a.p(), src_b.p()], dst.p(), len, stream);
        dst.assert_is(want, context(form));
    }
    let mut x = Array::of(a, to);
    (kernel.run)([x.p(), src_b.p()], x.p(), len, false);
    x.assert_is(want, context("in place of the first"));
    let mut x = Array::of(b, to);
    (kernel.run)([src_a.p(), x.p()], x.p(), len, false);
    x.assert_is(want, context("in place of the second"));
    src_a.assert_unchanged(&kernel.name);
    src_b.assert_unchanged(&kernel.name);
}

#[test]
fn every_length_at_every_offset() {
    fn test<E: Bits>() {
        let (n, size) = (lanes::<E>(), size_of::<E>());
        for (number, kernel) in maps::<E>().iter().enumerate() {
            let longest = longest::<E>(&kernel.name);
            let x = mixed::<E>(0, longest + n);
            let want = kernel.alone(&x);
            for (len, offset) in cases::<E>(number, longest) {
                // Each destination offset meets every source offset as the lengths go by, and each
                // element every lane.
                let part = offset..offset + len;
                let at = ((len + offset) % n * size, offset * size);
                check_map(kernel, &x[part.clone()], &want[part], at);
            }
        }
    }
    for_each_dtype!(test);
}

/// Long runs of one kind of number, with others between them: a loop that has met many of a kind goes on another way
/// (`pieces.rs`), and must see where they end.
#[test]
fn long_runs_of_one_kind() {
    const KINDS: [f64; 10] = [
        -1e3, -95.0, -30.0, -8.0, 8.0, 30.0, 95.0, 1e3, -1e-39, 1e-30,
    ];
    fn test<E: Bits + Float>() {
        let (maps, pairs) = (maps::<E>(), pairs::<E>());
        for (number, kind) in KINDS.into_iter().enumerate() {
            let run = |len| std::iter::repeat_n(E::from_f64(kind), len);
            let ordinary = || (0..600).map(|i| E::from_f64(f64::from(i) / 256.0 - 1.0));
            let a: Vec<E> = run(1500)
                .chain(mixed(2, 50))
                .chain(run(1300))
                .chain(ordinary())
                .chain(run(700))
                .collect();
            let factors = [1.0, -0.25, 0.0, 1e-5, 3e4].map(E::from_f64);
            let b: Vec<E> = factors.into_iter().cycle().take(a.len()).collect();
            let step = one_in(7);
            for kernel in maps.iter().skip(number % step).step_by(step) {
                check_map(kernel, &a, &kernel.alone(&a), (0, size_of::<E>()));
            }
            for kernel in pairs.iter().skip(number % step).step_by(step) {
                let at = [0, size_of::<E>(), 3 * size_of::<E>()];
                check_pair(kernel, (&a, &b), &kernel.alone(&a, &b), at);
            }
        }
    }
    for_each_float!(test);
}

#[test]
fn every_length_at_every_offset_of_two_arrays() {
    fn test<E: Bits + Float>() {
        let (n, size) = (lanes::<E>(), size_of::<E>());
        for (number, kernel) in pairs::<E>().iter().enumerate() {
            let longest = longest::<E>(&kernel.name);
            let (a, b) = two_arrays::<E>(1, longest + n);
            let (want, want_of_one) = (kernel.alone(&a, &b), kernel.alone(&a, &a));
            for (len, offset) in cases::<E>(number, longest) {
                let part = offset..offset + len;
                let (first, second) = (&a[part.clone()], &b[part.clone()]);
                let from = [(len + offset) % n * size, (2 * len + offset) % n * size];
                let at = [from[0], from[1], offset * size];
                check_pair(kernel, (first, second), &want[part.clone()], at);

                let mut x = Array::of(first, at[2]);
                (kernel.run)([x.p(), x.p()], x.p(), len, false);
                let context = format_args!("{kernel} of one array of {len} at {}", at[2]);
                x.assert_is(&want_of_one[part], context);
            }
        }
    }
    for_each_float!(test);
}

/// Lengths around whole registers, and offsets in bytes.
fn unaligned<E>() -> impl Iterator<Item = (usize, usize)> {
    let n = lanes::<E>();
    let lengths = [0, 1, 2, n - 1, n, n + 1, 2 * n, 3 * n + 1, 4 * n + 3];
    let step = one_in(13);
    let all = lengths
        .into_iter()
        .flat_map(|len| (0..64).map(move |at| (len, at)));
    all.step_by(step)
}

/// Raw buffers need not be aligned even to their element: a mapped file, a packed record.
#[test]
fn buffers_aligned_to_no_element() {
    fn test<E: Bits>() {
        for kernel in maps::<E>() {
            let x = mixed::<E>(3, 4 * lanes::<E>() + 3);
            let want = kernel.alone(&x);
            for (len, at) in unaligned::<E>() {
                check_map(&kernel, &x[..len], &want[..len], (at * 13 % 64, at));
            }
        }
    }
    fn of_two<E: Bits + Float>() {
        for kernel in pairs::<E>() {
            let len = 4 * lanes::<E>() + 3;
            let (a, b) = two_arrays::<E>(2, len);
            let want = kernel.alone(&a, &b);
            for (len, at) in unaligned::<E>() {
                let from = [at * 13 % 64, at * 29 % 64, at];
                check_pair(&kernel, (&a[..len], &b[..len]), &want[..len], from);
            }
        }
    }
    for_each_dtype!(test);
    for_each_float!(of_two);
}

/// Long enough that what a loop [puts aside](halfwave_kernels::Unary::far) takes its places before the end, once and
/// again: blocks without far numbers, with a few, and with many.
fn blocks(seed: u64) -> Vec<f32> {
    let number = |(i, bits): (usize, u32)| {
        let (near, far) = (bits as f32 * 1e-9, bits as f32 * 1e-7);
        let signed = |x: f32| if bits % 2 == 0 { x } else { -x };
        match (i / 700 % 3, bits % 97) {
            (1, 5) | (2, 0..60) => signed(far),
            (_, 6) => f32::from_bits(0x7FC0_0000 | bits >> 12),
            _ => signed(near),
        }
    };
    mixed::<u32>(seed, 6_007)
        .into_iter()
        .enumerate()
        .map(number)
        .collect()
}

#[test]
fn many_blocks_with_far_numbers() {
    let (x, mut dy) = (blocks(2), blocks(3));
    // No two NaNs are to meet.
    dy.iter_mut()
        .filter(|dy| dy.is_nan())
        .for_each(|dy| *dy = 1.0);
    for kernel in maps::<f32>() {
        check_map(&kernel, &x, &kernel.alone(&x), (4, 8));
    }
    for kernel in pairs::<f32>() {
        check_pair(&kernel, (&x, &dy), &kernel.alone(&x, &dy), [4, 8, 12]);
    }
}
