//! A backend's operations of `x · s + b`, where `s` and `b` may be missing or of any shape: bias,
//! residual, scale and bias.

#![allow(unsafe_code)]

use halfwave_kernels::loops::{Add, Mul, Scalar, Then};
use halfwave_kernels::{Backward, Float, Operation, Zip, table};

use crate::backend::Backend;
use crate::cut::{Cut, On, Operand, Room, combine};
use crate::fused::Along;
use crate::view::{Rows, RowsMut, Slot, View, check_shapes};

impl<E: Float> Along<'_, E> {
    /// Panics, saying both numbers, unless it fits `x`.
    #[track_caller]
    fn operand(self, name: &str, x: &View<E>) -> Operand<E> {
        let (given, needed, what) = match self {
            Along::Rows(each) => (each.len(), x.rows, "row"),
            Along::Columns(each) => (each.len(), x.cols, "column"),
        };
        assert!(
            given == needed,
            "{name} has {given} elements, which must be one for each {what} of x: {needed}"
        );
        match self {
            Along::Rows(each) => Operand::Rows(View::new(each.as_ptr().cast_mut(), x.rows, 1, 1)),
            Along::Columns(each) => {
                Operand::Columns(View::new(each.as_ptr().cast_mut(), x.rows, x.cols, 0))
            }
        }
    }
}

