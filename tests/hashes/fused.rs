//! An operation with what stands beside it.

use crate::bits::Bits;
use crate::inputs::Few;
use crate::lines::{Forms, made};
use crate::names::*;
use crate::operations::Form;

/// Rows and columns: as a matrix mostly is, rows shorter than a register, rows longer than any block.
/// None has more elements than [`Few`], and most have nearly as many.
const SHAPES: [[usize; 2]; 5] = [[48, 562], [3_857, 7], [3, 9_000], [70, 64], [1, 1]];

/// The operands as matrices of one shape.
struct Matrices<'a, E> {
    rows: usize,
    cols: usize,
    few: &'a Few<E>,
}

impl<'a, E: Bits + Float> Matrices<'a, E> {
    /// For each shape.
    fn all(few: &'a Few<E>) -> impl Iterator<Item = Self> {
        SHAPES
            .map(|[rows, cols]| Self { rows, cols, few })
            .into_iter()
    }

    fn matrix(&self, of: &'a [E]) -> Rows<'a, E> {
        Rows::new(&of[..self.rows * self.cols], self.rows, self.cols)
    }

    /// Of a bias for each row, and for each column.
    fn biases(&self) -> [Broadcast<'a, E>; 2] {
        let end = self.few.c.len();
        let of = |n| &self.few.c[end - n - self.rows..][..n];
        [per_row(of(self.rows)), per_column(of(self.cols))]
    }

    /// What `write` makes of a blank matrix.
    fn made(&self, write: impl FnOnce(RowsMut<'_, E>)) -> Vec<E> {
        made(self.rows * self.cols, |to| {
            write(RowsMut::new(to, self.rows, self.cols));
        })
    }

    /// What `write` makes of a copy whose rows lie apart, with all that lies between them.
    fn changed(&self, from: &[E], write: impl FnOnce(RowsMut<'_, E>)) -> Vec<E> {
        let (cols, stride) = (self.cols, self.cols + 3);
        made(1 + self.rows * stride, |to| {
            let rows = to[1..].chunks_mut(stride).zip(from.chunks(cols));
            rows.for_each(|(to, from)| to[..cols].copy_from_slice(from));
            write(RowsMut::strided(&mut to[1..], self.rows, cols, stride));
        })
    }
}

/// Forms of `f(x + b)`, `f(x + r)` and `f(x · s + b)`.
pub struct Affine<'a, 'l, E> {
    pub forms: &'a mut Forms<'l>,
    pub few: &'a Few<E>,
}

impl<E: Bits + Float> Form<E> for Affine<'_, '_, E> {
    fn run<O: Operation<E>>(self, op: O) {
        for m in Matrices::all(self.few) {
            let [rows, columns] = m.biases();
            bias(
                self.forms,
                op,
                &m,
                ["bias_rows", "bias_rows_backward"],
                rows,
            );
            let names = ["bias_columns", "bias_columns_backward"];
            bias(self.forms, op, &m, names, columns);
            scale_bias(self.forms, op, &m, [rows, columns]);
            scale_bias(self.forms, op, &m, [columns, rows]);
            residual(self.forms, op, &m);
        }
    }
}

fn bias<O: Operation<E>, E: Bits + Float>(
    forms: &mut Forms<'_>,
    op: O,
    m: &Matrices<'_, E>,
    [forward, backward]: [&str; 2],
    bias: Broadcast<'_, E>,
) {
    let b = forms.backend();
    let (x, dy) = (m.matrix(&m.few.a), m.matrix(&m.few.b));
    forms.add(forward, &m.made(|y| b.bias(op, x, bias, y)));
    let y = m.changed(&m.few.a, |x| b.bias_in_place(op, x, bias));
    forms.add(forward, &y);
    let dx = m.made(|dx| b.bias_backward(op, x, bias, dy, dx));
    forms.add(backward, &dx);
    let dx = m.changed(&m.few.b, |dy| b.bias_backward_in_place(op, x, bias, dy));
    forms.add(backward, &dx);
}

fn scale_bias<O: Operation<E>, E: Bits + Float>(
    forms: &mut Forms<'_>,
    op: O,
    m: &Matrices<'_, E>,
    [scale, bias]: [Broadcast<'_, E>; 2],
) {
    let b = forms.backend();
    let (x, dy) = (m.matrix(&m.few.a), m.matrix(&m.few.b));
    let y = m.made(|y| b.scale_bias(op, x, scale, bias, y));
    forms.add("scale_bias", &y);
    let y = m.changed(&m.few.a, |x| b.scale_bias_in_place(op, x, scale, bias));
    forms.add("scale_bias", &y);
    let dx = m.made(|dx| b.scale_bias_backward(op, x, scale, bias, dy, dx));
    forms.add("scale_bias_backward", &dx);
    let dx = m.changed(&m.few.b, |dy| {
        b.scale_bias_backward_in_place(op, x, scale, bias, dy);
    });
    forms.add("scale_bias_backward", &dx);
}

fn residual<O: Operation<E>, E: Bits + Float>(forms: &mut Forms<'_>, op: O, m: &Matrices<'_, E>) {
    let b = forms.backend();
    let [x, r, dy] = [&m.few.a, &m.few.b, &m.few.c].map(|of| m.matrix(of));
    forms.add("residual", &m.made(|y| b.residual(op, x, r, y)));
    let y = m.changed(&m.few.a, |x| b.residual_in_place(op, x, r));
    forms.add("residual", &y);
    let mut sum = vec![];
    let y = m.made(|y| sum = m.made(|sum| b.residual_sum(op, x, r, sum, y)));
    forms.add("residual_sum", &sum);
    forms.add("residual_sum", &y);
    let y = m.made(|y| sum = m.changed(&m.few.a, |x| b.residual_sum_in_place(op, x, r, y)));
    forms.add("residual_sum", &sum);
    forms.add("residual_sum", &y);
    let dx = m.made(|dx| b.residual_backward(op, x, r, dy, dx));
    forms.add("residual_backward", &dx);
    let dx = m.changed(&m.few.c, |dy| b.residual_backward_in_place(op, x, r, dy));
    forms.add("residual_backward", &dx);
}

/// Forms of `f(g) · v`.
pub struct Gate<'a, 'l, E> {
    pub forms: &'a mut Forms<'l>,
    pub few: &'a Few<E>,
}

impl<E: Bits + Float> Form<E> for Gate<'_, '_, E> {
    fn run<O: Operation<E>>(self, op: O) {
        for m in Matrices::all(self.few) {
            gate(self.forms, op, &m);
            if m.cols.is_multiple_of(2) {
                gate_of_one_array(self.forms, op, &m);
            }
        }
    }
}

fn gate<O: Operation<E>, E: Bits + Float>(forms: &mut Forms<'_>, op: O, m: &Matrices<'_, E>) {
    let b = forms.backend();
    let [g, v, dy] = [&m.few.a, &m.few.b, &m.few.c].map(|of| m.matrix(of));
    forms.add("gate", &m.made(|y| b.gate(op, g, v, y)));
    let y = m.changed(&m.few.a, |g| b.gate_in_place(op, g, v));
    forms.add("gate", &y);
    let mut dv = vec![];
    let dg = m.made(|dg| dv = m.made(|dv| b.gate_backward(op, g, v, dy, dg, dv)));
    forms.add("gate_backward", &dg);
    forms.add("gate_backward", &dv);
    let dg = m.changed(&m.few.a, |g| {
        dv = m.changed(&m.few.b, |v| b.gate_backward_in_place(op, g, v, dy));
    });
    forms.add("gate_backward", &dg);
    forms.add("gate_backward", &dv);
}

/// Both operands side by side in one array, or by turns.
fn gate_of_one_array<O: Operation<E>, E: Bits + Float>(
    forms: &mut Forms<'_>,
    op: O,
    m: &Matrices<'_, E>,
) {
    let b = forms.backend();
    let (cols, len) = (m.cols / 2, m.rows * m.cols / 2);
    let (x, dy) = (m.matrix(&m.few.a), Rows::new(&m.few.b[..len], m.rows, cols));
    let (g, v) = x.halves();
    fn rows<E: Copy>(y: &mut [E], cols: usize) -> RowsMut<'_, E> {
        let rows = y.len() / cols;
        RowsMut::new(y, rows, cols)
    }
    forms.add(
        "gate_halves",
        &made(len, |y: &mut [E]| b.gate(op, g, v, rows(y, cols))),
    );
    let dx = m.made(|dx| {
        let (dg, dv) = dx.halves();
        b.gate_backward(op, g, v, dy, dg, dv);
    });
    forms.add("gate_halves_backward", &dx);
    let y = made(len, |y: &mut [E]| b.gate_interleaved(op, x, rows(y, cols)));
    forms.add("gate_interleaved", &y);
    let dx = m.made(|dx| b.gate_interleaved_backward(op, x, dy, dx));
    forms.add("gate_interleaved_backward", &dx);
}

/// The gates that have a name, on the backend in use.
pub fn named_gates<E: Bits + Float>(forms: &mut Forms<'_>, few: &Few<E>) {
    let Few { a: g, b: v, c: dy } = few;
    macro_rules! named {
        ($($gate:ident $backward:ident)*) => {$(
            forms.add(stringify!($gate), &made(g.len(), |y: &mut [E]| $gate(g, v, y)));
            let mut dv = vec![];
            let dg = made(g.len(), |dg: &mut [E]| {
                dv = made(g.len(), |dv: &mut [E]| $backward(g, v, dy, dg, dv));
            });
            forms.add(stringify!($backward), &dg);
            forms.add(stringify!($backward), &dv);
        )*};
    }
    named! {
        glu glu_backward
        reglu reglu_backward
        geglu geglu_backward
        geglu_tanh geglu_tanh_backward
        swiglu swiglu_backward
    }
}
