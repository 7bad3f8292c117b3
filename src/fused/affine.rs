//! `x · s + b`, where `s` and `b` may be missing or broadcast: bias, residual, scale and bias.

use halfwave_kernels::Float;

use crate::backend::Backend;
use crate::blocks::{Broadcast, Operand, Scratch, Value, Walk};
use crate::kernels::Blockwise;
use crate::rows::{Rows, RowsMut, View};

/// `s` and `b` of `x · s + b`.
#[derive(Clone, Copy)]
pub(super) struct Affine<'a, E> {
    scale: Option<Operand<'a, E>>,
    shift: Operand<'a, E>,
}

impl<'a, E: Float> Affine<'a, E> {
    /// `x + b`.
    ///
    /// # Panics
    /// Unless `b` fits `x`.
    #[track_caller]
    pub(super) fn bias(b: Broadcast<'a, E>, x: &View<E>) -> Self {
        Self {
            scale: None,
            shift: b.operand("b", x),
        }
    }

    /// `x + r`.
    pub(super) fn residual(r: Rows<'a, E>) -> Self {
        Self {
            scale: None,
            shift: Operand::Each(r),
        }
    }

    /// `x · s + b`.
    ///
    /// # Panics
    /// Unless both fit `x`.
    #[track_caller]
    pub(super) fn scale_bias(s: Broadcast<'a, E>, b: Broadcast<'a, E>, x: &View<E>) -> Self {
        Self {
            scale: Some(s.operand("s", x)),
            shift: b.operand("b", x),
        }
    }

    /// How many arrays as large as `x` these are.
    fn arrays(&self) -> usize {
        usize::from(self.shift.is_each())
    }
}

/// `y = f(x · s + b)`, each step rounded, of one shape. `y` may be `x`.
pub(super) fn forward<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    x: Rows<'_, E>,
    affine: Affine<'_, E>,
    y: RowsMut<'_, E>,
) {
    let mul = backend.kernels().mul::<E>();
    let walk = Walk::to(&y, x.view.is(&y.view), 2 + affine.arrays());
    let cols = x.cols();
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<2>::new();
        let mut tiles = [Scratch::<2>::new(), Scratch::<2>::new()];
        let ([z, room], [s, b]) = (scratch.rooms::<E>(), tiles.each_mut());
        let scale = affine
            .scale
            .map(|scale| scale.on(&walk, cols, &range, s.whole()));
        let shift = affine.shift.on(&walk, cols, &range, b.whole());
        for block in walk.blocks(range) {
            let mut from = x.gather(&block, z);
            if let Some(scale) = &scale {
                let product = z.dst(block.len);
                mul.call(from, scale.at(&block, room), product);
                from = product.written();
            }
            f.add_then(from, shift.at(&block, room), z, y.at(&block));
        }
    });
}

/// `dx = dy · s · f′(x · s + b)`, each step rounded, of one shape. `dx` may be `dy`.
pub(super) fn backward<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    x: Rows<'_, E>,
    affine: Affine<'_, E>,
    dy: Rows<'_, E>,
    dx: RowsMut<'_, E>,
) {
    let kernels = backend.kernels();
    let (add, mul) = (kernels.add::<E>(), kernels.mul::<E>());
    let walk = Walk::to(&dx, dy.view.is(&dx.view), 3 + affine.arrays());
    let cols = x.cols();
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<3>::new();
        let mut tiles = [Scratch::<2>::new(), Scratch::<2>::new()];
        let ([z, t, room], [s, b]) = (scratch.rooms::<E>(), tiles.each_mut());
        let scale = affine
            .scale
            .map(|scale| scale.on(&walk, cols, &range, s.whole()));
        let shift = affine.shift.on(&walk, cols, &range, b.whole());
        for block in walk.blocks(range) {
            let sum = z.dst(block.len);
            let (mut from, mut slope) = (x.gather(&block, z), dy.gather(&block, t));
            if let Some(scale) = &scale {
                let (s, scaled) = (scale.at(&block, room), t.dst(block.len));
                mul.call(from, s, sum);
                mul.call(slope, s, scaled);
                (from, slope) = (sum.written(), scaled.written());
            }
            add.call(from, shift.at(&block, room), sum);
            f.backward(sum.written(), slope, dx.at(&block));
        }
    });
}

/// `sum = x + r` and `y = f(sum)`, of one shape. `sum` may be `x`.
pub(super) fn residual_sum<E: Float>(
    backend: Backend,
    f: impl Blockwise<E>,
    x: Rows<'_, E>,
    r: Rows<'_, E>,
    sum: RowsMut<'_, E>,
    y: RowsMut<'_, E>,
) {
    let add = backend.kernels().add::<E>();
    let in_place = x.view.is(&sum.view);
    let walk = Walk::to(&y, false, if in_place { 3 } else { 4 }).with(&sum.view);
    walk.split(backend.threads(), |range| {
        let mut scratch = Scratch::<2>::new();
        let [z, room] = scratch.rooms::<E>();
        for block in walk.blocks(range) {
            let to = sum.beside(&block);
            // A sum that is not to stay in the cache is made there and then copied: minus zero, added,
            // changes nothing.
            let past = to.streams() && !in_place;
            let made = if past { z.dst(block.len) } else { to.cached() };
            add.zip(x.gather(&block, z), r.gather(&block, room), made);
            f.map(made.written(), y.at(&block));
            if past {
                add.call(made.written(), Value::One(E::from_f64(-0.0)), to);
            }
        }
    });
}
