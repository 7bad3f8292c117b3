//! The only door to the kernels: each as a safe function of [`Src`] and [`Dst`].
//!
//! Two promises make it safe. An [`CpuIsa`] is an instruction set that this CPU runs: `dispatch` makes
//! them. What a [`Src`] and a [`Dst`] cover is valid memory, the same or apart: the block engine makes
//! them. What is left to check here is that they are as long as one another.

#![allow(unsafe_code)]

use halfwave_kernels::loops::{
    Add, ApplyMask, ArithmeticFn, Compress, CompressFn, Deinterleave, Dequantize, DrawSlopes, Grid,
    Index, Interleave, Lookup, MakeMask, MakeMaskFn, Move, Mul, NonZero, Positive, Prelu,
    PreluSlope, PreluSlopeGradient, Quantizable, Quantize, Range, SLACK, Scalar, ScaleGradient,
    SlopeSum, SlopeSums, Then,
};
use halfwave_kernels::{
    Backward, BackwardFromOutput, BuiltinOp, Dtype, Element, Float, FromOutput, Isa, MapFn,
    OpKernels, Times, Zip, ZipFn, bf16, f16, table,
};

use crate::blocks::{Dst, Room, Src, Value};
use crate::float_env;

/// An instruction set that this CPU runs.
#[derive(Clone, Copy)]
pub(crate) struct CpuIsa(Isa);

impl CpuIsa {
    /// # Safety
    /// Whoever uses it has found that this CPU runs `isa`.
    pub(crate) const unsafe fn new(isa: Isa) -> Self {
        Self(isa)
    }

    #[inline]
    pub(crate) fn isa(self) -> Isa {
        self.0
    }

    /// The kernels of an operation, if it takes `E`.
    #[inline]
    pub(crate) fn bind<O: BuiltinOp, E: Element>(self, op: O) -> Option<Bound<O, E>> {
        let kernels = O::kernels(self.0)?;
        Some(Bound {
            op,
            isa: self,
            kernels,
        })
    }

    /// `a + b`.
    #[inline]
    pub(crate) fn add<E: Float>(self) -> Arithmetic<Add, E> {
        Arithmetic(Add, &table::arithmetic(self.0).add)
    }

    /// `a · b`.
    #[inline]
    pub(crate) fn mul<E: Float>(self) -> Arithmetic<Mul, E> {
        Arithmetic(Mul, &table::arithmetic(self.0).mul)
    }

    /// `dy · slope`, and `+0` where the slope is zero.
    #[inline]
    pub(crate) fn scale_gradient<E: Float>(self) -> Arithmetic<ScaleGradient, E> {
        Arithmetic(ScaleGradient, &table::arithmetic(self.0).scale_gradient)
    }

    /// `x < 0 ? slope · x : x`.
    #[inline]
    pub(crate) fn prelu<E: Float>(self) -> Arithmetic<Prelu, E> {
        Arithmetic(Prelu, &table::prelu(self.0).prelu)
    }

    /// `x > 0 ? 1 : slope`.
    #[inline]
    pub(crate) fn prelu_slope<E: Float>(self) -> Arithmetic<PreluSlope, E> {
        Arithmetic(PreluSlope, &table::prelu(self.0).slope)
    }

    /// `x ≥ 0 ? 0 : dy · x`, of `x` and `dy`.
    #[inline]
    pub(crate) fn prelu_slope_gradient<E: Float>(self) -> Arithmetic<PreluSlopeGradient, E> {
        let kernel = &table::prelu(self.0).slope_gradient;
        Arithmetic(PreluSlopeGradient, kernel)
    }

    /// The sum of [`prelu_slope_gradient`](Self::prelu_slope_gradient).
    pub(crate) fn slope_sum<E: Float>(self, x: &[E], dy: &[E]) -> f64 {
        assert!(x.len() == dy.len());
        // SAFETY: as many elements in both.
        unsafe {
            (table::prelu::<E>(self.0).slope_sum)(SlopeSum {
                x: x.as_ptr(),
                dy: dy.as_ptr(),
                len: x.len(),
            })
        }
    }

