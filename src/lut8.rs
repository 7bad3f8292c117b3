//! Any function of a byte, as a table.

#![allow(unsafe_code)]

use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use halfwave_kernels::Operation;

use crate::activation::Activation;
use crate::backend::Backend;
use crate::blocks::Walk;
use crate::calls::value_calls;
use crate::dispatch::active;
use crate::float_env;
use crate::op::Op;
use crate::quantize::{Quantization, Quantized};
use crate::rows::{Rows, RowsMut, Slot, check_lengths, written};

/// A function from a quantised number to a quantised number, as a table of 256 entries: any operation
/// at the cost of a few byte shuffles.
///
/// `q = saturate(round(f((p − in.zero_point) · in.scale) / out.scale) + out.zero_point)`, all of it in
/// `f64`, rounded once, ties to even; NaN gives the zero point.
///
/// ```
/// use halfwave::{Lut8, Op, Quantization};
///
/// let (input, output) = (Quantization::<i8>::new(0.1, 0)?, Quantization::<u8>::new(0.05, 0)?);
/// let lut = Lut8::new("leaky_relu(slope=-0.5)".parse::<Op>()?, input, output);
/// let mut q = [0u8; 3];
/// lut.apply(&[-10, 0, 10], &mut q);
/// assert_eq!(q, [10, 0, 20]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Lut8<P, Q = P> {
    /// The bits of the outputs, by the bits of the input.
    table: [u8; 256],
    types: PhantomData<fn(P) -> Q>,
}

/// What [`Lut8::new`] makes a table of: an [`Op`], or an operation's own type. Sealed.
pub trait Function: sealed::Sealed {
    /// `x[i] = f(x[i])`.
    #[doc(hidden)]
    fn on_f64(self, x: &mut [f64]);
}

impl<O: Operation<f64>> sealed::Sealed for O {}
impl<O: Operation<f64>> Function for O {
    fn on_f64(self, x: &mut [f64]) {
        self.apply_in_place(x);
    }
}

impl sealed::Sealed for Op {}
impl Function for Op {
    fn on_f64(self, x: &mut [f64]) {
        self.apply_in_place(x).expect("every operation takes f64");
    }
}

impl<P: Quantized, Q: Quantized> Lut8<P, Q> {
    /// The table of an operation.
    pub fn new(op: impl Function, input: Quantization<P>, output: Quantization<Q>) -> Self {
        let mut x = numbers(input);
        op.on_f64(&mut x);
        Self::of(x, output)
    }

    /// The table of any function of real numbers.
    ///
    /// ```
    /// use halfwave::{Lut8, Quantization};
    ///
    /// let of = Quantization::<i8>::new(0.125, 0)?;
    /// let square = Lut8::from_fn(|x| x * x, of, of);
    /// let mut q = [-24, -8, 4, 100]; // -3, -1, 0.5, 12.5
    /// square.apply_in_place(&mut q);
    /// assert_eq!(q, [72, 8, 2, 127]); // 9, 1, 0.25, the largest there is
    /// # Ok::<(), halfwave::QuantizationError>(())
    /// ```
    pub fn from_fn(
        f: impl FnMut(f64) -> f64,
        input: Quantization<P>,
        output: Quantization<Q>,
    ) -> Self {
        Self::of(numbers(input).map(f), output)
    }

    /// A table as it is: the outputs of the inputs whose bits, as unsigned numbers, are 0 to 255. For
    /// `i8` these are 0 to 127 and then −128 to −1.
    pub fn from_table(table: [Q; 256]) -> Self {
        Self {
            table: table.map(Q::bits),
            types: PhantomData,
        }
    }

    /// The table, in the order of [`from_table`](Lut8::from_table).
    pub fn table(&self) -> [Q; 256] {
        self.table.map(Q::of_bits)
    }

    fn of(y: [f64; 256], output: Quantization<Q>) -> Self {
        let zero_point: i32 = output.zero_point().into();
        let (min, max) = (
            f64::from(Q::MIN - zero_point),
            f64::from(Q::MAX - zero_point),
        );
        float_env::compute((y, output.scale()), |(y, scale)| {
            Self::from_table(y.map(|y| {
                let steps = y / f64::from(scale);
                // Clipped to an integer before it is rounded to one, so that it is not too large; NaN
                // becomes zero where it is converted.
                let q = round_ties_even(steps.clamp(min, max)) as i32 + zero_point;
                Q::of_bits(q as u8)
            }))
        })
    }
}

