//! What the tests beside the operations share.

use crate::derivative::Backward;
use crate::dtype::{Float, bf16, f16};
use crate::isa::tests::isas;
use crate::loops::Zip;
use crate::table::BuiltinOp;

pub(crate) const INF: f64 = f64::INFINITY;
pub(crate) const NAN: f64 = f64::NAN;

/// Asserts that `op(x) = y` by bits for each `(x, y)`, on every dtype and instruction set. The numbers are such
/// that every dtype has them.
#[track_caller]
pub(crate) fn outputs<O: BuiltinOp + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
    #[track_caller]
    fn on<E: Float + core::fmt::Debug, O: BuiltinOp + core::fmt::Debug>(
        op: O,
        pairs: &[(f64, f64)],
    ) {
        for (isa, &(x, y)) in isas()
            .into_iter()
            .flat_map(|t| pairs.iter().map(move |p| (t, p)))
        {
            let (src, mut dst) = (element::<E>(x), E::default());
            let kernels = O::kernels::<E>(isa).expect("operations take every float");
            // SAFETY: this CPU runs the kernel, and both are one element.
            unsafe { (kernels.map)(op, &src, &mut dst, 1, false) };
            same(dst, y, (op, x, isa));
        }
    }
    on::<f32, O>(op, pairs);
    on::<f64, O>(op, pairs);
    on::<f16, O>(op, pairs);
    on::<bf16, O>(op, pairs);
}

/// Asserts the same of the derivative; and that where it is zero, `dx` is whatever `dy` is.
#[track_caller]
pub(crate) fn derivatives<O: BuiltinOp + core::fmt::Debug>(op: O, pairs: &[(f64, f64)]) {
    #[track_caller]
    fn on<E: Float + core::fmt::Debug, O: BuiltinOp + core::fmt::Debug>(
        op: O,
        pairs: &[(f64, f64)],
    ) {
        for (isa, &(x, slope)) in isas()
            .into_iter()
            .flat_map(|t| pairs.iter().map(move |p| (t, p)))
        {
            let kernels = O::kernels::<E>(isa).expect("operations take every float");
            let backward = kernels.backward.expect("floats have a derivative");
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
                // SAFETY: this CPU runs the kernel, and all are one element.
                unsafe { backward(zip) };
                same(dx, slope, (op, x, dy, isa));
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

/// Asserts that `op(x) = y` on `bf16`, for an `x` whose result lies beside a middle by less than `f64` can tell.
#[track_caller]
pub(crate) fn beside_a_middle<O: BuiltinOp>(op: O, x: f64, y: f64) {
    for isa in isas() {
        let (src, mut dst) = (bf16::from_f64(x), bf16::ZERO);
        let kernels = O::kernels::<bf16>(isa).expect("operations take every float");
        // SAFETY: this CPU runs the kernel, and both are one element.
        unsafe { (kernels.map)(op, &src, &mut dst, 1, false) };
        assert_eq!(dst.to_f64(), y, "{} of {x} on {isa}", O::NAME);
    }
}