    /// Adds each column of the same, over rows of `width` elements that begin `stride` elements apart, to
    /// `sums`, which has room for the last register to reach 16 beyond the width.
    pub(crate) fn slope_sums<E: Float>(
        self,
        [x, dy]: [&[E]; 2],
        [rows, width, stride]: [usize; 3],
        sums: &mut [f64],
    ) {
        assert!(x.len() == dy.len() && x.len() >= (rows - 1) * stride + width);
        assert!(sums.len() >= width + 16);
        // SAFETY: the last row ends within the slices, the last register within the sums.
        unsafe {
            (table::prelu::<E>(self.0).slope_sums)(SlopeSums {
                x: x.as_ptr(),
                dy: dy.as_ptr(),
                sums: sums.as_mut_ptr(),
                width,
                rows,
                stride,
            });
        }
    }

    /// Draws slopes number `start` to `start + len` of a seed.
    #[inline]
    pub(crate) fn draw_slopes<'b, E: Float>(
        self,
        (range, seed): (Range, u64),
        start: u64,
        len: usize,
        room: Room<'b, E>,
    ) -> Dst<'b, E> {
        let random = table::random::<E>(self.0);
        let per_draw = random.per_draw;
        let skip = (start % per_draw as u64) as usize;
        let draws = (skip + len).div_ceil(per_draw);
        let dst = room.dst(draws * per_draw);
        // SAFETY: there is room for all draws.
        unsafe {
            (random.draw_slopes)(DrawSlopes {
                range,
                seed,
                first: start / per_draw as u64,
                dst: dst.as_ptr(),
                draws,
            });
        }
        dst.part(skip, len)
    }

    /// `a[i], b[i] = src[i]`.
    #[inline]
    pub(crate) fn deinterleave<E: Float>(self, src: Src<'_, [E; 2]>, a: Dst<'_, E>, b: Dst<'_, E>) {
        let len = src.len();
        assert!(a.len() == len && b.len() == len);
        // SAFETY: as many pairs as elements.
        unsafe {
            (table::layout::<E>(self.0).deinterleave)(Deinterleave {
                src: src.as_ptr().cast(),
                a: a.as_ptr(),
                b: b.as_ptr(),
                len,
            });
        }
    }

    /// `dst[i] = [a[i], b[i]]`.
    #[inline]
    pub(crate) fn interleave<E: Float>(self, a: Src<'_, E>, b: Src<'_, E>, dst: Dst<'_, [E; 2]>) {
        let len = dst.len();
        assert!(a.len() == len && b.len() == len);
        // SAFETY: as many elements as pairs; what is to be streamed begins on a line.
        unsafe {
            (table::layout::<E>(self.0).interleave)(Interleave {
                a: a.as_ptr(),
                b: b.as_ptr(),
                dst: dst.as_ptr().cast(),
                len,
                stream: dst.streams(),
            });
        }
    }

    /// The mask of what is not zero.
    pub(crate) fn non_zero<E: Float>(self) -> Masks<NonZero, E> {
        Masks(NonZero, table::masks(self.0).non_zero)
    }

    /// The mask of what is not zero once it is rectified.
    pub(crate) fn positive<E: Float>(self) -> Masks<Positive, E> {
        Masks(Positive, table::masks(self.0).positive)
    }

    /// `dst[i] = bit i ? src[i] : +0`.
    #[inline]
    pub(crate) fn unmask<E: Float>(self, src: Src<'_, E>, bits: Src<'_, u8>, dst: Dst<'_, E>) {
        let len = dst.len();
        assert!(src.len() == len && bits.len() == len.div_ceil(8));
        // SAFETY: a bit for each element.
        unsafe {
            (table::masks::<E>(self.0).apply)(ApplyMask {
                src: src.as_ptr(),
                bits: bits.as_ptr(),
                dst: dst.as_ptr(),
                len,
                stream: dst.streams(),
            });
        }
    }

    /// Closes up what has its bit set.
    pub(crate) fn compress<I: Index, E: Float>(self) -> Compressor<I, E> {
        Compressor {
            compress: I::kernel(table::compress(self.0)),
            copy: table::copy_bytes(self.0),
        }
    }

    /// To `i8`, or to `u8` by its bits.
    #[inline]
    pub(crate) fn quantize<E: Quantizable, Q>(self, grid: Grid, src: Src<'_, E>, dst: Dst<'_, Q>) {
        const { assert!(size_of::<Q>() == 1) };
        assert!(src.len() == dst.len());
        // SAFETY: as many elements in both.
        unsafe {
            (table::quantize::<E>(self.0).quantize)(Quantize {
                grid,
                src: src.as_ptr(),
                dst: dst.as_ptr().cast(),
                len: dst.len(),
                stream: dst.streams(),
            });
        }
    }

    /// From `i8`, or from `u8` by its bits.
    #[inline]
    pub(crate) fn dequantize<Q, E: Quantizable>(
        self,
        grid: Grid,
        src: Src<'_, Q>,
        dst: Dst<'_, E>,
    ) {
        const { assert!(size_of::<Q>() == 1) };
        assert!(src.len() == dst.len());
        // SAFETY: as many elements in both.
        unsafe {
            (table::quantize::<E>(self.0).dequantize)(Dequantize {
                grid,
                src: src.as_ptr().cast(),
                dst: dst.as_ptr(),
                len: dst.len(),
                stream: dst.streams(),
            });
        }
    }

    /// `dst[i] = table[src[i]]`, of bytes. Where the CPU has an instruction for it that its [`Isa`] does
    /// not promise, by that.
    #[inline]
    pub(crate) fn lookup<P, Q>(self, table: &[u8; 256], src: Src<'_, P>, dst: Dst<'_, Q>) {
        const { assert!(size_of::<P>() == 1 && size_of::<Q>() == 1) };
        #[cfg(target_arch = "x86_64")]
        let kernel = if self.isa() == Isa::Avx512 && crate::detect::has!("avx512vbmi") {
            halfwave_kernels::loops::lookup_vbmi
        } else {
            table::lookup(self.0)
        };
        #[cfg(not(target_arch = "x86_64"))]
        let kernel = table::lookup(self.0);
        assert!(src.len() == dst.len());
        let (from, to) = (src.as_ptr().cast(), dst.as_ptr().cast());
        // SAFETY: the table outlives this call; as many bytes in both.
        unsafe { kernel(Lookup::new(table), from, to, dst.len(), dst.streams()) }
    }
}

