//! Every name of the library that the tool uses: what a rename touches is here and nowhere else.

pub use halfwave::sparsity::Index;
pub use halfwave::{
    BILINEAR, Backend, Element, Float, Lut8, Op, Operation, Prelu, Quantizable, Quantization,
    Quantized, Rows, RowsMut, RreluTraining, backend, backends, bf16, f16,
};
pub use halfwave::{
    geglu, geglu_backward, geglu_tanh, geglu_tanh_backward, glu, glu_backward, reglu,
    reglu_backward, swiglu, swiglu_backward,
};

pub use halfwave::Broadcast;

pub fn per_row<E>(each: &[E]) -> Broadcast<'_, E> {
    Broadcast::PerRow(each)
}

pub fn per_column<E>(each: &[E]) -> Broadcast<'_, E> {
    Broadcast::PerColumn(each)
}

pub fn shared_slope<E>(slope: E) -> Prelu<'static, E> {
    Prelu::Shared(slope)
}

pub fn slope_per_element<E>(slopes: &[E]) -> Prelu<'_, E> {
    Prelu::PerElement(slopes)
}

pub fn slope_per_channel<E>(slopes: &[E], inner: usize) -> Prelu<'_, E> {
    Prelu::PerChannel { slopes, inner }
}
