//! A call of any of a backend's methods, as one value.

#![allow(unsafe_code)]

use halfwave_kernels::{
    Backward, BackwardFromOutput, BuiltinOp, Dtype, Element, Float, FromOutput, Operation, bf16,
    f16,
};

use super::{Backend, check_lengths, map, zip};

/// A method of [`Backend`] and its slices, for [`Op::run`](crate::Op::run).
#[derive(Debug)]
#[allow(missing_docs)]
#[non_exhaustive]
pub enum Call<'a, E> {
    Apply(&'a [E], &'a mut [E]),
    ApplyInPlace(&'a mut [E]),
    Backward(&'a [E], &'a [E], &'a mut [E]),
    BackwardInPlace(&'a [E], &'a mut [E]),
    BackwardFromOutput(&'a [E], &'a [E], &'a mut [E]),
}

/// What there is to do, whatever the operation: so that little is compiled for each.
pub(crate) struct Job<E> {
    what: What,
    from: [*const E; 2],
    to: *mut E,
    len: usize,
}

#[derive(Clone, Copy)]
enum What {
    Map,
    Backward,
    FromOutput,
}

impl<E: Element> Call<'_, E> {
    #[track_caller]
    pub(crate) fn job(self) -> Job<E> {
        let two = |what, a: &[E], b: &[E], to: *mut E| Job {
            what,
            from: [a.as_ptr(), b.as_ptr()],
            to,
            len: a.len(),
        };
        match self {
            Call::Apply(src, dst) => {
                check_lengths([("src", src.len()), ("dst", dst.len())]);
                two(What::Map, src, src, dst.as_mut_ptr())
            }
            Call::ApplyInPlace(x) => {
                let (to, len) = (x.as_mut_ptr(), x.len());
                let what = What::Map;
                Job {
                    what,
                    from: [to; 2],
                    to,
                    len,
                }
            }
            Call::Backward(x, dy, dx) => {
                check_lengths([("x", x.len()), ("dy", dy.len()), ("dx", dx.len())]);
                two(What::Backward, x, dy, dx.as_mut_ptr())
            }
            Call::BackwardInPlace(x, dy) => {
                check_lengths([("x", x.len()), ("dy", dy.len())]);
                let (to, len) = (dy.as_mut_ptr(), x.len());
                let (what, from) = (What::Backward, [x.as_ptr(), to]);
                Job {
                    what,
                    from,
                    to,
                    len,
                }
            }
            Call::BackwardFromOutput(y, dy, dx) => {
                check_lengths([("y", y.len()), ("dy", dy.len()), ("dx", dx.len())]);
                two(What::FromOutput, y, dy, dx.as_mut_ptr())
            }
        }
    }
}

impl Backend {
    /// Does `job` with an operation that may not take `E`, or whose output may not tell its derivative:
    /// `None` if so.
    ///
    /// # Safety
    /// The slices that `job` was made of are still borrowed; or its pointers are as
    /// [`apply_raw`](Backend::apply_raw) and [`backward_raw`](Backend::backward_raw) want them.
    pub(crate) unsafe fn call<O: BuiltinOp, E: Element>(self, op: O, job: &Job<E>) -> Option<()> {
        let (threads, kernels) = (self.threads, O::kernels::<E>(self.isa)?);
        let &Job {
            what,
            from,
            to,
            len,
        } = job;
        // SAFETY: as many elements in all slices, borrowed as the methods' are; or forwarded.
        unsafe {
            match (what, O::FROM_OUTPUT) {
                (What::Map, _) => map(kernels.map, op, from[0], to, len, threads),
                (What::FromOutput, _) if !output_suffices::<O, E>(op) => return None,
                (What::FromOutput, FromOutput::Never) => return None,
                (What::FromOutput, FromOutput::ByItself) => {
                    let op = BackwardFromOutput(op);
                    zip(kernels.from_output?, op, from, to, len, threads);
                }
                (What::Backward, _) | (What::FromOutput, FromOutput::AsFromInput) => {
                    zip(kernels.backward?, Backward(op), from, to, len, threads);
                }
            }
        }
        Some(())
    }

    /// [`Backend::backward_from_output`], from `[y, dy]` to `dx`.
    ///
    /// # Safety
    /// As [`Backend::backward_raw`].
    ///
    /// # Panics
    /// If the output does not tell the derivative.
    #[track_caller]
    pub(super) unsafe fn backward_from_output_raw<O: Operation<E>, E: Float>(
        self,
        op: O,
        from: [*const E; 2],
        to: *mut E,
        len: usize,
    ) {
        let what = What::FromOutput;
        let job = Job {
            what,
            from,
            to,
            len,
        };
        // SAFETY: forwarded.
        if unsafe { self.call(op, &job) }.is_none() {
            let dtype = E::DTYPE;
            panic!(
                "on {dtype} the output does not tell this operation's derivative: use `backward`"
            )
        }
    }
}

/// [`Unary::output_suffices`](halfwave_kernels::Unary::output_suffices) of any dtype: false of an
/// integer.
pub(crate) fn output_suffices<O: BuiltinOp, E: Element>(op: O) -> bool {
    match E::DTYPE {
        Dtype::F32 => op.output_suffices::<f32>(),
        Dtype::F64 => op.output_suffices::<f64>(),
        Dtype::F16 => op.output_suffices::<f16>(),
        Dtype::Bf16 => op.output_suffices::<bf16>(),
        _ => false,
    }
}
