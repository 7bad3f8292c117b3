//! Masks, counts and compaction against plain loops, by bits.

use std::fmt::Debug;
use std::mem::MaybeUninit;

use halfwave::sparsity::{self, CompactError, Index};
use halfwave::{Backend, Float, Relu, backends, bf16, f16, memory, parallel};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A float with its bits.
trait Bits: Float + Debug {
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

fn is_positive<E: Float>(x: E) -> bool {
    x.to_f64() > 0.0 || x.to_f64().is_nan()
}

fn is_non_zero<E: Float>(x: E) -> bool {
    x.to_f64() != 0.0
}

fn rectified<E: Float>(x: &[E]) -> Vec<E> {
    let zero = E::from_f64(0.0);
    x.iter()
        .map(|&x| if x.to_f64() < 0.0 { zero } else { x })
        .collect()
}

fn mask_of<E: Float>(x: &[E]) -> Vec<u8> {
    let mut mask = vec![0; x.len().div_ceil(8)];
    for (i, &x) in x.iter().enumerate() {
        mask[i / 8] |= u8::from(is_positive(x)) << (i % 8);
    }
    mask
}

fn count<E: Float>(x: &[E], keep: fn(E) -> bool) -> usize {
    x.iter().filter(|&&x| keep(x)).count()
}

fn compacted<I: TryFrom<usize>, E: Float>(x: &[E], keep: fn(E) -> bool) -> (Vec<I>, Vec<E>) {
    let kept = x.iter().enumerate().filter(|&(_, &x)| keep(x));
    kept.map(|(i, &x)| (I::try_from(i).ok().unwrap(), x))
        .unzip()
}

/// Numbers of a linear congruential generator, the upper bits first.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
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
fn any<E: Bits>(len: usize) -> Vec<E> {
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
fn sparse<E: Bits>(len: usize, of: u64) -> Vec<E> {
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
struct Guarded<T> {
    all: Vec<T>,
    canary: T,
    at: usize,
    len: usize,
}

const MARGIN: usize = 80;

impl<T: Copy> Guarded<T> {
    fn new(len: usize, offset: usize, canary: T) -> Self {
        let all = vec![canary; len + offset + 2 * MARGIN];
        Self {
            all,
            canary,
            at: MARGIN + offset,
            len,
        }
    }

    fn of(x: &[T], offset: usize, canary: T) -> Self {
        let mut guarded = Self::new(x.len(), offset, canary);
        guarded.slice().copy_from_slice(x);
        guarded
    }

    fn slice(&mut self) -> &mut [T] {
        &mut self.all[self.at..][..self.len]
    }

    /// Its content, if the canaries are alive behind the first `used` and before the first.
    fn take<B: PartialEq + Debug>(self, used: usize, bits: impl Fn(T) -> B, what: &str) -> Vec<T> {
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
fn same<E: Bits>(got: &[E], want: &[E], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        assert_eq!(got.bits(), want.bits(), "{what} at {i}");
    }
}

/// Everything on one array with one backend, outputs `offset` elements from a round place.
fn check<I: Index + TryFrom<usize> + Debug + PartialEq, E: Bits>(
    b: Backend,
    x: &[E],
    offset: usize,
) {
    let n = x.len();
    let canary = E::from_f64(123.0);
    let (want_y, want_mask, want_n) = (rectified(x), mask_of(x), count(x, is_positive));
    let y = || Guarded::new(n, offset, canary);
    let mask = || Guarded::new(n.div_ceil(8), offset, 0xA5u8);
    let tell = |what: &str| format!("{what} {:?} of {n} at {offset} by {b:?}", E::DTYPE);

    let (mut to, mut bits) = (y(), mask());
    b.relu_with_mask(x, to.slice(), bits.slice());
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_mask"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    let (mut to, mut bits) = (vec![MaybeUninit::uninit(); n], mask());
    same(
        b.relu_with_mask_uninit(x, &mut to, bits.slice()),
        &want_y,
        &tell("relu_with_mask_uninit"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    let (mut to, mut bits) = (Guarded::of(x, offset, canary), mask());
    b.relu_with_mask_in_place(to.slice(), bits.slice());
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_mask_in_place"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    // The gradient of another array, and relu's own.
    let dy: Vec<E> = x.iter().rev().copied().collect();
    let zero = E::from_f64(0.0);
    let want_dx: Vec<_> = dy
        .iter()
        .zip(x)
        .map(|(&dy, &x)| if is_positive(x) { dy } else { zero })
        .collect();
    // Bits that no element has are ignored.
    let mut noisy = want_mask.clone();
    if let (Some(last), rest @ 1..) = (noisy.last_mut(), n % 8) {
        *last |= 0xFF << rest;
    }
    let mut dx = y();
    b.relu_mask_backward(&noisy, &dy, dx.slice());
    let dx = dx.take(n, E::bits, &tell("dx"));
    same(&dx, &want_dx, &tell("relu_mask_backward"));
    let mut from_x = vec![zero; n];
    b.backward(Relu, x, &dy, &mut from_x);
    let quiet = |x: &[E]| x.iter().map(|&x| x.quiet()).collect::<Vec<_>>();
    same(&quiet(&from_x), &quiet(&dx), &tell("backward"));
    let mut dx = Guarded::of(&dy, offset, canary);
    b.relu_mask_backward_in_place(&want_mask, dx.slice());
    same(
        &dx.take(n, E::bits, &tell("dx")),
        &want_dx,
        &tell("relu_mask_backward_in_place"),
    );

    let mut to = y();
    assert_eq!(
        b.relu_with_count(x, to.slice()),
        want_n,
        "{}",
        tell("relu_with_count")
    );
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_count"),
    );
    let mut to = vec![MaybeUninit::uninit(); n];
    let (to, got_n) = b.relu_with_count_uninit(x, &mut to);
    assert_eq!(got_n, want_n, "{}", tell("relu_with_count_uninit"));
    same(to, &want_y, &tell("relu_with_count_uninit"));
    let mut to = Guarded::of(x, offset, canary);
    assert_eq!(
        b.relu_with_count_in_place(to.slice()),
        want_n,
        "{}",
        tell("relu_with_count_in_place")
    );
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_count_in_place"),
    );
    assert_eq!(
        b.count_nonzero(x),
        count(x, is_non_zero),
        "{}",
        tell("count_nonzero")
    );
    assert_eq!(
        b.count_nonzero(&want_y),
        want_n,
        "{}",
        tell("count_nonzero")
    );

    check_compact::<I, E>(b, x, offset, true);
    check_compact::<I, E>(b, x, offset, false);
}

fn check_compact<I: Index + TryFrom<usize> + Debug + PartialEq, E: Bits>(
    b: Backend,
    x: &[E],
    offset: usize,
    relu: bool,
) {
    let tell = format!(
        "compact {:?} relu={relu} of {} at {offset} by {b:?}",
        E::DTYPE,
        x.len()
    );
    let (want_i, want_v) = compacted::<I, E>(x, if relu { is_positive } else { is_non_zero });
    let n = want_v.len();

    let (i, v): (Vec<I>, _) = if relu {
        b.relu_compact_to_vecs(x)
    } else {
        b.compact_to_vecs(x)
    };
    assert_eq!(i, want_i, "{tell}");
    same(&v, &want_v, &tell);

    // Too much room, exactly enough, too little in one or the other or both.
    for (room_i, room_v) in [
        (n + 9, n + 7),
        (n, n),
        (n.saturating_sub(1), n),
        (n, n / 2),
        (n / 3, 0),
    ] {
        let mut i = Guarded::new(room_i, offset, I::new(99));
        let mut v = Guarded::new(room_v, offset + 1, E::from_f64(123.0));
        let got = if relu {
            b.relu_compact(x, i.slice(), v.slice())
        } else {
            b.compact(x, i.slice(), v.slice())
        };
        let used = n.min(room_i).min(room_v);
        let want = match used == n {
            true => Ok(n),
            false => Err(CompactError::Room {
                needed: n,
                indices: room_i,
                values: room_v,
            }),
        };
        assert_eq!(got, want, "{tell}");
        assert_eq!(i.take(used, |i| i, &tell), want_i[..used], "{tell}");
        same(&v.take(used, E::bits, &tell), &want_v[..used], &tell);
    }
}

macro_rules! on_all_dtypes {
    ($($name:ident)*) => {$(
        mod $name {
            #[test]
            fn f32() { super::$name::<f32>() }
            #[test]
            fn f64() { super::$name::<f64>() }
            #[test]
            fn f16() { super::$name::<half::f16>() }
            #[test]
            fn bf16() { super::$name::<half::bf16>() }
        }
    )*};
}
on_all_dtypes! {
    every_length every_density beyond_the_cache any_number_of_threads
}

fn every_length<E: Bits>() {
    for b in backends() {
        for len in (0..=140)
            .chain(250..=260)
            .chain(500..=520)
            .chain(1020..=1030)
            .chain([2047, 2048, 2049, 3000])
        {
            check::<u32, E>(*b, &any(len), len % 35);
        }
        for len in [0, 1, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025, 5000] {
            check::<u64, E>(*b, &any(len), len % 9);
        }
    }
}

fn every_density<E: Bits>() {
    for b in backends() {
        for of in [0, 1, 2, 3, 10, 1000] {
            for len in [5, 64, 200, 1500, 4097] {
                check::<u32, E>(*b, &sparse(len, of), 3);
                check::<u64, E>(*b, &sparse(len, of), 0);
            }
        }
    }
}

fn pool(threads: usize) -> ThreadPool {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
}

fn beyond_the_cache<E: Bits>() {
    let len = memory::streaming_threshold() / 2 / size_of::<E>() + 1001;
    let x = any::<E>(len);
    for b in backends() {
        check::<u32, E>(*b, &x, 5);
        pool(3).install(|| check::<u64, E>(b.par(), &x, 3));
    }
}

fn any_number_of_threads<E: Bits>() {
    let x = any::<E>(2 * parallel::BREAK_EVEN / size_of::<E>() + 17);
    for threads in [1, 2, 3, 7, 16] {
        pool(threads).install(|| check::<u32, E>(backends()[0].par(), &x, 1));
    }
}

#[test]
fn all_values_of_the_halves() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for b in backends() {
        check::<u32, _>(
            *b,
            &all.iter().map(|&x| f16::from_bits(x)).collect::<Vec<_>>(),
            0,
        );
        check::<u32, _>(
            *b,
            &all.iter().map(|&x| bf16::from_bits(x)).collect::<Vec<_>>(),
            0,
        );
    }
}

/// "In a randomly initialized network, around 50% of hidden units are activated": pre-activations of
/// such a layer are symmetric about zero.
#[test]
fn about_half_of_a_rectified_random_layer_is_zero() {
    let mut random = Random(1);
    let mut uniform = || (random.next() >> 40) as f32 / (1 << 24) as f32 - 0.5;
    let layer: Vec<f32> = (0..100_000)
        .map(|_| (0..12).map(|_| uniform()).sum())
        .collect();
    let mut y = vec![0.0; layer.len()];
    let active = sparsity::relu_with_count(&layer, &mut y);
    approx::assert_abs_diff_eq!(active as f64 / layer.len() as f64, 0.5, epsilon = 0.01);
    let (indices, values) = sparsity::compact_to_vecs::<u32, _>(&y);
    assert_eq!(
        sparsity::relu_compact_to_vecs(&layer),
        (indices.clone(), values.clone())
    );
    assert_eq!(
        (indices.len(), sparsity::par_count_nonzero(&y)),
        (active, active)
    );
    // What is left says all.
    let mut again = vec![0.0; y.len()];
    for (i, v) in indices.iter().zip(values) {
        again[*i as usize] = v;
    }
    assert_eq!(again, y);
}

/// The free functions are the methods.
#[test]
fn the_free_functions_are_the_backend_s() {
    let x = any::<f32>(700_001);
    let (want_y, want_mask, n) = (rectified(&x), mask_of(&x), count(&x, is_positive));
    let (mut y, mut mask) = (vec![1.0; x.len()], vec![1; x.len().div_ceil(8)]);
    for form in [
        sparsity::relu_with_mask::<f32>,
        sparsity::par_relu_with_mask,
    ] {
        form(&x, &mut y, &mut mask);
        same(&y, &want_y, "y");
        assert_eq!(mask, want_mask);
    }
    for form in [
        sparsity::relu_with_count::<f32>,
        sparsity::par_relu_with_count,
    ] {
        assert_eq!(form(&x, &mut y), n);
    }
    for form in [
        sparsity::relu_mask_backward::<f32>,
        sparsity::par_relu_mask_backward,
    ] {
        form(&mask, &x, &mut y);
        assert_eq!(count(&y, is_non_zero), n);
    }
    let want = compacted::<u64, f32>(&x, is_positive);
    for form in [
        sparsity::relu_compact_to_vecs::<u64, f32>,
        sparsity::par_relu_compact_to_vecs,
    ] {
        let (indices, values) = form(&x);
        assert_eq!(indices, want.0);
        same(&values, &want.1, "values");
        assert_eq!(indices.capacity(), n);
    }
}

#[track_caller]
fn panics_with(parts: &[&str], call: impl FnOnce() + std::panic::UnwindSafe) {
    let panic = std::panic::catch_unwind(call).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn lengths_that_differ_are_told() {
    let x = [1.0f32; 17];
    panics_with(&["x has 17", "y has 16"], || {
        sparsity::relu_with_mask(&x, &mut [0.0; 16], &mut [0; 3])
    });
    panics_with(&["17 elements", "3 bytes", "has 2"], || {
        sparsity::relu_with_mask(&x, &mut [0.0; 17], &mut [0; 2])
    });
    panics_with(&["17 elements", "3 bytes", "has 4"], || {
        sparsity::relu_with_mask_in_place(&mut x.clone(), &mut [0; 4])
    });
    panics_with(&["dy has 17", "dx has 18"], || {
        sparsity::relu_mask_backward(&[0; 3], &x, &mut [0.0; 18])
    });
    panics_with(&["17 elements", "3 bytes", "has 0"], || {
        sparsity::relu_mask_backward_in_place(&[], &mut x.clone())
    });
    panics_with(&["x has 17", "y has 1"], || {
        let _ = sparsity::par_relu_with_count(&x, &mut [0.0; 1]);
    });
}