impl Backend {
    /// `y = f(x + b)`. See [`Fused::bias`](crate::Fused::bias).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn bias<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        b: Along<'_, E>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, y) = (x.into().view(), y.into().view());
        check_shapes([("x", &x), ("y", &y)]);
        // SAFETY: of one shape; the exclusive borrow keeps `y` apart.
        unsafe { self.affine(op, x, None, b.operand("b", &x), y) }
    }

    /// `x = f(x + b)`. See [`Fused::bias_in_place`](crate::Fused::bias_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn bias_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<RowsMut<'a, E>>,
        b: Along<'_, E>,
    ) {
        let x = x.into().view();
        // SAFETY: one exclusive borrow, as source and destination.
        unsafe { self.affine(op, x, None, b.operand("b", &x), x) }
    }

    /// `dx = dy · f′(x + b)`. See [`Fused::bias_backward`](crate::Fused::bias_backward).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn bias_backward<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        b: Along<'_, E>,
        dy: impl Into<Rows<'a, E>>,
        dx: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, dy, dx) = (x.into().view(), dy.into().view(), dx.into().view());
        check_shapes([("x", &x), ("dy", &dy), ("dx", &dx)]);
        // SAFETY: as `bias`.
        unsafe { self.affine_backward(op, x, None, b.operand("b", &x), dy, dx) }
    }

    /// `dy` becomes `dx`. See [`Fused::bias_backward_in_place`](crate::Fused::bias_backward_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn bias_backward_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        b: Along<'_, E>,
        dy: impl Into<RowsMut<'a, E>>,
    ) {
        let (x, dy) = (x.into().view(), dy.into().view());
        check_shapes([("x", &x), ("dy", &dy)]);
        // SAFETY: as `bias`; the destination is one of its own sources.
        unsafe { self.affine_backward(op, x, None, b.operand("b", &x), dy, dy) }
    }

    /// `y = f(x + r)`. See [`Fused::residual`](crate::Fused::residual).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        r: impl Into<Rows<'a, E>>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, r, y) = (x.into().view(), r.into().view(), y.into().view());
        check_shapes([("x", &x), ("r", &r), ("y", &y)]);
        // SAFETY: as `bias`.
        unsafe { self.affine(op, x, None, Operand::Each(r), y) }
    }

    /// `x = f(x + r)`. See [`Fused::residual_in_place`](crate::Fused::residual_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<RowsMut<'a, E>>,
        r: impl Into<Rows<'a, E>>,
    ) {
        let (x, r) = (x.into().view(), r.into().view());
        check_shapes([("x", &x), ("r", &r)]);
        // SAFETY: as `bias_in_place`.
        unsafe { self.affine(op, x, None, Operand::Each(r), x) }
    }

    /// `sum = x + r` and `y = f(sum)`. See [`Fused::residual_sum`](crate::Fused::residual_sum).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual_sum<'a, O: Operation<E>, E: Float, S: Slot<E>, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        r: impl Into<Rows<'a, E>>,
        sum: impl Into<RowsMut<'a, S>>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, r, sum, y) = (
            x.into().view(),
            r.into().view(),
            sum.into().view(),
            y.into().view(),
        );
        check_shapes([("x", &x), ("r", &r), ("sum", &sum), ("y", &y)]);
        // SAFETY: of one shape; the exclusive borrows keep `sum` and `y` apart.
        unsafe { self.sum(op, x, r, sum, y) }
    }

    /// `x = x + r` and `y = f(x)`. See [`Fused::residual_sum_in_place`](crate::Fused::residual_sum_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual_sum_in_place<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<RowsMut<'a, E>>,
        r: impl Into<Rows<'a, E>>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, r, y) = (x.into().view(), r.into().view(), y.into().view());
        check_shapes([("x", &x), ("r", &r), ("y", &y)]);
        // SAFETY: as `residual_sum`, with the sum in place of `x`.
        unsafe { self.sum(op, x, r, x, y) }
    }

    /// `dx = dy · f′(x + r)`. See [`Fused::residual_backward`](crate::Fused::residual_backward).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual_backward<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        r: impl Into<Rows<'a, E>>,
        dy: impl Into<Rows<'a, E>>,
        dx: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, r, dy, dx) = (
            x.into().view(),
            r.into().view(),
            dy.into().view(),
            dx.into().view(),
        );
        check_shapes([("x", &x), ("r", &r), ("dy", &dy), ("dx", &dx)]);
        // SAFETY: as `bias`.
        unsafe { self.affine_backward(op, x, None, Operand::Each(r), dy, dx) }
    }

    /// `dy` becomes `dx`. See [`Fused::residual_backward_in_place`](crate::Fused::residual_backward_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn residual_backward_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        r: impl Into<Rows<'a, E>>,
        dy: impl Into<RowsMut<'a, E>>,
    ) {
        let (x, r, dy) = (x.into().view(), r.into().view(), dy.into().view());
        check_shapes([("x", &x), ("r", &r), ("dy", &dy)]);
        // SAFETY: as `bias`; the destination is one of its own sources.
        unsafe { self.affine_backward(op, x, None, Operand::Each(r), dy, dy) }
    }

    /// `y = f(x · s + b)`. See [`Fused::scale_bias`](crate::Fused::scale_bias).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn scale_bias<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        s: Along<'_, E>,
        b: Along<'_, E>,
        y: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, y) = (x.into().view(), y.into().view());
        check_shapes([("x", &x), ("y", &y)]);
        let (s, b) = (s.operand("s", &x), b.operand("b", &x));
        // SAFETY: as `bias`.
        unsafe { self.affine(op, x, Some(s), b, y) }
    }

    /// `x = f(x · s + b)`. See [`Fused::scale_bias_in_place`](crate::Fused::scale_bias_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn scale_bias_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<RowsMut<'a, E>>,
        s: Along<'_, E>,
        b: Along<'_, E>,
    ) {
        let x = x.into().view();
        let (s, b) = (s.operand("s", &x), b.operand("b", &x));
        // SAFETY: as `bias_in_place`.
        unsafe { self.affine(op, x, Some(s), b, x) }
    }

    /// `dx = dy · s · f′(x · s + b)`. See [`Fused::scale_bias_backward`](crate::Fused::scale_bias_backward).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn scale_bias_backward<'a, O: Operation<E>, E: Float, T: Slot<E>>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        s: Along<'_, E>,
        b: Along<'_, E>,
        dy: impl Into<Rows<'a, E>>,
        dx: impl Into<RowsMut<'a, T>>,
    ) {
        let (x, dy, dx) = (x.into().view(), dy.into().view(), dx.into().view());
        check_shapes([("x", &x), ("dy", &dy), ("dx", &dx)]);
        let (s, b) = (s.operand("s", &x), b.operand("b", &x));
        // SAFETY: as `bias`.
        unsafe { self.affine_backward(op, x, Some(s), b, dy, dx) }
    }

    /// `dy` becomes `dx`. See [`Fused::scale_bias_backward_in_place`](crate::Fused::scale_bias_backward_in_place).
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn scale_bias_backward_in_place<'a, O: Operation<E>, E: Float>(
        self,
        op: O,
        x: impl Into<Rows<'a, E>>,
        s: Along<'_, E>,
        b: Along<'_, E>,
        dy: impl Into<RowsMut<'a, E>>,
    ) {
        let (x, dy) = (x.into().view(), dy.into().view());
        check_shapes([("x", &x), ("dy", &dy)]);
        // SAFETY: as `bias`; the destination is one of its own sources.
        unsafe { self.affine_backward(op, x, Some(s.operand("s", &x)), b.operand("b", &x), dy, dy) }
    }

    /// `y = f(x · scale + shift)`, each step rounded.
    ///
    /// # Safety
    /// The elements of the views, all of one shape, are valid for reads, those of `y` for writes.
    /// `y` is `x` or overlaps nothing.
    unsafe fn affine<O: Operation<E>, E: Float>(
        self,
        op: O,
        x: View<E>,
        scale: Option<Operand<E>>,
        shift: Operand<E>,
        y: View<E>,
    ) {
        let (kernels, forms) = (self.kernels::<O, E>(), table::arithmetic::<E>(self.isa()));
        let f = kernels.map;
        let cut = Cut::new([y], x.is(&y));
        let arrays = 2 + usize::from(matches!(shift, Operand::Each(_)));
        cut.split(self.threads(), arrays, |range| {
            let mut rooms = Room::<2>::new();
            let mut tiles = [Room::<2>::new(), Room::<2>::new()];
            let ([z, room], [s, b]) = (rooms.each::<E>(), &mut tiles);
            // SAFETY: pieces lie within the views; scratch has room for one each, and no two uses of
            // it at a time. `dispatch` vouches for the CPU.
            unsafe {
                let scale = scale.map(|scale| scale.repeated(&cut, &range, s));
                let shift = shift.repeated(&cut, &range, b);
                for piece in cut.pieces(range) {
                    let len = piece.len;
                    let mut from = x.gather(&piece, z);
                    if let Some(scale) = &scale {
                        let s = scale.on(&piece, x.cols, room);
                        combine(&forms.mul, Mul, from, s, (z, false), len);
                        from = z;
                    }
                    let b = shift.on(&piece, x.cols, room);
                    let to = (y.at(piece.row, piece.col), piece.stream);
                    if let Some(after_sum) = &kernels.after_sum {
                        combine(after_sum, Then(Add, op), from, b, to, len);
                    } else {
                        combine(&forms.add, Add, from, b, (z, false), len);
                        f(op, z, to.0, len, to.1);
                    }
                }
            }
        });
    }

    /// `dx = dy · scale · f′(x · scale + shift)`, each step rounded.
    ///
    /// # Safety
    /// As [`affine`](Self::affine), of `x` and `dy`, and `dx`, which is `dy` or overlaps nothing.
    unsafe fn affine_backward<O: Operation<E>, E: Float>(
        self,
        op: O,
        x: View<E>,
        scale: Option<Operand<E>>,
        shift: Operand<E>,
        dy: View<E>,
        dx: View<E>,
    ) {
        let (f, forms) = (
            self.backward_kernel::<O, E>(),
            table::arithmetic::<E>(self.isa()),
        );
        let cut = Cut::new([dx], dy.is(&dx));
        let arrays = 3 + usize::from(matches!(shift, Operand::Each(_)));
        cut.split(self.threads(), arrays, |range| {
            let mut rooms = Room::<3>::new();
            let mut tiles = [Room::<2>::new(), Room::<2>::new()];
            let ([z, t, room], [s, b]) = (rooms.each::<E>(), &mut tiles);
            // SAFETY: as `affine`.
            unsafe {
                let scale = scale.map(|scale| scale.repeated(&cut, &range, s));
                let shift = shift.repeated(&cut, &range, b);
                for piece in cut.pieces(range) {
                    let len = piece.len;
                    let mut from = x.gather(&piece, z);
                    let mut slope = dy.gather(&piece, t);
                    if let Some(scale) = &scale {
                        let s = scale.on(&piece, x.cols, room);
                        combine(&forms.mul, Mul, from, s, (z, false), len);
                        combine(&forms.mul, Mul, slope, s, (t, false), len);
                        (from, slope) = (z, t);
                    }
                    let b = shift.on(&piece, x.cols, room);
                    combine(&forms.add, Add, from, b, (z, false), len);
                    let (op, dst) = (Backward(op), dx.at(piece.row, piece.col));
                    let stream = piece.stream;
                    f(Zip {
                        op,
                        a: z,
                        b: slope,
                        dst,
                        len,
                        stream,
                    });
                }
            }
        });
    }

    /// `sum = x + r` and `y = f(sum)`.
    ///
    /// # Safety
    /// As [`affine`](Self::affine); `sum` is `x` or overlaps nothing.
    unsafe fn sum<O: Operation<E>, E: Float>(
        self,
        op: O,
        x: View<E>,
        r: View<E>,
        sum: View<E>,
        y: View<E>,
    ) {
        let (f, add) = (
            self.kernels::<O, E>().map,
            &table::arithmetic::<E>(self.isa()).add,
        );
        let in_place = x.is(&sum);
        let cut = Cut::new([y, sum], false);
        cut.split(self.threads(), if in_place { 3 } else { 4 }, |range| {
            let mut rooms = Room::<2>::new();
            let [z, room] = rooms.each::<E>();
            for piece in cut.pieces(range) {
                let (len, (to, stream)) = (piece.len, sum.second(&piece));
                // SAFETY: as `affine`.
                unsafe {
                    let r = On::Many(r.gather(&piece, room));
                    // A sum that is not to stay in the cache is made there and then copied: minus
                    // zero, added, changes nothing.
                    let past = stream && !in_place;
                    let made = if past { z } else { to };
                    combine(add, Add, x.gather(&piece, z), r, (made, false), len);
                    f(op, made, y.at(piece.row, piece.col), len, piece.stream);
                    if past {
                        (add.scalar)(Scalar(Add, E::from_f64(-0.0)), made, to, len, true);
                    }
                }
            }
        });
    }
}
