//! The fused forms give the bits of the unfused sequence: on every backend, on one thread and on
//! several, for every shape and stride, and touch nothing between rows.

use std::fmt::Display;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use halfwave::{
    Activation, Along, BILINEAR, Backend, Clip, Float, Fused, LeakyRelu, Operation, Relu, Relu6,
    Rows, RowsMut, backends, bf16, f16, memory, parallel,
};

trait Bits: Float + std::fmt::Debug {
    fn of(bits: u64) -> Self;
    fn bits(self) -> u64;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
}

macro_rules! bits {
    ($($E:ident $U:ident $quiet:literal, $a:ident $b:ident: $plus:expr, $times:expr;)*) => {$(
        impl Bits for $E {
            fn of(bits: u64) -> Self {
                Self::from_bits(bits as $U)
            }
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn plus(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                nan(self, other, $quiet).unwrap_or_else(|| $plus)
            }
            fn times(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                nan(self, other, $quiet).unwrap_or_else(|| $times)
            }
        }
    )*};
}
bits! {
    f32 u32 0x40_0000, a b: a + b, a * b;
    f64 u64 0x8_0000_0000_0000, a b: a + b, a * b;
    f16 u16 0x200, a b: f16::from_f32(a.to_f32() + b.to_f32()), f16::from_f32(a.to_f32() * b.to_f32());
    bf16 u16 0x40, a b: bf16::from_f32(a.to_f32() + b.to_f32()), bf16::from_f32(a.to_f32() * b.to_f32());
}

/// The NaN that a sum or a product of NaN is: that of the first, else that of the second made quiet;
/// the 16-bit floats, which are converted, are quiet in any case.
fn nan<E: Bits>(a: E, b: E, quiet: u64) -> Option<E> {
    match [a, b].map(|x| x.to_f64().is_nan()) {
        [true, _] if size_of::<E>() > 2 => Some(a),
        [true, _] => Some(E::of(a.bits() | quiet)),
        [false, true] => Some(E::of(b.bits() | quiet)),
        [false, false] => None,
    }
}

fn canary<E: Bits>() -> E {
    E::from_f64(-123.0)
}

/// Rows with gaps of canaries before, between and behind them.
#[derive(Clone)]
struct Grid<E> {
    data: Vec<E>,
    before: usize,
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<E: Bits> Grid<E> {
    fn new(seed: u64, [rows, cols]: [usize; 2], gap: usize, before: usize) -> Self {
        let stride = cols + gap;
        let mut data = vec![canary(); before + rows * stride + 9];
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        for row in 0..rows {
            for x in &mut data[before + row * stride..][..cols] {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(seed);
                // Any bits, hence NaN and subnormal numbers too; mostly numbers of a layer.
                let random = state >> 16;
                *x = match random % 8 {
                    0 => E::of(random >> 3),
                    _ => E::from_f64((random >> 8 & 0xFFFF) as f64 / 4096.0 - 8.0),
                };
            }
        }
        Self {
            data,
            before,
            rows,
            cols,
            stride,
        }
    }

    fn rows(&self) -> Rows<'_, E> {
        Rows::strided(&self.data[self.before..], self.rows, self.cols, self.stride)
    }

    fn rows_mut(&mut self) -> RowsMut<'_, E> {
        let Self {
            rows, cols, stride, ..
        } = *self;
        RowsMut::strided(&mut self.data[self.before..], rows, cols, stride)
    }

    fn values(&self) -> Vec<E> {
        (0..self.rows)
            .flat_map(|i| self.rows().row(i).to_vec())
            .collect()
    }

    #[track_caller]
    fn check(&self, want: &[E], context: impl Display) {
        let mut want = want.iter();
        for (i, x) in self.data.iter().enumerate() {
            let at = i.checked_sub(self.before);
            let (row, col) = at.map_or((0, usize::MAX), |at| {
                (at / self.stride.max(1), at % self.stride.max(1))
            });
            let inside = row < self.rows && col < self.cols;
            let want = if inside {
                *want.next().unwrap()
            } else {
                canary()
            };
            let same = x.bits() == want.bits();
            assert!(
                same,
                "{context}: {x:?} for {want:?} at row {row}, column {col}, inside: {inside}"
            );
        }
        assert!(want.next().is_none(), "{context}: as many elements");
    }
}