value_calls! {
    impl [<P: Quantized, Q: Quantized> Lut8<P, Q>] "Lut8" as lut: &Lut8<P, Q>, self: &Self;

    "`dst[i] = table[src[i]]`, of slices of one length."
    ///
    /// ```
    /// use halfwave::Lut8;
    ///
    /// let mut double = [0u8; 256];
    /// double[21] = 42;
    /// let mut dst = [0; 2];
    /// Lut8::<u8, u8>::from_table(double).apply(&[21, 0], &mut dst);
    /// assert_eq!(dst, [42, 0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply[] / par_apply / lookup[P: Quantized, Q: Quantized](src: &[P], dst: &mut [Q]) -> ()
        = |backend| { backend.lookup_to(lut, src, dst); };

    "`dst[i] = table[src[i]]` into memory that need not be initialised. Returns it initialised."
    ///
    /// ```
    /// use halfwave::Lut8;
    /// use std::mem::MaybeUninit;
    ///
    /// let mut fresh = [MaybeUninit::uninit(); 2];
    /// assert_eq!(Lut8::<u8, i8>::from_table([7; 256]).apply_uninit(&[0, 255], &mut fresh), [7, 7]);
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    apply_uninit['a] / par_apply_uninit / lookup_uninit['a, P: Quantized, Q: Quantized]
        (src: &[P], dst: &'a mut [MaybeUninit<Q>]) -> &'a mut [Q]
        = |backend| backend.lookup_to(lut, src, dst);
}

value_calls! {
    impl [<Q: Quantized> Lut8<Q>] "Lut8" as lut: &Lut8<Q>, self: &Self;

    "`x[i] = table[x[i]]`."
    ///
    /// ```
    /// use halfwave::Lut8;
    ///
    /// let mut x = [1u8, 2];
    /// Lut8::<u8>::from_table([7; 256]).apply_in_place(&mut x);
    /// assert_eq!(x, [7, 7]);
    /// ```
    apply_in_place[] / par_apply_in_place / lookup_in_place[Q: Quantized](x: &mut [Q]) -> ()
        = |backend| {
            let x = RowsMut::flat(x);
            look_up(backend, &lut.table, x.source(), x)
        };
}

/// `dst[i] = table[src[i]]`, of one length. `dst` may be `src`.
fn look_up<P: Quantized, Q: Quantized>(
    backend: Backend,
    table: &[u8; 256],
    src: Rows<'_, P>,
    dst: RowsMut<'_, Q>,
) {
    let kernels = backend.kernels();
    let in_place = src.view.is(&dst.view);
    let walk = Walk::to(&dst, in_place, if in_place { 1 } else { 2 })
        .whole()
        .with_floats(false);
    walk.run(backend.threads(), move |block| {
        kernels.lookup(table, src.at(block), dst.at(block));
    });
}

impl Backend {
    #[track_caller]
    fn lookup_to<'a, P: Quantized, Q: Quantized, T: Slot<Q>>(
        self,
        lut: &Lut8<P, Q>,
        src: &[P],
        dst: &'a mut [T],
    ) -> &'a mut [Q] {
        check_lengths([("src", src.len()), ("dst", dst.len())]);
        look_up(
            self,
            &lut.table,
            Rows::flat(src),
            RowsMut::flat(dst).slots(),
        );
        // SAFETY: the kernels have written every element.
        unsafe { written(dst) }
    }
}

/// What the 256 bytes stand for.
fn numbers<P: Quantized>(input: Quantization<P>) -> [f64; 256] {
    let zero_point: i32 = input.zero_point().into();
    float_env::compute(input.scale(), |scale| {
        core::array::from_fn(|bits| {
            let p: i32 = P::of_bits(bits as u8).into();
            f64::from(p - zero_point) * f64::from(scale)
        })
    })
}

/// `f64::round_ties_even`, which `core` does not have yet, for magnitudes up to 2^51: added to 1.5 ·
/// 2^52, a number has no room for a fraction.
fn round_ties_even(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    x + SHIFT - SHIFT
}

impl<P: Quantized, Q: Quantized> fmt::Debug for Lut8<P, Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lut8<{}, {}>", P::NAME, Q::NAME)?;
        f.debug_list().entries(self.table()).finish()
    }
}

mod sealed {
    pub trait Sealed {}
}
