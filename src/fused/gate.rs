//! Gated units: one half of a layer's output opens or shuts the other.

use halfwave_kernels::{Float, LeakyRelu};

use crate::backend::Backend;
use crate::blocks::{Scratch, Walk};
use crate::kernels::Blockwise;
use crate::rows::{Rows, RowsMut, View};

/// `y = f(g) · v`, of one shape. `y` may be `g`.
pub(super) fn forward<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    g: Rows<'_, E>,
    v: Rows<'_, E>,
    y: RowsMut<'_, E>,
) {
    let walk = Walk::to(&y, g.view.is(&y.view), 3);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<2>::new();
        let [z, room] = scratch.rooms::<E>();
        for block in walk.blocks(range) {
            f.gate(g.gather(&block, z), v.gather(&block, room), z, y.at(&block));
        }
    });
}

/// `dg = dy · v · f′(g)` and `dv = f(g) · dy`, of one shape. `dg` may be `g`, and `dv` then is `v`.
pub(super) fn backward<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    [g, v, dy]: [Rows<'_, E>; 3],
    dg: RowsMut<'_, E>,
    dv: RowsMut<'_, E>,
) {
    let mul = backend.kernels().mul::<E>();
    let in_place = g.view.is(&dg.view);
    let walk = Walk::to(&dg, in_place, if in_place { 3 } else { 5 }).with(&dv.view);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<4>::new();
        let [s, t, near, room] = scratch.rooms::<E>();
        for block in walk.blocks(range) {
            let scaled = t.dst(block.len);
            let (g, dy) = (g.gather(&block, room), dy.gather(&block, near));
            // `v` has been read when `dv` is written, and `g` when `dg` is.
            mul.zip(dy, v.gather(&block, t), scaled);
            f.gate(g, dy, s, dv.beside(&block));
            f.backward(g, scaled.written(), dg.at(&block));
        }
    });
}

/// `y = f(g) · v` of pairs `[g, v]`, of one shape.
pub(super) fn interleaved<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    x: Rows<'_, [E; 2]>,
    y: RowsMut<'_, E>,
) {
    let kernels = backend.kernels();
    let walk = Walk::to(&y, false, 3);
    walk.split(backend.threads(), |range| {
        let (mut scratch, mut wide) = (Scratch::<2>::new(), Scratch::<2>::new());
        let ([a, b], wide) = (scratch.rooms::<E>(), wide.whole());
        for block in walk.blocks(range) {
            let (g, v) = (a.dst(block.len), b.dst(block.len));
            kernels.deinterleave(x.gather(&block, wide), g, v);
            f.gate(g.written(), v.written(), a, y.at(&block));
        }
    });
}

/// The gradients of [`interleaved`], as pairs `[dg, dv]`, of one shape.
pub(super) fn interleaved_backward<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    x: Rows<'_, [E; 2]>,
    dy: Rows<'_, E>,
    dx: RowsMut<'_, [E; 2]>,
) {
    let kernels = backend.kernels();
    let mul = kernels.mul::<E>();
    // Twice the 2½ arrays, for `dx` and its elements are pairs here.
    let walk = Walk::to(&dx, false, 3);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<5>::new();
        let [a, b, c, near, wide] = scratch.rooms::<E>();
        for block in walk.blocks(range) {
            let [g, v, s] = [a, b, c].map(|room| room.dst(block.len));
            let dy = dy.gather(&block, near);
            kernels.deinterleave(x.gather(&block, wide.cast()), g, v);
            f.gate(g.written(), dy, c, s);
            mul.zip(dy, v.written(), v);
            f.backward(g.written(), v.written(), g);
            kernels.interleave(g.written(), s.written(), dx.at(&block));
        }
    });
}

/// The pairs of `x`, which has one for each element of the other.
#[track_caller]
pub(super) fn pairs<'a, E: Float>(
    x: Rows<'a, E>,
    (name, other): (&str, &View<E>),
) -> Rows<'a, [E; 2]> {
    assert!(
        x.rows() == other.rows && Some(x.cols()) == other.cols.checked_mul(2),
        "x must have two elements for each of {name}: x has {}, {name} has {} elements",
        x.view.shape(),
        other.shape()
    );
    x.pairs()
}

/// The gate that only multiplies: a leaky rectifier of slope 1 is the identity, bit for bit, so that
/// `BILINEAR.gate`, `BILINEAR.gate_backward` and their siblings are those of the bilinear unit.
///
/// ```
/// use halfwave::{BILINEAR, Fused};
///
/// let (g, v, dy) = ([2.0f32, -3.0], [5.0, 7.0], [1.0, 10.0]);
/// let (mut y, mut dg, mut dv) = ([0.0; 2], [0.0; 2], [0.0; 2]);
/// BILINEAR.gate(&g, &v, &mut y);
/// BILINEAR.gate_backward(&g, &v, &dy, &mut dg, &mut dv);
/// assert_eq!((y, dg, dv), ([10.0, -21.0], [5.0, 70.0], [2.0, -30.0]));
/// ```
pub const BILINEAR: LeakyRelu = LeakyRelu::unchecked(1.0);