/// Calls a kernel of a [`CpuIsa`].
#[inline(always)]
fn map<O, E>(kernel: MapFn<O, E>, op: O, src: Src<'_, E>, dst: Dst<'_, E>) {
    assert!(src.len() == dst.len());
    let stream = dst.streams();
    // SAFETY: as many elements in both; this module's callers have their kernels from a `CpuIsa`.
    unsafe { kernel(op, src.as_ptr(), dst.as_ptr(), dst.len(), stream) }
}

/// Calls a kernel of a [`CpuIsa`].
#[inline(always)]
fn zip<O, E>(kernel: ZipFn<O, E>, op: O, a: Src<'_, E>, b: Src<'_, E>, dst: Dst<'_, E>) {
    let len = dst.len();
    assert!(a.len() == len && b.len() == len);
    // SAFETY: as many elements in all; this module's callers have their kernels from a `CpuIsa`.
    unsafe {
        kernel(Zip {
            op,
            a: a.as_ptr(),
            b: b.as_ptr(),
            dst: dst.as_ptr(),
            len,
            stream: dst.streams(),
        });
    }
}

/// An operation's kernels for one dtype.
pub(crate) trait Blockwise<E: Element>: Copy + Sync {
    /// `y = f(x)`.
    fn map(&self, x: Src<'_, E>, y: Dst<'_, E>);