/// Where grids lie: the gap between rows and the elements before the first, of inputs and outputs.
#[derive(Clone, Copy, Debug)]
struct Lie {
    gaps: [usize; 2],
    before: [usize; 2],
}

const LIES: [Lie; 4] = [
    Lie {
        gaps: [0, 0],
        before: [0, 0],
    },
    Lie {
        gaps: [3, 0],
        before: [1, 3],
    },
    Lie {
        gaps: [0, 16],
        before: [2, 0],
    },
    Lie {
        gaps: [5, 7],
        before: [0, 1],
    },
];

/// Every backend, on one thread and on several.
fn units() -> Vec<Backend> {
    backends().iter().flat_map(|b| [*b, b.par()]).collect()
}

fn map2<E: Bits>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> Vec<E> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

fn apply<O: Operation<E>, E: Bits>(op: O, x: &[E]) -> Vec<E> {
    op.apply_to_vec(x)
}

fn backward<O: Operation<E>, E: Bits>(op: O, x: &[E], dy: &[E]) -> Vec<E> {
    let mut dx = vec![canary(); x.len()];
    op.backward(x, dy, &mut dx);
    dx
}

/// What one gives along rows or columns, for each element.
fn spread<E: Copy>(along: Along<'_, E>, [rows, cols]: [usize; 2]) -> Vec<E> {
    (0..rows * cols)
        .map(|i| match along {
            Along::Rows(each) => each[i / cols],
            Along::Columns(each) => each[i % cols],
        })
        .collect()
}

fn affine<O: Operation<E>, E: Bits>(op: O, shape: [usize; 2], lie: Lie, units: &[Backend]) {
    let [rows, cols] = shape;
    let input = |seed| Grid::<E>::new(seed, shape, lie.gaps[0], lie.before[0]);
    let output = || Grid::<E>::new(99, shape, lie.gaps[1], lie.before[1]);
    let [x, r, dy] = [1, 2, 3].map(input);
    let [per_row, row_too] = [4, 5].map(|seed| Grid::<E>::new(seed, [1, rows], 0, 0).values());
    let [per_col, col_too] = [6, 7].map(|seed| Grid::<E>::new(seed, [1, cols], 0, 0).values());
    let (xs, dys) = (x.values(), dy.values());
    let context = |form: &str, b| format!("{form} of {} {shape:?} {lie:?} on {b:?}", E::DTYPE);

    for (b, s) in [
        (Along::Rows(&per_row[..]), Along::Columns(&per_col[..])),
        (Along::Columns(&per_col), Along::Rows(&per_row)),
        (Along::Rows(&per_row), Along::Rows(&row_too)),
        (Along::Columns(&per_col), Along::Columns(&col_too)),
    ] {
        let sum = map2(&xs, &spread(b, shape), E::plus);
        let (want, want_dx) = (apply(op, &sum), backward(op, &sum, &dys));
        for &unit in units {
            let mut y = output();
            unit.bias(op, x.rows(), b, y.rows_mut());
            y.check(&want, context("bias", unit));
            let mut y = x.clone();
            unit.bias_in_place(op, y.rows_mut(), b);
            y.check(&want, context("bias in place", unit));
            let mut dx = output();
            unit.bias_backward(op, x.rows(), b, dy.rows(), dx.rows_mut());
            dx.check(&want_dx, context("bias backward", unit));
            let mut dx = dy.clone();
            unit.bias_backward_in_place(op, x.rows(), b, dx.rows_mut());
            dx.check(&want_dx, context("bias backward in place", unit));
        }
        let scale = spread(s, shape);
        let sum = map2(&map2(&xs, &scale, E::times), &spread(b, shape), E::plus);
        let (want, slope) = (apply(op, &sum), map2(&dys, &scale, E::times));
        let want_dx = backward(op, &sum, &slope);
        for &unit in units {
            let mut y = output();
            unit.scale_bias(op, x.rows(), s, b, y.rows_mut());
            y.check(&want, context("scale, bias", unit));
            let mut y = x.clone();
            unit.scale_bias_in_place(op, y.rows_mut(), s, b);
            y.check(&want, context("scale, bias in place", unit));
            let mut dx = output();
            unit.scale_bias_backward(op, x.rows(), s, b, dy.rows(), dx.rows_mut());
            dx.check(&want_dx, context("scale, bias backward", unit));
            let mut dx = dy.clone();
            unit.scale_bias_backward_in_place(op, x.rows(), s, b, dx.rows_mut());
            dx.check(&want_dx, context("scale, bias backward in place", unit));
        }
    }

    let sum = map2(&xs, &r.values(), E::plus);
    let (want, want_dx) = (apply(op, &sum), backward(op, &sum, &dys));
    for &unit in units {
        let mut y = output();
        unit.residual(op, x.rows(), r.rows(), y.rows_mut());
        y.check(&want, context("residual", unit));
        let mut y = x.clone();
        unit.residual_in_place(op, y.rows_mut(), r.rows());
        y.check(&want, context("residual in place", unit));
        // A sum that lies like the inputs does not share its lines' ends with `y`.
        for mut z in [output(), input(98)] {
            let mut y = output();
            unit.residual_sum(op, x.rows(), r.rows(), z.rows_mut(), y.rows_mut());
            z.check(&sum, context("the residual's sum", unit));
            y.check(&want, context("residual and sum", unit));
        }
        let (mut z, mut y) = (x.clone(), output());
        unit.residual_sum_in_place(op, z.rows_mut(), r.rows(), y.rows_mut());
        z.check(&sum, context("the residual's sum in place", unit));
        y.check(&want, context("residual and sum in place", unit));
        let mut dx = output();
        unit.residual_backward(op, x.rows(), r.rows(), dy.rows(), dx.rows_mut());
        dx.check(&want_dx, context("residual backward", unit));
        let mut dx = dy.clone();
        unit.residual_backward_in_place(op, x.rows(), r.rows(), dx.rows_mut());
        dx.check(&want_dx, context("residual backward in place", unit));
    }
}

