//! Every form of the API gives the same bits, on every backend, at every thread count.

mod common;
#[path = "../thresholds/mod.rs"]
mod thresholds;

use common::*;
use halfwave::*;

/// Of an operation on every dtype.
#[test]
fn every_form_of_relu_on_every_backend() {
    fn test<E: Bits>()
    where
        Relu: Operation<E>,
    {
        let x = random::<E>(longest::<E>());
        assert_all(&expected(&x), |b, part| forms(b, Relu, &x[part]));
    }
    with_threads(3, || {
        test::<f32>();
        test::<f64>();
        test::<f16>();
        test::<bf16>();
        test::<i8>();
        test::<i16>();
        test::<i32>();
        test::<i64>();
        test::<u8>();
        test::<u16>();
        test::<u32>();
        test::<u64>();
    });
}

/// Of an operation on floats alone.
#[test]
fn every_form_of_leaky_relu_on_every_backend() {
    fn test<E: Bits + Float>()
    where
        LeakyRelu: Operation<E>,
    {
        let x = random::<E>(longest::<E>());
        let want = by_few(x.len(), |part, y| portable().apply(LEAKY, &x[part], y));
        assert_all(&want, |b, part| forms(b, LEAKY, &x[part]));
    }
    with_threads(3, || {
        test::<f32>();
        test::<f64>();
        test::<f16>();
        test::<bf16>();
    });
}

#[test]
fn every_form_of_the_derivative_on_every_backend() {
    fn test<O: Operation<E>, E: Bits + Float>(op: O, longest: usize) {
        let all = random::<E>(longest + 1);
        // Of other elements than `x`, but in the same memory: what is read beside them shows.
        let (x, dy) = (&all[..longest], &all[1..]);
        let y = by_few(longest, |part, y| portable().apply(op, &x[part], y));
        let want = by_few(longest, |part, dx| {
            portable().backward(op, &x[part.clone()], &dy[part], dx);
        });
        // Both operations here have the same derivative from the input and from the output.
        assert_all(&want, |b, part| {
            let mut made = backward_forms(b, op, &x[part.clone()], &dy[part.clone()]);
            made.extend(from_output_forms(b, op, &y[part.clone()], &dy[part]));
            made
        });
    }
    with_threads(3, || {
        test::<_, f32>(LEAKY, longest::<f32>());
        test::<_, f32>(Relu, cached::<f32>());
        test::<_, f64>(Relu, cached::<f64>());
        test::<_, f64>(LEAKY, cached::<f64>());
        test::<_, f16>(Relu, cached::<f16>());
        test::<_, f16>(LEAKY, cached::<f16>());
        test::<_, bf16>(Relu, cached::<bf16>());
        test::<_, bf16>(LEAKY, cached::<bf16>());
    });
}

/// Of operations that do not have the same bits on every backend: each form beside a few elements at a
/// time on the same one.
#[test]
fn every_form_of_smooth_operations() {
    fn test<O: Operation<E>, E: Bits + Float>(op: O, longest: usize) {
        let all = random::<E>(longest + 1);
        let (x, dy) = (&all[..longest], &all[1..]);
        for b in backends() {
            let only = std::slice::from_ref(b);
            let want = by_few(longest, |part, y| b.apply(op, &x[part], y));
            assert_on(only, &want, |b, part| forms(b, op, &x[part]));
            let want = by_few(longest, |part, dx| {
                b.backward(op, &x[part.clone()], &dy[part], dx);
            });
            assert_on(only, &want, |b, part| {
                backward_forms(b, op, &x[part.clone()], &dy[part])
            });
            if !op.has_backward_from_output::<E>() {
                continue;
            }
            let y = by_few(longest, |part, y| b.apply(op, &x[part], y));
            let want = by_few(longest, |part, dx| {
                b.backward_from_output(op, &y[part.clone()], &dy[part], dx);
            });
            assert_on(only, &want, |b, part| {
                from_output_forms(b, op, &y[part.clone()], &dy[part])
            });
        }
    }
    with_threads(3, || {
        // Of those computed in lanes of their own and in those of `f64`, in registers of 32 bytes and
        // of 64, with the derivative from the output and without.
        test::<_, f32>(Sigmoid, longest::<f32>());
        test::<_, f32>(Gelu, cached::<f32>());
        test::<_, f64>(Tanh, cached::<f64>());
        test::<_, f64>(Gelu, cached::<f64>());
        test::<_, f16>(Silu::default(), cached::<f16>());
        test::<_, bf16>(Elu::default(), cached::<bf16>());
    });
}