    /// Whether `map` computes with floats, be it with parameters alone.
    fn uses_floats(&self) -> bool;

    /// `dx = dy · f′(x)`.
    ///
    /// # Panics
    /// If `E` is no float dtype.
    fn backward(&self, x: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>);

    /// Whether the output tells the derivative, with these parameters.
    fn has_from_output(&self) -> bool;

    /// `dx = dy · f′`, where the output is `y`.
    ///
    /// # Panics
    /// If that does not tell the derivative.
    fn backward_from_output(&self, y: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>);

    /// `y = f(g) · v`, where need be by way of `z`.
    fn gate(&self, g: Src<'_, E>, v: Src<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float;

    /// `y = f(x + b)`, where need be by way of `z`.
    fn add_then(&self, x: Src<'_, E>, b: Value<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float;
}

/// An operation with its kernels on one instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Bound<O: 'static, E: 'static> {
    op: O,
    isa: CpuIsa,
    kernels: &'static OpKernels<O, E>,
}

impl<O: BuiltinOp, E: Element> Blockwise<E> for Bound<O, E> {
    #[inline(always)]
    fn map(&self, x: Src<'_, E>, y: Dst<'_, E>) {
        map(self.kernels.map, self.op, x, y);
    }

    #[inline(always)]
    fn uses_floats(&self) -> bool {
        let float = matches!(E::DTYPE, Dtype::F32 | Dtype::F64 | Dtype::F16 | Dtype::Bf16);
        float || !O::PARAMETERS.is_empty()
    }

    #[inline(always)]
    fn backward(&self, x: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>) {
        let kernel = self
            .kernels
            .backward
            .expect("a derivative, of a float dtype");
        zip(kernel, Backward(self.op), x, dy, dx);
    }

    fn has_from_output(&self) -> bool {
        output_suffices::<O, E>(self.op)
    }

    #[inline]
    fn backward_from_output(&self, y: Src<'_, E>, dy: Src<'_, E>, dx: Dst<'_, E>) {
        match (O::FROM_OUTPUT, self.kernels.from_output) {
            (FromOutput::AsFromInput, _) => self.backward(y, dy, dx),
            (FromOutput::ByItself, Some(kernel)) => {
                zip(kernel, BackwardFromOutput(self.op), y, dy, dx);
            }
            _ => panic!("the output tells no derivative"),
        }
    }