fn gates<O: Operation<E>, E: Bits>(op: O, shape: [usize; 2], lie: Lie, units: &[Backend]) {
    let [rows, cols] = shape;
    let input = |seed| Grid::<E>::new(seed, shape, lie.gaps[0], lie.before[0]);
    let output = || Grid::<E>::new(99, shape, lie.gaps[1], lie.before[1]);
    let wide = |seed, i| Grid::<E>::new(seed, [rows, 2 * cols], lie.gaps[i], lie.before[i]);
    let [g, v, dy] = [1, 2, 3].map(input);
    let (gs, vs, dys) = (g.values(), v.values(), dy.values());
    let open = apply(op, &gs);
    let want = map2(&open, &vs, E::times);
    let want_dv = map2(&dys, &open, E::times);
    let want_dg = backward(op, &gs, &map2(&dys, &vs, E::times));
    let context = |form: &str, b| format!("{form} of {} {shape:?} {lie:?} on {b:?}", E::DTYPE);
    // The same numbers side by side and interleaved, with the gradients as they should become.
    let lay = |grid: &Grid<E>, a: &[E], b: &[E], at: fn(usize, usize) -> [usize; 2]| {
        let mut grid = grid.clone();
        for i in 0..rows * cols {
            let row = grid.before + i / cols * grid.stride;
            let [first, second] = at(i % cols, cols);
            (grid.data[row + first], grid.data[row + second]) = (a[i], b[i]);
        }
        grid
    };
    let split = |i, cols| [i, cols + i];
    let mixed = |i, _| [2 * i, 2 * i + 1];
    let (x_split, x_mixed) = (
        lay(&wide(9, 0), &gs, &vs, split),
        lay(&wide(9, 0), &gs, &vs, mixed),
    );
    let dx_split = lay(&wide(8, 1), &want_dg, &want_dv, split).values();
    let dx_mixed = lay(&wide(8, 1), &want_dg, &want_dv, mixed).values();

    for &unit in units {
        let mut y = output();
        unit.gate(op, g.rows(), v.rows(), y.rows_mut());
        y.check(&want, context("gate", unit));
        let mut y = g.clone();
        unit.gate_in_place(op, y.rows_mut(), v.rows());
        y.check(&want, context("gate in place", unit));
        for mut dv in [output(), input(98)] {
            let mut dg = output();
            unit.gate_backward(
                op,
                g.rows(),
                v.rows(),
                dy.rows(),
                dg.rows_mut(),
                dv.rows_mut(),
            );
            dg.check(&want_dg, context("dg", unit));
            dv.check(&want_dv, context("dv", unit));
        }
        let (mut dg, mut dv) = (g.clone(), v.clone());
        unit.gate_backward_in_place(op, dg.rows_mut(), dv.rows_mut(), dy.rows());
        dg.check(&want_dg, context("dg in place", unit));
        dv.check(&want_dv, context("dv in place", unit));

        let (mut y, mut dx) = (output(), wide(8, 1));
        let ((a, b), (da, db)) = (x_split.rows().halves(), dx.rows_mut().halves());
        unit.gate(op, a, b, y.rows_mut());
        y.check(&want, context("gate of halves", unit));
        unit.gate_backward(op, a, b, dy.rows(), da, db);
        dx.check(&dx_split, context("gate of halves backward", unit));

        let (mut y, mut dx) = (output(), wide(8, 1));
        unit.gate_interleaved(op, x_mixed.rows(), y.rows_mut());
        y.check(&want, context("interleaved gate", unit));
        unit.gate_interleaved_backward(op, x_mixed.rows(), dy.rows(), dx.rows_mut());
        dx.check(&dx_mixed, context("interleaved gate backward", unit));
    }
}

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
            all_dtypes(LeakyRelu { slope: 0.1 }, shape, lie);
            all_dtypes(Clip::new(-1.0, 0.5).unwrap(), shape, lie);
        }
    }
}