#[test]
fn the_trait_is_the_backend_of_choice() {
    fn test<O: Activation + Operation<E>, E: Bits + Float>(op: O) {
        // Pieces on threads.
        let len = 2 * thresholds::split() / size_of::<E>() + 17;
        let all = random::<E>(len + 1);
        let (x, dy) = (&all[..len], &all[1..]);
        let b = backend().unwrap();
        let (_, y) = fresh("", len, |y| b.apply(op, x, y));
        let (_, dx) = fresh("", len, |dx| b.backward(op, x, dy, dx));
        let [mut u, mut v, mut w, mut z] = [(); 4].map(|()| uninit(len));
        let made = [
            fresh("apply", len, |y| op.apply(x, y)),
            fresh("par_apply", len, |y| op.par_apply(x, y)),
            in_place("apply_in_place", x, |y| op.apply_in_place(y)),
            in_place("par_apply_in_place", x, |y| op.par_apply_in_place(y)),
            ("apply_to_vec", op.apply_to_vec(x)),
            ("par_apply_to_vec", op.par_apply_to_vec(x)),
            ("apply_uninit", op.apply_uninit(x, &mut u).to_vec()),
            ("par_apply_uninit", op.par_apply_uninit(x, &mut v).to_vec()),
            ("eval", x.iter().map(|&x| op.eval(x)).collect()),
        ];
        for (form, got) in made {
            assert_same(&got, &y, form);
        }
        assert!(op.has_backward_from_output::<f32>());
        let y = &y[..];
        let made = [
            fresh("backward", len, |dx| op.backward(x, dy, dx)),
            fresh("par_backward", len, |dx| op.par_backward(x, dy, dx)),
            (
                "backward_uninit",
                op.backward_uninit(x, dy, &mut w).to_vec(),
            ),
            in_place("backward_in_place", dy, |dx| op.backward_in_place(x, dx)),
            in_place("par_backward_in_place", dy, |dx| {
                op.par_backward_in_place(x, dx)
            }),
            fresh("from_output", len, |dx| op.backward_from_output(y, dy, dx)),
            fresh("par_from_output", len, |dx| {
                op.par_backward_from_output(y, dy, dx)
            }),
            (
                "from_output_uninit",
                op.backward_from_output_uninit(y, dy, &mut z).to_vec(),
            ),
            in_place("from_output_in_place", dy, |dx| {
                op.backward_from_output_in_place(y, dx);
            }),
            in_place("par_from_output_in_place", dy, |dx| {
                op.par_backward_from_output_in_place(y, dx);
            }),
        ];
        for (form, got) in made {
            assert_same(&got, &dx, form);
        }
    }
    with_threads(2, || {
        test::<_, f32>(Relu);
        test::<_, f16>(LEAKY);
    });
}

#[test]
fn the_free_functions_are_relu() {
    let x = random::<f32>(longest::<f32>());
    let want = expected(&x);
    let made = [
        fresh("relu", x.len(), |y| halfwave::relu(&x, y)),
        fresh("par_relu", x.len(), |y| halfwave::par_relu(&x, y)),
        in_place("relu_in_place", &x, halfwave::relu_in_place),
        in_place("par_relu_in_place", &x, halfwave::par_relu_in_place),
    ];
    for (form, y) in made {
        assert_same(&y, &want, form);
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = random::<f32>(2 * thresholds::split() / size_of::<f32>() + 17);
    let want = expected(&x);
    let (_, dx) = fresh("", x.len(), |dx| LEAKY.backward(&x, &x, dx));
    for threads in [1, 2, 3, 7, 16] {
        with_threads(threads, || {
            let y = Relu.par_apply_to_vec(&x);
            assert_same(&y, &want, format_args!("{threads} threads"));
            let (_, y) = fresh("", x.len(), |y| LEAKY.par_backward(&x, &x, y));
            assert_same(&y, &dx, format_args!("backward on {threads} threads"));
        });
    }
}

/// Raw memory is aligned to nothing, also where a slice would be streamed: non-temporal stores fault
/// on it.
#[test]
fn raw_memory_needs_no_alignment() {
    let len = thresholds::streamed::<f32>() + 100;
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

/// What `f` panics with.
fn panic_of(f: impl FnOnce()) -> String {
    let f = std::panic::AssertUnwindSafe(f);
    let panic = std::panic::catch_unwind(f).expect_err("it must panic");
    *panic.downcast::<String>().unwrap()
}

/// A mismatch panics with all lengths, and before anything is written.
#[test]
fn lengths_that_differ_are_told() {
    type Call = fn(&[f32], &mut [f32]);
    let calls: [(Call, &str); 9] = [
        (|x, y| Relu.apply(x, y), "src has 3, dst has 4"),
        (|x, y| Relu.par_apply(x, y), "src has 3, dst has 4"),
        (halfwave::relu, "src has 3, dst has 4"),
        (
            |x, y| Op::Relu(Relu).apply(x, y).unwrap(),
            "src has 3, dst has 4",
        ),
        (|x, y| Relu.backward(x, x, y), "x has 3, dy has 3, dx has 4"),
        (|x, y| Relu.backward_in_place(x, y), "x has 3, dy has 4"),
        (
            |x, y| Relu.par_backward_from_output(&[0.0; 4], x, y),
            "y has 4, dy has 3, dx has 4",
        ),
        (
            |x, y| Relu.backward_from_output_in_place(x, y),
            "y has 3, dy has 4",
        ),
        (
            |x, y| Op::Relu(Relu).backward(x, &[0.0; 4], y).unwrap(),
            "x has 3, dy has 4, dx has 4",
        ),
    ];
    for (call, lengths) in calls {
        let mut y = [5.0; 4];
        let message = panic_of(|| call(&[-1.0; 3], &mut y));
        let want = format!("lengths differ, which must be the same: {lengths} elements");
        assert_eq!(message, want);
        assert_eq!(y, [5.0; 4]);
    }
}

/// A negative slope: the output `0.5` may be of `0.5` or of `-1`.
#[test]
fn an_output_that_does_not_suffice_is_refused() {
    let op = LeakyRelu::new(-0.5).unwrap();
    assert!(!op.has_backward_from_output::<f32>());
    let mut dx = [5.0f32; 1];
    std::panic::catch_unwind(|| op.backward_from_output(&[0.5f32], &[1.0], &mut [0.0]))
        .expect_err("it must panic");
    let error = Op::LeakyRelu(op).backward_from_output(&[0.5], &[1.0], &mut dx);
    assert_eq!(error, Err(OpError::FromOutput(Op::LeakyRelu(op))));
    let call = Call::BackwardFromOutput(&[0.5], &[1.0], &mut dx);
    let error = Op::LeakyRelu(op).run(portable(), call);
    assert_eq!(error, Err(OpError::FromOutput(Op::LeakyRelu(op))));
    assert_eq!(dx, [5.0]);
}
