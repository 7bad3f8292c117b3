//! An operation chosen at run time has the forms of one whose type is known, with the same bits.

mod floats;

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use floats::{Plain, assert_same, numbers};
use halfwave::*;

const ROWS: usize = 5;
const COLS: usize = 36;
const LEN: usize = ROWS * COLS;

fn rows<E: Plain>(x: &[E]) -> Rows<'_, E> {
    Rows::new(x, ROWS, x.len() / ROWS)
}

fn rows_mut<E: Plain>(x: &mut [E]) -> RowsMut<'_, E> {
    RowsMut::new(x, ROWS, x.len() / ROWS)
}

/// What methods made, by their names.
struct Made<E>(Forms<E>);

impl<E: Plain> Made<E> {
    /// By a method that writes to an array which holds nothing of the result yet.
    fn to(&mut self, name: &'static str, len: usize, method: &mut dyn FnMut(&mut [E])) {
        let mut y = vec![E::from_f64(7.5); len];
        method(&mut y);
        self.0.push((name, y));
    }

    /// By a method that works in place.
    fn of(&mut self, name: &'static str, x: &[E], method: &mut dyn FnMut(&mut [E])) {
        let mut y = x.to_vec();
        method(&mut y);
        self.0.push((name, y));
    }
}

/// What every method makes, by name: `$call!(method(arguments))` is a call of one.
macro_rules! forms {
    ($call:ident, $x:expr, $r:expr, $dy:expr) => {{
        let (x, r, dy) = ($x, $r, $dy);
        let (row, col) = (&r[..ROWS], &dy[..COLS]);
        let (s, b) = (Broadcast::PerColumn(col), Broadcast::PerRow(row));
        let mut all = Made(Vec::new());
        all.to("apply", LEN, &mut |y| $call!(apply(x, y)));
        all.of("apply_in_place", x, &mut |y| $call!(apply_in_place(y)));
        all.0.push(("apply_to_vec", $call!(apply_to_vec(x))));
        let mut fresh = [MaybeUninit::uninit(); LEN];
        all.0
            .push(("apply_uninit", $call!(apply_uninit(x, &mut fresh)).to_vec()));
        all.to("apply_rows", LEN, &mut |y| {
            $call!(apply_rows(rows(x), rows_mut(y)))
        });
        all.of("apply_rows_in_place", x, &mut |y| {
            $call!(apply_rows_in_place(rows_mut(y)))
        });
        all.to("backward", LEN, &mut |y| $call!(backward(x, dy, y)));
        all.of("backward_in_place", dy, &mut |y| {
            $call!(backward_in_place(x, y))
        });
        all.0.push((
            "backward_uninit",
            $call!(backward_uninit(x, dy, &mut fresh)).to_vec(),
        ));
        all.to("backward_rows", LEN, &mut |y| {
            $call!(backward_rows(rows(x), rows(dy), rows_mut(y)))
        });
        all.of("backward_rows_in_place", dy, &mut |y| {
            $call!(backward_rows_in_place(rows(x), rows_mut(y)))
        });
        all.to("bias", LEN, &mut |y| $call!(bias(rows(x), b, rows_mut(y))));
        all.of("bias_in_place", x, &mut |y| {
            $call!(bias_in_place(rows_mut(y), s))
        });
        all.to("bias_backward", LEN, &mut |y| {
            $call!(bias_backward(rows(x), s, rows(dy), rows_mut(y)))
        });
        all.of("bias_backward_in_place", dy, &mut |y| {
            $call!(bias_backward_in_place(rows(x), b, rows_mut(y)))
        });
        all.to("residual", LEN, &mut |y| $call!(residual(x, r, y)));
        all.of("residual_in_place", x, &mut |y| {
            $call!(residual_in_place(y, r))
        });
        all.to("residual_sum", 2 * LEN, &mut |y| {
            let (sum, y) = y.split_at_mut(LEN);
            $call!(residual_sum(x, r, sum, y))
        });
        all.to("residual_sum_in_place", 2 * LEN, &mut |y| {
            let (sum, y) = y.split_at_mut(LEN);
            sum.copy_from_slice(x);
            $call!(residual_sum_in_place(sum, r, y))
        });
        all.to("residual_backward", LEN, &mut |y| {
            $call!(residual_backward(x, r, dy, y))
        });
        all.of("residual_backward_in_place", dy, &mut |y| {
            $call!(residual_backward_in_place(x, r, y))
        });
        all.to("scale_bias", LEN, &mut |y| {
            $call!(scale_bias(rows(x), s, b, rows_mut(y)))
        });
        all.of("scale_bias_in_place", x, &mut |y| {
            $call!(scale_bias_in_place(rows_mut(y), b, s))
        });
        all.to("scale_bias_backward", LEN, &mut |y| {
            $call!(scale_bias_backward(rows(x), s, b, rows(dy), rows_mut(y)))
        });
        all.of("scale_bias_backward_in_place", dy, &mut |y| {
            $call!(scale_bias_backward_in_place(rows(x), b, s, rows_mut(y)))
        });
        all.to("gate", LEN, &mut |y| $call!(gate(x, r, y)));
        all.of("gate_in_place", x, &mut |y| $call!(gate_in_place(y, r)));
        all.to("gate_backward", 2 * LEN, &mut |y| {
            let (dg, dv) = y.split_at_mut(LEN);
            $call!(gate_backward(x, r, dy, dg, dv))
        });
        all.to("gate_backward_in_place", 2 * LEN, &mut |y| {
            let (g, v) = y.split_at_mut(LEN);
            g.copy_from_slice(x);
            v.copy_from_slice(r);
            $call!(gate_backward_in_place(g, v, dy))
        });
        all.to("gate_interleaved", LEN / 2, &mut |y| {
            $call!(gate_interleaved(x, y))
        });
        all.to("gate_interleaved_backward", LEN, &mut |y| {
            $call!(gate_interleaved_backward(x, &dy[..LEN / 2], y))
        });
        all.0
    }};
}

