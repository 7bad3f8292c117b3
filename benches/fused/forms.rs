//! The forms, and the sequences that they stand for.

use halfwave::{
    Activation, Broadcast, Float, Fused, Isa, Operation, Relu, Rows, RowsMut, Silu, swiglu,
    swiglu_backward,
};
use halfwave_kernels::loops::{
    Add, ArithmeticFn, Deinterleave, Interleave, LayoutFns, Mul, Scalar,
};
use halfwave_kernels::table::{self, ArithmeticFns};
use halfwave_kernels::{Zip, fence};

use crate::common::{Array, input, output};

/// Reads as 32 Ki, 32 Mi elements.
pub const L2: usize = 1 << 15;
pub const DRAM: usize = 1 << 25;
const COLS: usize = 1 << 12;

/// What a form may read, and write.
pub struct Arrays<E> {
    pub len: usize,
    pub x: Array<E>,
    pub r: Array<E>,
    pub dy: Array<E>,
    pub row: Array<E>,
    pub y: Array<E>,
    pub z: Array<E>,
    pub wide: Array<E>,
}

impl<E: Float> Arrays<E> {
    pub fn new(len: usize) -> Self {
        let random = |len| input(len, |i| E::from_f64(f64::from(i % 1000) / 64.0));
        Self {
            len,
            // Twice as long, for the gates of interleaved halves.
            x: random(2 * len),
            r: random(len),
            dy: random(len),
            row: random(COLS),
            y: output(len),
            z: output(len),
            wide: output(2 * len),
        }
    }

    /// A step of an unfused sequence: `dst = a · b` or `a + b`, past the caches where the library
    /// would go past them.
    fn step<B: Copy>(&self, op: B, f: &ArithmeticFn<B, E>, a: *const E, b: *const E, dst: *mut E) {
        let (len, stream) = (self.len, self.len >= DRAM && !std::ptr::eq(a, dst));
        // SAFETY: kernels of this CPU; all callers pass arrays of `len`.
        unsafe {
            (f.zip)(Zip {
                op,
                a,
                b,
                dst,
                len,
                stream,
            })
        }
        fence();
    }

    /// The same with a row for all rows.
    fn step_rows<B: Copy>(&self, op: B, f: &ArithmeticFn<B, E>, a: *const E, dst: *mut E) {
        let stream = self.len >= DRAM && !std::ptr::eq(a, dst);
        for i in (0..self.len).step_by(COLS) {
            // SAFETY: as above, row by row.
            unsafe {
                let (a, dst, b) = (a.add(i), dst.add(i), self.row.as_ptr());
                (f.zip)(Zip {
                    op,
                    a,
                    b,
                    dst,
                    len: COLS,
                    stream,
                });
            }
        }
        fence();
    }
}

/// The kernels that the unfused sequences call.
pub struct Kernels<E> {
    arithmetic: ArithmeticFns<E>,
    layout: LayoutFns<E>,
}

impl<E: Float> Kernels<E> {
    pub fn of(isa: Isa) -> Self {
        Self {
            arithmetic: *table::arithmetic(isa),
            layout: *table::layout(isa),
        }
    }
}

/// A form: how many elements it reads and writes for each of `y`, itself, and the sequence that it
/// stands for.
pub struct Form<E> {
    pub name: &'static str,
    pub reads: usize,
    pub writes: usize,
    pub fused: fn(&mut Arrays<E>),
    pub unfused: fn(&mut Arrays<E>, &Kernels<E>),
}

