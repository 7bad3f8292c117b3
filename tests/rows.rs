//! Plain operations on rows with a stride: the bits of a slice, and nothing between the rows is touched.

mod floats;

use std::mem::MaybeUninit;

use floats::{Plain, assert_same, numbers};
use halfwave::*;

/// Rows in an array: how many, how long, and how much lies between them.
#[derive(Clone, Copy, Debug)]
struct Lie {
    rows: usize,
    cols: usize,
    gap: usize,
    before: usize,
}

impl Lie {
    fn stride(self) -> usize {
        self.cols + self.gap
    }

    fn len(self) -> usize {
        self.before + self.rows * self.stride()
    }

    /// An array with `x` in these rows and a canary elsewhere.
    fn hold<E: Plain>(self, x: &[E]) -> Vec<E> {
        let mut data = vec![E::from_f64(-7.5); self.len()];
        for (i, &x) in x.iter().enumerate() {
            data[self.before + i / self.cols * self.stride() + i % self.cols] = x;
        }
        data
    }

    fn rows<E: Plain>(self, data: &[E]) -> Rows<'_, E> {
        Rows::strided(&data[self.before..], self.rows, self.cols, self.stride())
    }

    fn rows_mut<E: Copy>(self, data: &mut [E]) -> RowsMut<'_, E> {
        RowsMut::strided(
            &mut data[self.before..],
            self.rows,
            self.cols,
            self.stride(),
        )
    }
}

fn check<O: Operation<E>, E: Plain>(
    op: O,
    [rows, cols]: [usize; 2],
    gaps: [usize; 3],
    before: usize,
) {
    let [x, dy] = [1, 2].map(|seed| numbers::<E>(rows * cols, seed));
    let canary = vec![E::from_f64(3.25); rows * cols];
    let lie = |i: usize| Lie {
        rows,
        cols,
        gap: gaps[i],
        before,
    };
    let (a, b, to) = (lie(0), lie(1), lie(2));
    let (from, grad) = (a.hold(&x), b.hold(&dy));
    for backend in backends() {
        let (mut y, mut dx) = (x.clone(), x.clone());
        backend.apply(op, &x, &mut y);
        backend.backward(op, &x, &dy, &mut dx);
        for on in [*backend, backend.par()] {
            let context = |form: &str| {
                format!(
                    "{form} of {} {rows} × {cols}, {gaps:?}, {before}, on {on:?}",
                    E::DTYPE
                )
            };
            let mut got = to.hold(&canary);
            on.apply_rows(op, a.rows(&from), to.rows_mut(&mut got));
            assert_same(&got, &to.hold(&y), context("apply_rows"));
            let mut got = to.hold(&canary);
            on.backward_rows(op, a.rows(&from), b.rows(&grad), to.rows_mut(&mut got));
            assert_same(&got, &to.hold(&dx), context("backward_rows"));
            let mut got = from.clone();
            on.apply_rows_in_place(op, a.rows_mut(&mut got));
            assert_same(&got, &a.hold(&y), context("apply_rows_in_place"));
            let mut got = grad.clone();
            on.backward_rows_in_place(op, a.rows(&from), b.rows_mut(&mut got));
            assert_same(&got, &b.hold(&dx), context("backward_rows_in_place"));
        }
    }
}

#[test]
fn rows_with_any_stride_are_their_elements() {
    fn all<E: Plain>() {
        for shape in [
            [1, 1],
            [1, 700],
            [7, 1],
            [9, 3],
            [5, 64],
            [33, 37],
            [3, 1500],
        ] {
            for gaps in [[0, 0, 0], [0, 0, 1], [1, 0, 0], [3, 64, 5], [0, 7, 0]] {
                check::<_, E>(Relu, shape, gaps, shape[0] % 3);
                check::<_, E>(Silu::default(), shape, gaps, 0);
            }
        }
    }
    all::<f32>();
    all::<f64>();
    all::<f16>();
    all::<bf16>();
}

/// Enough of them for several threads, and ranges that begin amid a row.
#[test]
fn many_rows_are_split_over_threads() {
    let rows = parallel::break_even() / 4 / 1000 + 1;
    check::<_, f32>(Relu, [rows, 1000], [5, 0, 1], 1);
    check::<_, f32>(Relu, [rows, 1000], [5, 0, 0], 1);
    check::<_, f32>(Relu, [2 * rows, 500], [0, 0, 0], 1);
}

