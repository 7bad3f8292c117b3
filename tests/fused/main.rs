//! The fused forms give the bits of the unfused sequence: on every backend, on one thread and on
//! several, for every shape and stride, and touch nothing between rows.

mod forms;
mod grid;
#[path = "../thresholds/mod.rs"]
mod thresholds;

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use halfwave::{
    BILINEAR, Broadcast, Clip, Fused, Gelu, GeluTanh, LeakyRelu, Operation, Relu, Relu6, Rows,
    Sigmoid, Silu, backends, bf16, f16,
};

use forms::{affine, gates, units};
use grid::{Bits, Grid, LIES, Lie};

fn on_three_threads(test: impl FnOnce() + Send) {
    rayon::ThreadPoolBuilder::new()
        .num_threads(3)
        .build()
        .unwrap()
        .install(test);
}

fn all_dtypes<O>(op: O, shape: [usize; 2], lie: Lie)
where
    O: Operation<f32> + Operation<f64> + Operation<f16> + Operation<bf16>,
{
    let units = units();
    affine::<O, f32>(op, shape, lie, &units);
    affine::<O, f64>(op, shape, lie, &units);
    affine::<O, f16>(op, shape, lie, &units);
    affine::<O, bf16>(op, shape, lie, &units);
    gates::<O, f32>(op, shape, lie, &units);
    gates::<O, f64>(op, shape, lie, &units);
    gates::<O, f16>(op, shape, lie, &units);
    gates::<O, bf16>(op, shape, lie, &units);
}

/// None, one, and around registers and pieces, which have 512 elements of `f64` and 2,048 of `f16`.
#[test]
fn small_shapes() {
    for lie in LIES {
        for shape in [
            [0, 5],
            [3, 0],
            [0, 0],
            [1, 1],
            [5, 1],
            [700, 1],
            [7, 3],
            [3, 17],
            [2, 64],
            [130, 33],
            [1, 511],
            [1, 1025],
            [1, 2049],
            [3, 513],
            [2, 4099],
            [1030, 2],
        ] {
            all_dtypes(Relu, shape, lie);
        }
        for shape in [[7, 3], [40, 33], [3, 1500]] {
            all_dtypes(Relu6, shape, lie);
            all_dtypes(LeakyRelu::new(0.1).unwrap(), shape, lie);
            all_dtypes(Clip::new(-1.0, 0.5).unwrap(), shape, lie);
        }
    }
}

/// A length of any dtype that threads share, in place too, and that does not stream, not even in rows
/// that hold two arrays.
fn splits() -> usize {
    let len = thresholds::split() / size_of::<f16>() + 100;
    assert!(2 * len < thresholds::streamed::<f64>());
    len
}

#[test]
fn shapes_that_are_split() {
    let len = splits();
    on_three_threads(|| {
        for lie in LIES {
            all_dtypes(LeakyRelu::new(-0.5).unwrap(), [len / 7, 7], lie);
            affine::<_, f32>(Relu, [len / 3000 + 1, 3000], lie, &units());
            gates::<_, f32>(Relu, [len / 3000 + 1, 3000], lie, &units());
        }
    });
}

/// Lengths from which stores go past the caches, with rows that are whole lines and such that are
/// not, short ones and long.
#[test]
#[cfg_attr(
    not(target_arch = "x86_64"),
    ignore = "only x86-64 stores past the caches, and an emulator takes minutes"
)]
fn shapes_that_stream() {
    let len = thresholds::streamed::<f32>() + 1;
    on_three_threads(|| {
        for (cols, lie) in [
            (9, LIES[0]),
            (9, LIES[1]),
            (1024, LIES[2]),
            (len + 1, LIES[3]),
        ] {
            affine::<_, f32>(Relu, [len.div_ceil(cols), cols], lie, &units());
            gates::<_, f32>(Relu, [len.div_ceil(cols), cols], lie, &units());
        }
    });
}