/// All of them.
pub fn forms<E: Float>() -> Vec<Form<E>>
where
    Relu: Operation<E>,
{
    fn rows<E: Float>(x: &[E]) -> Rows<'_, E> {
        Rows::new(x, x.len() / COLS, COLS)
    }
    fn rows_mut<E: Float>(x: &mut [E]) -> RowsMut<'_, E> {
        RowsMut::new(x, x.len() / COLS, COLS)
    }
    vec![
        Form {
            name: "bias",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Broadcast::PerColumn(&a.row[..COLS]);
                Relu.bias(rows(&a.x[..a.len]), b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Add, &f.arithmetic.add, a.x.as_ptr(), y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias in place",
            reads: 1,
            writes: 0,
            fused: |a| {
                let b = Broadcast::PerColumn(&a.row[..COLS]);
                Relu.bias_in_place(rows_mut(&mut a.y[..a.len]), b);
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Add, &f.arithmetic.add, y, y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias of short rows",
            reads: 1,
            writes: 1,
            fused: |a| {
                let (x, y) = (&a.x[..a.len], &mut a.y[..a.len]);
                let b = Broadcast::PerColumn(&a.row[..32]);
                Relu.bias(
                    Rows::new(x, a.len / 32, 32),
                    b,
                    RowsMut::new(y, a.len / 32, 32),
                );
            },
            unfused: |a, f| {
                for i in (0..a.len).step_by(32) {
                    // SAFETY: kernels of this CPU, and rows of 32 in both.
                    unsafe {
                        let (a, b, dst) =
                            (a.x.as_ptr().add(i), a.row.as_ptr(), a.y.as_mut_ptr().add(i));
                        (f.arithmetic.add.zip)(Zip {
                            op: Add,
                            a,
                            b,
                            dst,
                            len: 32,
                            stream: false,
                        });
                    }
                }
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias along rows",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Broadcast::PerRow(&a.r[..a.len / COLS]);
                Relu.bias(rows(&a.x[..a.len]), b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                for i in (0..a.len).step_by(COLS) {
                    // SAFETY: kernels of this CPU, and rows of `COLS` in both.
                    unsafe {
                        let (x, y) = (a.x.as_ptr().add(i), a.y.as_mut_ptr().add(i));
                        (f.arithmetic.add.scalar)(
                            Scalar(Add, a.r[i / COLS]),
                            x,
                            y,
                            COLS,
                            a.len >= DRAM,
                        );
                    }
                }
                fence();
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias backward",
            reads: 2,
            writes: 1,
            fused: |a| {
                let b = Broadcast::PerColumn(&a.row[..COLS]);
                let (x, dy) = (rows(&a.x[..a.len]), rows(&a.dy[..a.len]));
                Relu.bias_backward(x, b, dy, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step_rows(Add, &f.arithmetic.add, a.x.as_ptr(), z);
                Relu.backward(&a.z[..a.len], &a.dy[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "scale, bias",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Broadcast::PerColumn(&a.row[..COLS]);
                Relu.scale_bias(rows(&a.x[..a.len]), b, b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Mul, &f.arithmetic.mul, a.x.as_ptr(), y);
                a.step_rows(Add, &f.arithmetic.add, y, y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual",
            reads: 2,
            writes: 1,
            fused: |a| Relu.residual(&a.x[..a.len], &a.r[..a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step(Add, &f.arithmetic.add, a.x.as_ptr(), a.r.as_ptr(), y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual and sum",
            reads: 2,
            writes: 2,
            fused: |a| {
                let (z, y) = (&mut a.z[..a.len], &mut a.y[..a.len]);
                Relu.residual_sum(&a.x[..a.len], &a.r[..a.len], z, y);
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step(Add, &f.arithmetic.add, a.x.as_ptr(), a.r.as_ptr(), z);
                Relu.apply(&a.z[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual backward",
            reads: 3,
            writes: 1,
            fused: |a| {
                let (x, r, dy) = (&a.x[..a.len], &a.r[..a.len], &a.dy[..a.len]);
                Relu.residual_backward(x, r, dy, &mut a.y[..a.len]);
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step(Add, &f.arithmetic.add, a.x.as_ptr(), a.r.as_ptr(), z);
                Relu.backward(&a.z[..a.len], &a.dy[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "gate",
            reads: 2,
            writes: 1,
            fused: |a| Relu.gate(&a.x[..a.len], &a.r[..a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                Relu.apply(&a.x[..a.len], &mut a.y[..a.len]);
                let y = a.y.as_mut_ptr();
                a.step(Mul, &f.arithmetic.mul, y, a.r.as_ptr(), y);
            },
        },
        Form {
            name: "gate of halves",
            reads: 2,
            writes: 1,
            fused: |a| {
                let (g, v) = Rows::new(&a.x[..2 * a.len], a.len / COLS, 2 * COLS).halves();
                Relu.gate(g, v, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                Relu.apply(&a.x[..a.len], &mut a.y[..a.len]);
                let y = a.y.as_mut_ptr();
                a.step(Mul, &f.arithmetic.mul, y, a.r.as_ptr(), y);
            },
        },
        Form {
            name: "gate backward",
            reads: 3,
            writes: 2,
            fused: |a| {
                let (g, v, dy) = (&a.x[..a.len], &a.r[..a.len], &a.dy[..a.len]);
                Relu.gate_backward(g, v, dy, &mut a.y[..a.len], &mut a.z[..a.len]);
            },
            unfused: |a, f| {
                let (y, z, dy) = (a.y.as_mut_ptr(), a.z.as_mut_ptr(), a.dy.as_ptr());
                Relu.apply(&a.x[..a.len], &mut a.z[..a.len]);
                a.step(Mul, &f.arithmetic.mul, z, dy, z);
                a.step(Mul, &f.arithmetic.mul, dy, a.r.as_ptr(), y);
                Relu.backward_in_place(&a.x[..a.len], &mut a.y[..a.len]);
            },
        },
        // Bound by computation, not by traffic: what the other gates are limited by is far away.
        Form {
            name: "swiglu",
            reads: 2,
            writes: 1,
            fused: |a| swiglu(&a.x[..a.len], &a.r[..a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                Silu::default().apply(&a.x[..a.len], &mut a.y[..a.len]);
                let y = a.y.as_mut_ptr();
                a.step(Mul, &f.arithmetic.mul, y, a.r.as_ptr(), y);
            },
        },
        Form {
            name: "swiglu backward",
            reads: 3,
            writes: 2,
            fused: |a| {
                let (g, v, dy) = (&a.x[..a.len], &a.r[..a.len], &a.dy[..a.len]);
                swiglu_backward(g, v, dy, &mut a.y[..a.len], &mut a.z[..a.len]);
            },
            unfused: |a, f| {
                let (y, z, dy) = (a.y.as_mut_ptr(), a.z.as_mut_ptr(), a.dy.as_ptr());
                Silu::default().apply(&a.x[..a.len], &mut a.z[..a.len]);
                a.step(Mul, &f.arithmetic.mul, z, dy, z);
                a.step(Mul, &f.arithmetic.mul, dy, a.r.as_ptr(), y);
                Silu::default().backward_in_place(&a.x[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "interleaved gate",
            reads: 2,
            writes: 1,
            fused: |a| Relu.gate_interleaved(&a.x[..2 * a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                let (src, len, y, z) = (a.x.as_ptr(), a.len, a.y.as_mut_ptr(), a.z.as_mut_ptr());
                // SAFETY: a kernel of this CPU, and arrays of `2 · len` and `len`.
                unsafe {
                    (f.layout.deinterleave)(Deinterleave {
                        src,
                        a: y,
                        b: z,
                        len,
                    })
                };
                Relu.apply_in_place(&mut a.y[..a.len]);
                a.step(Mul, &f.arithmetic.mul, y, z, y);
            },
        },
        Form {
            name: "interleaved gate backward",
            reads: 3,
            writes: 2,
            fused: |a| {
                let (x, dx) = (&a.x[..2 * a.len], &mut a.wide[..2 * a.len]);
                Relu.gate_interleaved_backward(x, &a.dy[..a.len], dx);
            },
            unfused: |a, f| {
                let (src, len, r) = (a.x.as_ptr(), a.len, a.r.as_mut_ptr());
                let (y, z, dst) = (a.y.as_mut_ptr(), a.z.as_mut_ptr(), a.wide.as_mut_ptr());
                let dy = a.dy.as_ptr();
                // SAFETY: as above.
                unsafe {
                    (f.layout.deinterleave)(Deinterleave {
                        src,
                        a: r,
                        b: y,
                        len,
                    })
                };
                Relu.apply(&a.r[..len], &mut a.z[..len]);
                a.step(Mul, &f.arithmetic.mul, z, dy, z);
                a.step(Mul, &f.arithmetic.mul, y, dy, y);
                Relu.backward_in_place(&a.r[..len], &mut a.y[..len]);
                let stream = len >= DRAM;
                // SAFETY: as above.
                unsafe {
                    (f.layout.interleave)(Interleave {
                        a: y,
                        b: z,
                        dst,
                        len,
                        stream,
                    })
                };
                fence();
            },
        },
    ]
}