    #[inline]
    fn gate(&self, g: Src<'_, E>, v: Src<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float,
    {
        // One loop for both made swiglu on `f32` 1.3 times as fast (4,096 elements, AVX-512).
        if let (Some(kernel), true) = (self.kernels.gate, self.op.in_pieces()) {
            return zip(kernel, Times(self.op), g, v, y);
        }
        let z = z.dst(y.len());
        self.map(g, z);
        self.isa.mul().zip(z.written(), v, y);
    }

    #[inline]
    fn add_then(&self, x: Src<'_, E>, b: Value<'_, E>, z: Room<'_, E>, y: Dst<'_, E>)
    where
        E: Float,
    {
        // Beyond the cache one loop is faster than blocks, which read and write in turn, so that a core has
        // one or the other to wait for. It does not reach the limit of memory: 0.67 of it was seen with a
        // bias, 0.84 with a residual.
        if let Some(after_sum) = &self.kernels.after_sum {
            return Arithmetic(Then(Add, self.op), after_sum).call(x, b, y);
        }
        let z = z.dst(y.len());
        self.isa.add().call(x, b, z);
        self.map(z.written(), y);
    }
}

/// Whether the output tells the derivative, with these parameters; of an integer it does not.
pub(crate) fn output_suffices<O: BuiltinOp, E: Element>(op: O) -> bool {
    if O::FROM_OUTPUT == FromOutput::Never {
        return false;
    }
    let suffices = |op: O| match E::DTYPE {
        Dtype::F32 => op.output_suffices::<f32>(),
        Dtype::F64 => op.output_suffices::<f64>(),
        Dtype::F16 => op.output_suffices::<f16>(),
        Dtype::Bf16 => op.output_suffices::<bf16>(),
        _ => false,
    };
    if O::PARAMETERS.is_empty() {
        return suffices(op);
    }
    // Parameters are compared, as they are rounded to the dtype.
    float_env::compute(op, suffices)
}

/// A form of two operands, the second of which may be one element.
#[derive(Clone, Copy)]
pub(crate) struct Arithmetic<B: 'static, E: 'static>(B, &'static ArithmeticFn<B, E>);

impl<B: Copy, E: Element> Arithmetic<B, E> {
    /// `dst[i] = form(a[i], b[i])`.
    #[inline(always)]
    pub(crate) fn call(self, a: Src<'_, E>, b: Value<'_, E>, dst: Dst<'_, E>) {
        let Self(op, kernel) = self;
        match b {
            Value::One(b) => map(kernel.scalar, Scalar(op, b), a, dst),
            Value::Each(b) => zip(kernel.zip, op, a, b, dst),
        }
    }

    /// `dst[i] = form(a[i], b[i])` of two arrays.
    #[inline(always)]
    pub(crate) fn zip(self, a: Src<'_, E>, b: Src<'_, E>, dst: Dst<'_, E>) {
        zip(self.1.zip, self.0, a, b, dst);
    }
}

/// Which elements have their bit set.
#[derive(Clone, Copy)]
pub(crate) struct Masks<P, E>(P, MakeMaskFn<P, E>);

impl<P: Copy, E: Float> Masks<P, E> {
    /// Writes the mask; returns how many bits are set.
    #[inline]
    pub(crate) fn write(self, x: Src<'_, E>, bits: Dst<'_, u8>) -> usize {
        let Self(predicate, kernel) = self;
        assert!(bits.len() == x.len().div_ceil(8));
        // SAFETY: a bit for each element.
        unsafe {
            kernel(MakeMask {
                predicate,
                x: x.as_ptr(),
                bits: bits.as_ptr(),
                len: x.len(),
            })
        }
    }
}

/// The kernels that close up what has its bit set.
pub(crate) struct Compressor<I: Index, E> {
    compress: CompressFn<I, E>,
    copy: MapFn<Move, i8>,
}

impl<I: Index, E: Float> Compressor<I, E> {
    /// Writes the elements and their numbers, of which the first's is `first`; returns how many.
    #[inline]
    pub(crate) fn compress(
        &self,
        (x, first): (Src<'_, E>, usize),
        bits: Src<'_, u8>,
        values: Dst<'_, E>,
        indices: Dst<'_, I>,
    ) -> usize {
        let len = x.len();
        assert!(bits.len() == len.div_ceil(8));
        assert!(values.len().min(indices.len()) >= len + SLACK);
        // SAFETY: a bit for each element, and room for all of them and the slack.
        unsafe {
            (self.compress)(Compress {
                x: x.as_ptr(),
                bits: bits.as_ptr(),
                len,
                first,
                values: values.as_ptr(),
                indices: indices.as_ptr(),
            })
        }
    }

    /// Copies elements that do not overlap.
    #[inline]
    pub(crate) fn copy<T: Copy>(&self, src: Src<'_, T>, dst: Dst<'_, T>) {
        assert!(src.len() == dst.len());
        let (from, to) = (src.as_ptr().cast(), dst.as_ptr().cast());
        let bytes = dst.len() * size_of::<T>();
        // SAFETY: as many bytes in both.
        unsafe { (self.copy)(Move, from, to, bytes, dst.streams()) }
    }
}