/// A gate of slope 1 is the product, and a leaky rectifier of slope 1 changes no bit of a half.
#[test]
fn bilinear_is_the_product() {
    fn test<E: Bits>(all: impl Iterator<Item = u64>) {
        let g: Vec<_> = all.map(E::of).collect();
        for b in units() {
            let mut same = g.clone();
            b.apply_in_place(BILINEAR, &mut same);
            for (got, want) in same.iter().zip(&g) {
                let quiet = want.to_f64().is_nan() && got.to_f64().is_nan();
                assert!(
                    got.bits() == want.bits() || quiet,
                    "{got:?} for {want:?} on {b:?}"
                );
            }
        }
    }
    test::<f16>(0..1 << 16);
    test::<bf16>(0..1 << 16);
    test::<f32>((0..1 << 16).map(|i| i << 16 | 0x1234));
    for lie in LIES {
        gates::<_, f32>(BILINEAR, [7, 130], lie, &units());
    }
}

/// The gates with a name, in every form. What is no rectifier does not have the same bits on all
/// backends: each is held to the sequence of its own calls.
#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "an emulator takes minutes")]
fn smooth_gates() {
    fn on_each<O>(op: O, shape: [usize; 2], lie: Lie)
    where
        O: Operation<f32> + Operation<f64> + Operation<f16> + Operation<bf16>,
    {
        for b in backends() {
            let units = [*b, b.par()];
            gates::<O, f32>(op, shape, lie, &units);
            gates::<O, f64>(op, shape, lie, &units);
            gates::<O, f16>(op, shape, lie, &units);
            gates::<O, bf16>(op, shape, lie, &units);
        }
    }
    for (lie, shape) in LIES
        .into_iter()
        .zip([[5, 1], [7, 130], [1, 2049], [3, 1500]])
    {
        on_each(Sigmoid, shape, lie);
        on_each(Gelu, shape, lie);
        on_each(GeluTanh, shape, lie);
        on_each(Silu::default(), shape, lie);
    }
    // Lengths from which threads share the work.
    let len = splits();
    on_three_threads(|| on_each(Silu::default(), [len / 7, 7], LIES[3]));
}

/// The functions are the gates of the operations they name, on the backend in use.
#[test]
fn the_named_gates() {
    fn test<E: Bits>() {
        let [g, v, dy] = [1, 2, 3].map(|seed| Grid::<E>::new(seed, [1, 700], 0, 0).values());
        let bits = |y: &[E]| y.iter().map(|y| y.bits()).collect::<Vec<_>>();
        let fresh = || vec![E::default(); g.len()];
        let b = halfwave::backend().unwrap();
        macro_rules! is {
            ($($unit:ident $backward:ident $op:expr;)*) => {$(
                let (mut y, mut want) = (fresh(), fresh());
                halfwave::$unit(&g, &v, &mut y);
                b.gate($op, &g, &v, &mut want);
                assert_eq!(bits(&y), bits(&want), stringify!($unit));
                let [mut dg, mut dv, mut want_dg, mut want_dv] = [(); 4].map(|()| fresh());
                halfwave::$backward(&g, &v, &dy, &mut dg, &mut dv);
                b.gate_backward($op, &g, &v, &dy, &mut want_dg, &mut want_dv);
                assert_eq!(bits(&dg), bits(&want_dg), stringify!($backward));
                assert_eq!(bits(&dv), bits(&want_dv), stringify!($backward));
            )*};
        }
        is! {
            glu glu_backward Sigmoid;
            reglu reglu_backward Relu;
            geglu geglu_backward Gelu;
            geglu_tanh geglu_tanh_backward GeluTanh;
            swiglu swiglu_backward Silu::new(1.0).unwrap();
        }
    }
    test::<f32>();
    test::<f64>();
    test::<f16>();
    test::<bf16>();
}

