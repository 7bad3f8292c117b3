//! Every form of the API gives the same bits, on every backend, at every thread count.

use std::mem::MaybeUninit;

use halfwave::{Activation, Element, Operation, Relu, backends, bf16, f16, memory, parallel};
use rayon::ThreadPoolBuilder;

/// A dtype with its contract spelled out: the positive part, NaN and -0.0 kept.
trait Bits: Element + std::fmt::Debug {
    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
    fn is_negative(self) -> bool;
}

macro_rules! bits {
    ($($E:ident $U:ident |$x:ident| $bits:expr, |$b:ident| $from:expr, $zero:expr;)*) => {$(
        impl Bits for $E {
            fn from_bits($b: u64) -> Self { $from }
            fn bits(self) -> u64 { let $x = self; $bits as $U as u64 }
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
}

fn random<E: Bits>(len: usize) -> Vec<E> {
    let mut state = 0x1234_5678_9ABC_DEFF_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        E::from_bits(state)
    };
    (0..len).map(|_| next()).collect()
}

fn expected<E: Bits>(x: &[E]) -> Vec<E> {
    let zero = E::from_bits(0);
    x.iter()
        .map(|&x| if x.is_negative() { zero } else { x })
        .collect()
}

#[track_caller]
fn assert_same<E: Bits>(got: &[E], want: &[E], context: impl std::fmt::Display) {
    assert_eq!(got.len(), want.len(), "{context}");
    let wrong = got
        .iter()
        .zip(want)
        .position(|(y, want)| y.bits() != want.bits());
    assert_eq!(wrong, None, "{context}: the first wrong element");
}

fn uninit<E: Copy>(len: usize) -> Vec<MaybeUninit<E>> {
    vec![MaybeUninit::uninit(); len]
}

/// Lengths on both sides of every decision: one register, the break-even of threads, streaming.
fn lengths<E>() -> Vec<usize> {
    let of_bytes = |bytes: usize| bytes / size_of::<E>();
    vec![
        1,
        7,
        64,
        1000,
        of_bytes(parallel::BREAK_EVEN / 2),
        of_bytes(parallel::BREAK_EVEN) + 1,
        of_bytes(memory::streaming_threshold() / 2) + 33,
    ]
}

#[test]
fn every_form_on_every_backend() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        let all = random::<E>(*lengths::<E>().iter().max().unwrap());
        for len in lengths::<E>() {
            let x = &all[..len];
            let want = expected(x);
            for b in backends() {
                for (b, par) in [(*b, ""), (b.par(), "par ")] {
                    let same = |y: &[E], form: &str| {
                        let (dtype, isa) = (E::DTYPE, b.name());
                        assert_same(
                            y,
                            &want,
                            format_args!("{par}{form} of {len} {dtype} on {isa}"),
                        );
                    };
                    let mut y = vec![E::default(); len];
                    b.apply(Relu, x, &mut y);
                    same(&y, "apply");
                    same(b.apply_uninit(Relu, x, &mut uninit(len)), "apply_uninit");
                    let mut y = x.to_vec();
                    b.apply_in_place(Relu, &mut y);
                    same(&y, "apply_in_place");
                }
            }
        }
    }
    // As many threads on a machine of one core as on any.
    ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap()
        .install(|| {
            test::<f32>();
            test::<f64>();
            test::<f16>();
            test::<bf16>();
            test::<i8>();
            test::<i16>();
            test::<i32>();
            test::<i64>();
        });
}

type Form = fn(&[f32], &mut [f32]);