#[test]
fn integers_have_rows_too() {
    let x = [-1i16, 2, 99, 3, -4, 99];
    let mut y = [7; 4];
    Relu.apply_rows(Rows::strided(&x, 2, 2, 3), RowsMut::new(&mut y, 2, 2));
    assert_eq!(y, [0, 2, 3, 0]);
    let mut x = x;
    Relu.par_apply_rows_in_place(RowsMut::strided(&mut x, 2, 2, 3));
    assert_eq!(x, [0, 2, 99, 3, 0, 99]);
}

/// Nothing lies a stride apart, so that any will do: what tensors of one row have there is up to who made them.
#[test]
fn one_row_has_any_stride() {
    let (x, dy) = ([-1.0f32, 2.0, -3.0, 4.0], [5.0; 4]);
    let pairs = Broadcast::PerRow(&[1.0]);
    for stride in [0, 1, 4, 5, usize::MAX / 8, usize::MAX / 4, usize::MAX] {
        let context = format!("a stride of {stride}");
        let rows = |x| Rows::strided(x, 1, 4, stride);
        fn to(y: &mut [f32], stride: usize) -> RowsMut<'_, f32> {
            RowsMut::strided(y, 1, 4, stride)
        }
        assert_eq!(rows(&x).row(0), x, "{context}");
        assert_eq!(format!("{:?}", rows(&x)), "Rows(1 × 4)", "{context}");
        for on in backends().iter().flat_map(|b| [*b, b.par()]) {
            let mut y = [9.0; 4];
            on.apply_rows(Relu, rows(&x), to(&mut y, stride));
            assert_eq!(y, [0.0, 2.0, 0.0, 4.0], "{context}");
            let mut y = x;
            on.apply_rows_in_place(Relu, to(&mut y, stride));
            assert_eq!(y, [0.0, 2.0, 0.0, 4.0], "{context}");
            let mut dx = [9.0; 4];
            on.backward_rows(Relu, rows(&x), rows(&dy), to(&mut dx, stride));
            assert_eq!(dx, [0.0, 5.0, 0.0, 5.0], "{context}");
            let mut y = [9.0; 4];
            on.bias(Relu, rows(&x), pairs, to(&mut y, stride));
            assert_eq!(y, [0.0, 3.0, 0.0, 5.0], "{context}");
            let (mut y, (g, v)) = ([9.0; 2], rows(&x).halves());
            on.gate(Relu, g, v, &mut y);
            assert_eq!(y, [-0.0, 8.0], "{context}");
            let mut y = [9.0; 2];
            on.gate_interleaved(Relu, rows(&x), &mut y);
            assert_eq!(y, [0.0, -0.0], "{context}");
            let mut dx = [9.0; 4];
            on.gate_interleaved_backward(Relu, rows(&x), &[1.0; 2], to(&mut dx, stride));
            assert_eq!(dx, [0.0; 4], "{context}");
        }
    }
}

#[test]
fn no_rows_have_any_stride_and_any_number_of_columns() {
    for n in [0, 1, 4, usize::MAX / 4, usize::MAX] {
        for stride in [0, 4, usize::MAX / 4, usize::MAX] {
            let (x, mut y) = (Rows::<f32>::strided(&[], 0, n, stride), [0.0f32; 0]);
            assert_eq!((x.rows(), x.cols()), (0, n));
            for on in backends().iter().flat_map(|b| [*b, b.par()]) {
                on.apply_rows(Relu, x, RowsMut::strided(&mut y, 0, n, stride));
                on.apply_rows_in_place(Relu, RowsMut::strided(&mut y, 0, n, stride));
                on.bias(
                    Relu,
                    x,
                    Broadcast::PerRow(&[]),
                    RowsMut::strided(&mut y, 0, n, stride),
                );
                on.residual(Relu, x, x, RowsMut::strided(&mut y, 0, n, stride));
                on.gate(Relu, x, x, RowsMut::strided(&mut y, 0, n, stride));
            }
        }
    }
}

/// Rows without elements, too, may be as far apart as there is room for.
#[test]
#[should_panic(expected = "a slice of 3")]
fn rows_without_elements_end_with_the_slice() {
    let _ = Rows::strided(&[1.0f32; 3], 3, 0, usize::MAX / 4);
}

#[test]
fn rows_need_not_be_initialised() {
    let mut fresh = [MaybeUninit::<f32>::uninit(); 2];
    Relu.apply_rows(&[-1.0, 2.0], &mut fresh);
    // SAFETY: all of it has been written.
    assert_eq!(fresh.map(|y| unsafe { y.assume_init() }), [0.0, 2.0]);
}

#[test]
#[should_panic(expected = "x has 2 × 2, y has 1 × 4 elements")]
fn shapes_that_differ_panic() {
    let mut y = [0.0f32; 4];
    Relu.apply_rows(Rows::new(&[1.0; 4], 2, 2), &mut y);
}
