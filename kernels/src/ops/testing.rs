//! What the tests beside the operations share.

use ::half::{bf16, f16};

use crate::element::Float;
use crate::isa;
use crate::map::Zip;
use crate::ops::Backward;
use crate::table::{Kernels, Row, Tabled};

#[path = "../../tests/shared/tables.rs"]
mod tables;
use tables::tables;

pub(crate) const INF: f64 = f64::INFINITY;
pub(crate) const NAN: f64 = f64::NAN;

/// Asserts that `op(x) = y` by bits for each `(x, y)`, on every dtype and table. The numbers are such
/// that every dtype has them.
#[track_caller]
pub(crate) fn outputs<O: Tabled + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
    #[track_caller]
    fn on<E: Float + core::fmt::Debug, O: Tabled + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
        for (table, &(x, y)) in tables()
            .into_iter()
            .flat_map(|t| pairs.iter().map(move |p| (t, p)))
        {
            let (src, mut dst) = (element::<E>(x), E::default());
            let kernel = E::float_kernel_of(O::row(table).floats());
            // SAFETY: this CPU runs the table, and both are one element.
            unsafe { (kernel.map)(op, &src, &mut dst, 1, false) };
            same(dst, y, (op, x, table.isa));
        }
    }
    on::<f32, O>(op, pairs);
    on::<f64, O>(op, pairs);
    on::<f16, O>(op, pairs);
    on::<bf16, O>(op, pairs);
}

/// Asserts the same of the derivative; and that where it is zero, `dx` is whatever `dy` is.
#[track_caller]
pub(crate) fn derivatives<O: Tabled + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
    #[track_caller]
    fn on<E: Float + core::fmt::Debug, O: Tabled + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
        for (table, &(x, slope)) in tables()
            .into_iter()
            .flat_map(|t| pairs.iter().map(move |p| (t, p)))
        {
            let backward = E::float_kernel_of(O::row(table).floats()).backward;
            let dys = if slope == 0.0 {
                &[1.0, INF, -INF, NAN][..]
            } else {
                &[1.0][..]
            };
            for dy in dys {
                let (x, dy, mut dx) = (element::<E>(x), element::<E>(*dy), E::default());
                let zip = Zip {
                    op: Backward(op),
                    a: &x,
                    b: &dy,
                    dst: &mut dx,
                    len: 1,
                    stream: false,
                };
                // SAFETY: this CPU runs the table, and all are one element.
                unsafe { backward(zip) };
                same(dx, slope, (op, x, dy, table.isa));
            }
        }
    }
    on::<f32, O>(op, pairs);
    on::<f64, O>(op, pairs);
    on::<f16, O>(op, pairs);
    on::<bf16, O>(op, pairs);
}

#[track_caller]
fn element<E: Float>(x: f64) -> E {
    let element = E::from_f64(x);
    assert!(
        element.to_f64() == x || x.is_nan(),
        "{x} is not a number of {}",
        E::DTYPE
    );
    element
}

/// Equal by bits, which for numbers is by value and sign.
#[track_caller]
fn same<E: Float + core::fmt::Debug>(got: E, want: f64, context: impl core::fmt::Debug) {
    let number = got.to_f64();
    let want: f64 = element::<E>(want).to_f64();
    assert!(
        number.to_bits() == want.to_bits(),
        "{got:?}, not {want}: {context:?} on {}",
        E::DTYPE
    );
}