#[test]
fn the_trait_and_the_free_functions_are_the_backend_s() {
    let x = random::<f32>(1_500_000);
    let want = expected(&x);
    let mut y = vec![0.0; x.len()];

    assert_same(&Relu.apply_to_vec(&x), &want, "apply_to_vec");
    assert_same(&Relu.par_apply_to_vec(&x), &want, "par_apply_to_vec");
    assert_same(
        Relu.apply_uninit(&x, &mut uninit(x.len())),
        &want,
        "apply_uninit",
    );
    assert_same(
        Relu.par_apply_uninit(&x, &mut uninit(x.len())),
        &want,
        "par_apply_uninit",
    );
    let forms: [Form; 6] = [
        |x, y| Relu.apply(x, y),
        |x, y| Relu.par_apply(x, y),
        |x, y| {
            y.copy_from_slice(x);
            Relu.apply_in_place(y);
        },
        |x, y| {
            y.copy_from_slice(x);
            Relu.par_apply_in_place(y);
        },
        halfwave::relu,
        halfwave::par_relu,
    ];
    for form in forms {
        y.fill(f32::NAN);
        form(&x, &mut y);
        assert_same(&y, &want, "a form");
    }
    for form in [halfwave::relu_in_place, halfwave::par_relu_in_place] {
        y.copy_from_slice(&x);
        form(&mut y);
        assert_same(&y, &want, "a form");
    }
    for (&x, want) in x.iter().zip(want).take(1000) {
        assert_eq!(Relu.eval(x).bits(), want.bits());
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = random::<f32>(2 * parallel::BREAK_EVEN / size_of::<f32>() + 17);
    let want = expected(&x);
    for threads in [1, 2, 3, 7, 16] {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let y = pool.install(|| Relu.par_apply_to_vec(&x));
        assert_same(&y, &want, format_args!("{threads} threads"));
    }
}

/// Raw memory is aligned to nothing, also where a slice would be streamed: non-temporal stores fault
/// on it.
#[test]
fn raw_memory_needs_no_alignment() {
    let len = memory::streaming_threshold() / 2 / size_of::<f32>() + 100;
    let x = random::<f32>(len);
    let want = expected(&x);
    let (mut src, mut dst) = (vec![0u8; 4 * len + 1], vec![0u8; 4 * len + 1]);
    for (bytes, x) in src[1..].chunks_exact_mut(4).zip(&x) {
        bytes.copy_from_slice(&x.to_ne_bytes());
    }
    let check = |dst: &mut [u8], form| {
        let y = dst[1..].chunks_exact(4);
        let y: Vec<_> = y
            .map(|b| f32::from_ne_bytes(b.try_into().unwrap()))
            .collect();
        assert_same(&y, &want, form);
        dst.fill(0);
    };
    for b in backends() {
        let (from, to) = (
            src[1..].as_ptr().cast::<f32>(),
            dst[1..].as_mut_ptr().cast::<f32>(),
        );
        // SAFETY: `len` elements lie behind each of two pointers into different vectors.
        unsafe { b.apply_raw(Relu, from, to, len) };
        check(&mut dst, "apply_raw");
        let to = dst[1..].as_mut_ptr().cast::<f32>();
        // SAFETY: as above.
        unsafe { b.par().apply_raw(Relu, from, to, len) };
        check(&mut dst, "par_apply_raw");
    }
}

#[test]
fn nothing_is_an_array_too() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        for b in backends() {
            b.apply::<_, E>(Relu, &[], &mut []);
            b.par().apply_in_place::<_, E>(Relu, &mut []);
        }
        assert!(Relu.apply_to_vec::<E>(&[]).is_empty());
        assert!(Relu.par_apply_to_vec::<E>(&[]).is_empty());
    }
    test::<f32>();
    test::<i8>();
}

/// A mismatch panics with both lengths, and before anything is written.
#[test]
fn lengths_that_differ_are_told() {
    let calls: [Form; 4] = [
        |x, y| Relu.apply(x, y),
        |x, y| Relu.par_apply(x, y),
        halfwave::relu,
        |x, y| drop("relu".parse::<halfwave::Op>().unwrap().apply(x, y)),
    ];
    for call in calls {
        let panic = std::panic::catch_unwind(|| {
            let mut y = [5.0; 4];
            let panic =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&[-1.0; 3], &mut y)));
            assert_eq!(y, [5.0; 4]);
            std::panic::resume_unwind(panic.unwrap_err());
        });
        let message = *panic.unwrap_err().downcast::<String>().unwrap();
        assert!(
            message.contains("src has 3") && message.contains("dst has 4"),
            "{message}"
        );
    }
}
