//! The loops over arrays, each a file: those of the operations, and what surrounds an operation in a
//! fused form, which the library strings together over blocks that stay in the first-level cache.

mod arithmetic;
mod compact;
mod compress;
mod halves;
mod layout;
mod lookup;
mod map;
mod mask;
mod pieces;
mod quantize;
mod random;
mod sum;
mod zip;

pub use arithmetic::{
    Add, Arithmetic, ArithmeticFn, Mul, Prelu, PreluSlope, PreluSlopeGradient, Scalar,
    ScaleGradient, Then,
};
pub use compact::fence;
pub use compress::{Compress, CompressFn, CompressFns, Compressed, Index, Move, SLACK};
pub use layout::{Deinterleave, Interleave, LayoutFns};
pub use lookup::Lookup;
#[cfg(target_arch = "x86_64")]
pub use lookup::lookup_vbmi;
pub(crate) use map::has_pieces;
pub use map::{Elementwise, MapFn};
pub use mask::{
    ApplyMask, ApplyMaskFn, MakeMask, MakeMaskFn, MaskFns, Masked, NonZero, Positive, Predicate,
};
pub use quantize::{Dequantize, Grid, Quantizable, Quantize, QuantizeFns};
pub use random::{DrawSlopes, Drawn, Range};
pub use sum::{SlopeSum, SlopeSums, Summand};
pub use zip::{Pairwise, Zip, ZipFn};
