//! Gated units: one half of a layer's output opens or shuts the other.

#![allow(unsafe_code)]

use halfwave_kernels::loops::{Deinterleave, Interleave, Mul};
use halfwave_kernels::{Backward, Float, LeakyRelu, Operation, Zip, table};

use crate::backend::Backend;
use crate::cut::{Cut, Room};
#[cfg(doc)]
use crate::fused::Fused;
use crate::view::{Rows, RowsMut, Slot, View, check_shapes};

impl Backend {
    /// `y = f(g) · v`. See [`Fused::gate`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        g: impl Into<Rows<'a, E>>,
        v: impl Into<Rows<'a, E>>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (g, v, y) = (g.into().view(), v.into().view(), y.into().view());
        check_shapes([("g", &g), ("v", &v), ("y", &y)]);
        // SAFETY: of one shape; the exclusive borrow keeps `y` apart.
        unsafe { self.gate_views(op, g, v, y) }
    }

    /// `g = f(g) · v`. See [`Fused::gate_in_place`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        g: impl Into<RowsMut<'a, E>>,
        v: impl Into<Rows<'a, E>>,
    ) {
        let (g, v) = (g.into().view(), v.into().view());
        check_shapes([("g", &g), ("v", &v)]);
        // SAFETY: as `gate`; the destination is one of its own sources.
        unsafe { self.gate_views(op, g, v, g) }
    }

    /// `dg = dy · v · f′(g)` and `dv = dy · f(g)`. See [`Fused::gate_backward`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate_backward<'a, O: Operation<E>, E: Float, S: Slot<E>, T: Slot<E>>(
        self,
        op: O,
        g: impl Into<Rows<'a, E>>,
        v: impl Into<Rows<'a, E>>,
        dy: impl Into<Rows<'a, E>>,
        dg: impl Into<RowsMut<'a, S>>,
        dv: impl Into<RowsMut<'a, T>>,
    ) {
        let (g, v, dy) = (g.into().view(), v.into().view(), dy.into().view());
        let (dg, dv) = (dg.into().view(), dv.into().view());
        check_shapes([("g", &g), ("v", &v), ("dy", &dy), ("dg", &dg), ("dv", &dv)]);
        // SAFETY: of one shape; the exclusive borrows keep `dg` and `dv` apart.
        unsafe { self.gate_backward_views(op, g, v, dy, dg, dv) }
    }

    /// `g = dy · v · f′(g)` and `v = dy · f(g)`. See [`Fused::gate_backward_in_place`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate_backward_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        g: impl Into<RowsMut<'a, E>>,
        v: impl Into<RowsMut<'a, E>>,
        dy: impl Into<Rows<'a, E>>,
    ) {
        let (g, v, dy) = (g.into().view(), v.into().view(), dy.into().view());
        check_shapes([("g", &g), ("v", &v), ("dy", &dy)]);
        // SAFETY: as `gate_backward`; each destination is one of the sources.
        unsafe { self.gate_backward_views(op, g, v, dy, g, v) }
    }

    /// `y = f(g) · v` of `x = g₀ v₀ g₁ v₁ …`. See [`Fused::gate_interleaved`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate_interleaved<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, y) = (x.into().view(), y.into().view());
        let x = pairs(&x, ("y", &y));
        let f = self.kernels::<O, E>().map;
        let (layout, mul) = (
            table::layout::<E>(self.isa()),
            table::arithmetic::<E>(self.isa()).mul,
        );
        let cut = Cut::new([y], false);
        cut.split(self.threads(), 3, |range| {
            let (mut rooms, mut wide) = (Room::<2>::new(), Room::<2>::new());
            let ([a, b], wide) = (rooms.each::<E>(), wide.at());
            for piece in cut.pieces(range) {
                let (len, stream) = (piece.len, piece.stream);
                // SAFETY: pieces lie within `y`, and within `x` as many pairs; scratch has room for
                // one each. `dispatch` vouches for the CPU.
                unsafe {
                    let src = x.gather(&piece, wide).cast();
                    (layout.deinterleave)(Deinterleave { src, a, b, len });
                    f(op, a, a, len, false);
                    let dst = y.at(piece.row, piece.col);
                    (mul.zip)(Zip {
                        op: Mul,
                        a,
                        b,
                        dst,
                        len,
                        stream,
                    });
                }
            }
        });
    }

    /// `dx = dg₀ dv₀ dg₁ dv₁ …`. See [`Fused::gate_interleaved_backward`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn gate_interleaved_backward<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        dy: impl Into<Rows<'a, E>>,
        dx: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, dy, dx) = (x.into().view(), dy.into().view(), dx.into().view());
        check_shapes([("x", &x), ("dx", &dx)]);
        let (x, dx) = (pairs(&x, ("dy", &dy)), dx.pairs());
        let (f, backward) = (self.kernels::<O, E>().map, self.backward_kernel::<O, E>());
        let (layout, mul) = (
            table::layout::<E>(self.isa()),
            table::arithmetic::<E>(self.isa()).mul,
        );
        let cut = Cut::new([dx], false);
        // Twice the 2½ arrays, for `dx` and its elements are pairs here.
        cut.split(self.threads(), 3, |range| {
            let mut rooms = Room::<5>::new();
            let [g, v, s, near, wide] = rooms.each::<E>();
            for piece in cut.pieces(range) {
                let (len, stream) = (piece.len, piece.stream);
                // SAFETY: as `gate_interleaved`.
                unsafe {
                    let src = x.gather(&piece, wide.cast()).cast();
                    let dy = dy.gather(&piece, near);
                    (layout.deinterleave)(Deinterleave {
                        src,
                        a: g,
                        b: v,
                        len,
                    });
                    f(op, g, s, len, false);
                    let product = |b, dst| Zip {
                        op: Mul,
                        a: dy,
                        b,
                        dst,
                        len,
                        stream: false,
                    };
                    (mul.zip)(product(s.cast_const(), s));
                    (mul.zip)(product(v.cast_const(), v));
                    let op = Backward(op);
                    backward(Zip {
                        op,
                        a: g,
                        b: v,
                        dst: g,
                        len,
                        stream: false,
                    });
                    let dst = dx.at(piece.row, piece.col).cast();
                    (layout.interleave)(Interleave {
                        a: g,
                        b: s,
                        dst,
                        len,
                        stream,
                    });
                }
            }
        });
    }

    /// # Safety
    /// The elements of the views, all of one shape, are valid for reads, those of `y` for writes.
    /// `y` is `g` or overlaps nothing.
    unsafe fn gate_views<O: Operation<E>, E: Float>(
        self,
        op: O,
        g: View<E>,
        v: View<E>,
        y: View<E>,
    ) {
        let (f, mul) = (
            self.kernels::<O, E>().map,
            &table::arithmetic::<E>(self.isa()).mul,
        );
        let cut = Cut::new([y], g.is(&y));
        cut.split(self.threads(), 3, |range| {
            let mut rooms = Room::<2>::new();
            let [a, room] = rooms.each::<E>();
            for piece in cut.pieces(range) {
                let (len, stream) = (piece.len, piece.stream);
                // SAFETY: pieces lie within the views; scratch has room for one each. `dispatch`
                // vouches for the CPU.
                unsafe {
                    f(op, g.gather(&piece, a), a, len, false);
                    let b = v.gather(&piece, room);
                    let dst = y.at(piece.row, piece.col);
                    (mul.zip)(Zip {
                        op: Mul,
                        a,
                        b,
                        dst,
                        len,
                        stream,
                    });
                }
            }
        });
    }

    /// # Safety
    /// As [`gate_views`](Self::gate_views); `dg` is `g` or overlaps nothing, and so `dv` and `v`.
    unsafe fn gate_backward_views<O: Operation<E>, E: Float>(
        self,
        op: O,
        g: View<E>,
        v: View<E>,
        dy: View<E>,
        dg: View<E>,
        dv: View<E>,
    ) {
        let (f, backward) = (self.kernels::<O, E>().map, self.backward_kernel::<O, E>());
        let mul = &table::arithmetic::<E>(self.isa()).mul;
        let in_place = g.is(&dg);
        let cut = Cut::new([dg, dv], in_place);
        cut.split(self.threads(), if in_place { 3 } else { 5 }, |range| {
            let mut rooms = Room::<4>::new();
            let [s, t, near, room] = rooms.each::<E>();
            for piece in cut.pieces(range) {
                let (len, (to, stream)) = (piece.len, dv.second(&piece));
                // SAFETY: as `gate_views`. `v` has been read when `dv` is written, and `g` when `dg`
                // is.
                unsafe {
                    let (g, dy) = (g.gather(&piece, room), dy.gather(&piece, near));
                    let product = |b, dst, stream| Zip {
                        op: Mul,
                        a: dy,
                        b,
                        dst,
                        len,
                        stream,
                    };
                    (mul.zip)(product(v.gather(&piece, t), t, false));
                    f(op, g, s, len, false);
                    (mul.zip)(product(s, to, stream));
                    let (op, dst) = (Backward(op), dg.at(piece.row, piece.col));
                    backward(Zip {
                        op,
                        a: g,
                        b: t,
                        dst,
                        len,
                        stream: piece.stream,
                    });
                }
            }
        });
    }
}

/// The pairs of `x`, which has one for each element of the other.
#[track_caller]
fn pairs<E>(x: &View<E>, (name, other): (&str, &View<E>)) -> View<[E; 2]> {
    assert!(
        x.rows == other.rows && Some(x.cols) == other.cols.checked_mul(2),
        "x must have two elements for each of {name}: x has {}, {name} has {} elements",
        x.shape(),
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
