//! Each form beside its unfused sequence.

use halfwave::{Backend, Broadcast, Operation, backends};

use crate::grid::{Bits, Grid, Lie, canary};

/// Every backend, on one thread and on several.
pub fn units() -> Vec<Backend> {
    backends().iter().flat_map(|b| [*b, b.par()]).collect()
}

fn map2<E: Bits>(a: &[E], b: &[E], f: impl Fn(E, E) -> E) -> Vec<E> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

fn apply<O: Operation<E>, E: Bits>(b: Backend, op: O, x: &[E]) -> Vec<E> {
    let mut y = vec![canary(); x.len()];
    b.apply(op, x, &mut y);
    y
}

fn backward<O: Operation<E>, E: Bits>(b: Backend, op: O, x: &[E], dy: &[E]) -> Vec<E> {
    let mut dx = vec![canary(); x.len()];
    b.backward(op, x, dy, &mut dx);
    dx
}

/// What one gives along rows or columns, for each element.
fn spread<E: Copy>(along: Broadcast<'_, E>, [rows, cols]: [usize; 2]) -> Vec<E> {
    (0..rows * cols)
        .map(|i| match along {
            Broadcast::PerRow(each) => each[i / cols],
            Broadcast::PerColumn(each) => each[i % cols],
        })
        .collect()
}

/// Bias, scale and bias, residual and their backward on one shape, beside the calls of the first unit:
/// all must give the same.
pub fn affine<O: Operation<E>, E: Bits>(op: O, shape: [usize; 2], lie: Lie, units: &[Backend]) {
    let ([rows, cols], first) = (shape, units[0]);
    let input = |seed| Grid::<E>::new(seed, shape, lie.gaps[0], lie.before[0]);
    let output = || Grid::<E>::new(99, shape, lie.gaps[1], lie.before[1]);
    let [x, r, dy] = [1, 2, 3].map(input);
    let [per_row, row_too] = [4, 5].map(|seed| Grid::<E>::new(seed, [1, rows], 0, 0).values());
    let [per_col, col_too] = [6, 7].map(|seed| Grid::<E>::new(seed, [1, cols], 0, 0).values());
    let (xs, dys) = (x.values(), dy.values());
    let context = |form: &str, b| format!("{form} of {} {shape:?} {lie:?} on {b:?}", E::DTYPE);

    for (b, s) in [
        (
            Broadcast::PerRow(&per_row[..]),
            Broadcast::PerColumn(&per_col[..]),
        ),
        (Broadcast::PerColumn(&per_col), Broadcast::PerRow(&per_row)),
        (Broadcast::PerRow(&per_row), Broadcast::PerRow(&row_too)),
        (
            Broadcast::PerColumn(&per_col),
            Broadcast::PerColumn(&col_too),
        ),
    ] {
        let sum = map2(&xs, &spread(b, shape), E::plus);
        let (want, want_dx) = (apply(first, op, &sum), backward(first, op, &sum, &dys));
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
        let (want, slope) = (apply(first, op, &sum), map2(&dys, &scale, E::times));
        let want_dx = backward(first, op, &sum, &slope);
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
    let (want, want_dx) = (apply(first, op, &sum), backward(first, op, &sum, &dys));
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

/// Gates of two arrays, of halves and interleaved, and their backward on one shape.
pub fn gates<O: Operation<E>, E: Bits>(op: O, shape: [usize; 2], lie: Lie, units: &[Backend]) {
    let ([rows, cols], first) = (shape, units[0]);
    let input = |seed| Grid::<E>::new(seed, shape, lie.gaps[0], lie.before[0]);
    let output = || Grid::<E>::new(99, shape, lie.gaps[1], lie.before[1]);
    let wide = |seed, i| Grid::<E>::new(seed, [rows, 2 * cols], lie.gaps[i], lie.before[i]);
    let [g, v, dy] = [1, 2, 3].map(input);
    let (gs, vs, dys) = (g.values(), v.values(), dy.values());
    let open = apply(first, op, &gs);
    let want = map2(&open, &vs, E::times);
    let want_dv = map2(&open, &dys, E::times);
    let want_dg = backward(first, op, &gs, &map2(&dys, &vs, E::times));
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