/// Lengths from which threads share the work.
#[test]
fn shapes_that_are_split() {
    let len = parallel::BREAK_EVEN / 8 + 100;
    on_three_threads(|| {
        for lie in LIES {
            all_dtypes(LeakyRelu { slope: -0.5 }, [len / 7, 7], lie);
            affine::<_, f32>(Relu, [len / 3000 + 1, 3000], lie, &units());
            gates::<_, f32>(Relu, [len / 3000 + 1, 3000], lie, &units());
        }
    });
}

/// Lengths from which stores go past the caches, with rows that are whole lines and such that are
/// not, short ones and long. How each backend stores is the kernels' own test; here, one is enough.
#[test]
#[cfg_attr(
    not(target_arch = "x86_64"),
    ignore = "only x86-64 stores past the caches, and an emulator takes minutes"
)]
fn shapes_that_stream() {
    let len = memory::streaming_threshold() / 2 / size_of::<f32>() + 1;
    let units = [backends()[0], backends()[0].par()];
    on_three_threads(|| {
        for (cols, lie) in [
            (9, LIES[0]),
            (9, LIES[1]),
            (1024, LIES[2]),
            (1_000_001, LIES[3]),
        ] {
            affine::<_, f32>(Relu, [len.div_ceil(cols), cols], lie, &units);
            gates::<_, f32>(Relu, [len.div_ceil(cols), cols], lie, &units);
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

/// The trait's methods are those of the backend in use, and outputs need not be initialised.
#[test]
fn the_trait_and_uninitialised_outputs() {
    let [x, r, dy] = [1, 2, 3].map(|seed| Grid::<f32>::new(seed, [1, 500_000], 0, 0).values());
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
    halfwave::reglu(&x, &r, &mut y);
    b.gate(Relu, &x, &r, &mut want);
    assert!(y.iter().zip(&want).all(|(y, x)| y.to_bits() == x.to_bits()));
    let mut dx = vec![0.0; x.len()];
    Relu.par_bias_backward(&x, Along::Rows(&[0.5]), &dy, &mut dx);
    b.bias_backward(Relu, &x, Along::Rows(&[0.5]), &dy, &mut want);
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
    let infinite = Along::Rows(&[f32::INFINITY][..]);
    let mut dx = [5.0; 3];
    Relu.scale_bias_backward(&[-1.0f32; 3], infinite, Along::Rows(&[1.0]), &dy, &mut dx);
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
        &|| Relu.bias(&x, Along::Columns(&[0.0; 3]), &mut [0.0; 12]),
        &["b has 3 elements", "each column of x: 12"],
    );
    told(
        &|| Relu.scale_bias_in_place(&mut [0.0f32; 4], Along::Rows(&[]), Along::Rows(&[0.0])),
        &["s has 0 elements", "each row of x: 1"],
    );
    told(
        &|| Relu.gate_interleaved(&x, &mut [0.0; 12]),
        &["x has 1 × 12", "y has 1 × 12", "two elements"],
    );
    assert_eq!(Rows::strided(&x, 2, 3, 6).rows(), 2);
    assert_eq!(Rows::strided(&x[..0], 0, 3, 6).cols(), 3);
}