type Forms<E> = Vec<(&'static str, Vec<E>)>;

fn typed<O: Operation<E>, E: Plain>(op: O, on: Backend, [x, r, dy]: [&[E]; 3]) -> Forms<E> {
    macro_rules! call {
        ($method:ident($($arg:expr),*)) => { on.$method(op, $($arg),*) };
    }
    let mut all = forms!(call, x, r, dy);
    if op.has_backward_from_output::<E>() {
        let mut dx = vec![E::default(); LEN];
        on.backward_from_output(op, x, dy, &mut dx);
        all.extend(std::iter::repeat_n(("from the output", dx), 3));
    }
    all
}

fn chosen<E: Plain>(op: OpOn, [x, r, dy]: [&[E]; 3]) -> Forms<E> {
    macro_rules! call {
        ($method:ident($($arg:expr),*)) => { op.$method($($arg),*).unwrap() };
    }
    let mut all = forms!(call, x, r, dy);
    let (mut to, mut fresh) = (vec![E::default(); LEN], [MaybeUninit::uninit(); LEN]);
    let mut dx = dy.to_vec();
    if op.op().has_backward_from_output::<E>() {
        op.backward_from_output(x, dy, &mut to).unwrap();
        all.push(("backward_from_output", to));
        op.backward_from_output_in_place(x, &mut dx).unwrap();
        all.push(("backward_from_output_in_place", dx));
        let dx = op.backward_from_output_uninit(x, dy, &mut fresh).unwrap();
        all.push(("backward_from_output_uninit", dx.to_vec()));
    } else {
        let refused = OpError::FromOutput(op.op());
        let error = op.backward_from_output(x, dy, &mut to).unwrap_err();
        assert_eq!(error, refused);
        let error = op.backward_from_output_in_place(x, &mut dx).unwrap_err();
        assert_eq!(error, refused);
        let error = op.backward_from_output_uninit(x, dy, &mut fresh);
        assert_eq!(error.unwrap_err(), refused);
    }
    all
}

fn check<O: Operation<E>, E: Plain>(op: O, by_name: Op) {
    let arrays = [1, 2, 3].map(|seed| numbers::<E>(LEN, seed));
    let arrays = arrays.each_ref().map(Vec::as_slice);
    for b in backends() {
        for b in [*b, b.par()] {
            let (want, got) = (typed(op, b, arrays), chosen(by_name.on(b), arrays));
            assert_eq!(want.len(), got.len(), "{by_name}");
            for ((_, want), (form, got)) in want.iter().zip(&got) {
                assert_same(got, want, format_args!("{form} of {by_name} on {b:?}"));
            }
        }
    }
}

macro_rules! checks {
    ($($name:ident: $Op:ident in $Row:ident;)*) => {
        #[test]
        fn every_form_of_an_op_is_that_of_the_operation_it_names() {
            $(
                let op = $Op::default();
                check::<_, f32>(op, Op::$Op(op));
            )*
        }
    };
}
halfwave_kernels::for_each_op!(checks);

/// An operation without a parameter, with one and with two: what an `Op` does with the dtype does not depend on which. (All
/// operations on all dtypes took the compiler a minute.)
#[test]
fn every_form_of_an_op_is_right_on_every_dtype() {
    fn of<E: Plain>() {
        check::<_, E>(Gelu, Op::Gelu(Gelu));
        let (leaky, clip) = (LeakyRelu::default(), Clip::default());
        check::<_, E>(leaky, Op::LeakyRelu(leaky));
        check::<_, E>(clip, Op::Clip(clip));
    }
    of::<f64>();
    of::<f16>();
    of::<bf16>();
}

#[test]
fn an_op_quantises_as_the_operation_it_names() {
    fn check<E: Plain + Quantizable>() {
        let x = numbers::<E>(LEN, 1);
        let to = Quantization::<u8>::new(0.01, 100).unwrap();
        let (gelu, by_name) = (Gelu, Op::Gelu(Gelu));
        let mut want = [0; LEN];
        gelu.quantize(&x, to, &mut want);
        let (mut got, mut fresh) = ([1; LEN], [MaybeUninit::uninit(); LEN]);
        by_name.quantize(&x, to, &mut got).unwrap();
        assert_eq!(got, want);
        by_name.par_quantize(&x, to, &mut got).unwrap();
        assert_eq!(got, want);
        assert_eq!(by_name.quantize_to_vec(&x, to).unwrap(), want);
        let got = by_name.quantize_uninit(&x, to, &mut fresh).unwrap();
        assert_eq!(got, want);
    }
    check::<f32>();
    check::<f16>();
    check::<bf16>();
}

/// The methods of `Op` itself are those of `OpOn`, on the backend of choice and on its pool.
#[test]
fn the_fused_methods_of_an_op_run_on_the_backend_of_choice() {
    let op: Op = "relu".parse().unwrap();
    let (x, b) = (
        [1.0f32, -2.0, 3.0, -4.0],
        Broadcast::PerColumn(&[0.5, 10.0][..]),
    );
    let mut y = [9.0; 4];
    op.bias(Rows::new(&x, 2, 2), b, RowsMut::new(&mut y, 2, 2))
        .unwrap();
    assert_eq!(y, [1.5, 8.0, 3.5, 6.0]);
    y = [9.0; 4];
    op.par_bias(Rows::new(&x, 2, 2), b, RowsMut::new(&mut y, 2, 2))
        .unwrap();
    assert_eq!(y, [1.5, 8.0, 3.5, 6.0]);
    assert_eq!(op.apply_to_vec(&x), Ok(vec![1.0, 0.0, 3.0, 0.0]));
    assert_eq!(op.par_apply_to_vec(&x), Ok(vec![1.0, 0.0, 3.0, 0.0]));
    y = [9.0; 4];
    op.par_backward_in_place(&x, &mut y).unwrap();
    assert_eq!(y, [9.0, 0.0, 9.0, 0.0]);
}

/// What depends on a choice at run time is an error, and leaves the arrays as they are; arrays that do
/// not go together are a mistake of the program, and panic.
#[test]
fn a_choice_is_refused_with_an_error_and_a_mistake_with_a_panic() {
    let relu = Op::Relu(Relu);
    let (ints, mut dst) = ([1i8, -1], [7i8, 7]);
    let refused = Err(OpError::Dtype(relu, Dtype::I8));
    assert_eq!(relu.backward(&ints, &ints, &mut dst), refused);
    assert_eq!(relu.backward_in_place(&ints, &mut dst), refused);
    assert_eq!(relu.backward_rows_in_place(&ints, &mut dst), refused);
    assert_eq!(relu.backward_from_output_in_place(&ints, &mut dst), refused);
    let gelu = Op::Gelu(Gelu);
    let refused = OpError::Dtype(gelu, Dtype::I8);
    assert_eq!(gelu.apply_rows(&ints, &mut dst), Err(refused.clone()));
    assert_eq!(gelu.apply_to_vec(&ints), Err(refused));
    assert_eq!(dst, [7, 7]);

    fn message(call: impl FnOnce() -> Result<(), OpError>) -> String {
        let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }
    let (x, mut y) = ([1.0f32; 3], [0.0f32; 2]);
    for said in [
        message(|| relu.apply(&x, &mut y)),
        message(|| relu.apply_rows(&x, &mut y)),
        message(|| relu.residual(&x, &x, &mut y)),
        message(|| relu.quantize(&x, Quantization::<u8>::new(1.0, 0).unwrap(), &mut [0; 2])),
    ] {
        assert!(said.contains('3') && said.contains('2'), "{said}");
    }
}