/// The trait's methods are those of the backend in use, and outputs need not be initialised.
#[test]
fn the_trait_and_uninitialised_outputs() {
    let len = thresholds::streamed::<f32>() + 1;
    let [x, r, dy] = [1, 2, 3].map(|seed| Grid::<f32>::new(seed, [1, len], 0, 0).values());
    let b = backends()[0];
    let mut want = vec![0.0; x.len()];
    b.residual(Relu, &x, &r, &mut want);
    let same = |y: &[f32]| assert!(y.iter().zip(&want).all(|(y, x)| y.to_bits() == x.to_bits()));
    let mut y = vec![MaybeUninit::uninit(); x.len()];
    Relu.residual(&x, &r, &mut y);
    // SAFETY: an output has been written whole.
    same(
        &y.iter()
            .map(|y| unsafe { y.assume_init() })
            .collect::<Vec<_>>(),
    );
    let mut y = vec![0.0; x.len()];
    Relu.par_residual(&x, &r, &mut y);
    same(&y);
    let mut dx = vec![0.0; x.len()];
    Relu.par_bias_backward(&x, Broadcast::PerRow(&[0.5]), &dy, &mut dx);
    b.bias_backward(Relu, &x, Broadcast::PerRow(&[0.5]), &dy, &mut want);
    assert!(
        dx.iter()
            .zip(&want)
            .all(|(y, x)| y.to_bits() == x.to_bits())
    );
}

#[test]
fn where_the_derivative_is_zero_so_is_the_gradient() {
    let (x, dy) = (
        [-1.0f32, -0.0, -2.0],
        [f32::INFINITY, f32::NAN, f32::NEG_INFINITY],
    );
    let infinite = Broadcast::PerRow(&[f32::INFINITY][..]);
    let mut dx = [5.0; 3];
    Relu.scale_bias_backward(
        &[-1.0f32; 3],
        infinite,
        Broadcast::PerRow(&[1.0]),
        &dy,
        &mut dx,
    );
    assert_eq!(dx.map(f32::to_bits), [0; 3]);
    let (mut dg, mut dv) = ([5.0; 3], [5.0; 3]);
    Relu.gate_backward(&x, &dy, &dy, &mut dg, &mut dv);
    assert_eq!(dg.map(f32::to_bits), [0; 3]);
}

#[test]
fn what_does_not_fit_is_told() {
    fn message(call: impl FnOnce()) -> String {
        *catch_unwind(AssertUnwindSafe(call))
            .unwrap_err()
            .downcast()
            .unwrap()
    }
    let x = [1.0f32; 12];
    fn forget<T>(_: T) {}
    let told = |call: &dyn Fn(), parts: &[&str]| {
        let message = message(call);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    told(&|| forget(Rows::new(&x, 3, 5)), &["3 rows of 5", "12"]);
    told(
        &|| forget(Rows::strided(&x, 3, 5, 4)),
        &["5 elements", "stride of 4"],
    );
    told(
        &|| forget(Rows::strided(&x, 3, 4, 5)),
        &["3 rows of 4", "stride of 5", "slice of 12"],
    );
    told(
        &|| forget(Rows::strided(&x, usize::MAX, 4, usize::MAX)),
        &["end beyond a slice of 12"],
    );
    told(&|| forget(Rows::new(&x, 1 << 63, 2)), &["are not the 12"]);
    told(
        &|| forget(Rows::new(&x, 4, 3).halves()),
        &["rows of 3 elements"],
    );
    told(&|| forget(Rows::new(&x, 4, 3).row(4)), &["row 4 of 4"]);
    told(
        &|| Relu.residual(Rows::new(&x, 3, 4), Rows::new(&x, 4, 3), &mut [0.0; 12]),
        &["x has 3 × 4", "r has 4 × 3", "y has 1 × 12"],
    );
    told(
        &|| Relu.bias(&x, Broadcast::PerColumn(&[0.0; 3]), &mut [0.0; 12]),
        &["b has 3 elements", "each column of x: 12"],
    );
    told(
        &|| {
            Relu.scale_bias_in_place(
                &mut [0.0f32; 4],
                Broadcast::PerRow(&[]),
                Broadcast::PerRow(&[0.0]),
            )
        },
        &["s has 0 elements", "each row of x: 1"],
    );
    told(
        &|| Relu.gate_interleaved(&x, &mut [0.0; 12]),
        &["x has 1 × 12", "y has 1 × 12", "two elements"],
    );
    assert_eq!(Rows::strided(&x, 2, 3, 6).rows(), 2);
    assert_eq!(Rows::strided(&x[..0], 0, 3, 6).cols(), 3);
}
