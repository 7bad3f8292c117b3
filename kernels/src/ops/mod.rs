//! The operations, each a file, and the table of all.

mod celu;
mod clip;
mod elu;
mod gelu;
mod gelu_tanh;
mod hard_shrink;
mod hard_sigmoid;
mod hard_swish;
mod leaky_relu;
mod log_sigmoid;
mod mish;
mod quick_gelu;
mod relu;
mod relu6;
mod relu_squared;
mod rrelu;
mod selu;
mod shrink;
mod sigmoid;
mod silu;
mod soft_shrink;
mod softplus;
mod softsign;
mod step;
mod tanh;
mod tanh_shrink;
#[cfg(test)]
mod testing;
mod threshold;
mod thresholded_relu;

pub use celu::Celu;
pub use clip::Clip;
pub use elu::Elu;
pub use gelu::Gelu;
pub use gelu_tanh::GeluTanh;
pub use hard_shrink::HardShrink;
pub use hard_sigmoid::HardSigmoid;
pub use hard_swish::HardSwish;
pub use leaky_relu::LeakyRelu;
pub use log_sigmoid::LogSigmoid;
pub use mish::Mish;
pub use quick_gelu::QuickGelu;
pub use relu::Relu;
pub use relu_squared::ReluSquared;
pub use relu6::Relu6;
pub use rrelu::Rrelu;
pub use selu::Selu;
pub use shrink::Shrink;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use soft_shrink::SoftShrink;
pub use softplus::Softplus;
pub use softsign::Softsign;
pub use step::Step;
pub use tanh::Tanh;
pub use tanh_shrink::TanhShrink;
pub use threshold::Threshold;
pub use thresholded_relu::ThresholdedRelu;

/// THE TABLE: one row per operation, `field: Type in Kind`, where the kind says which dtypes it
/// takes: `All`, or `Floats`. Calls `$then!` with all rows; the kernel tables, the dtypes an
/// operation is callable on, and the faces' names all come from here.
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident) => {
        $then! {
            relu: Relu in All;
            relu6: Relu6 in All;
            clip: Clip in All;
            leaky_relu: LeakyRelu in Floats;
            rrelu: Rrelu in Floats;
            threshold: Threshold in Floats;
            thresholded_relu: ThresholdedRelu in Floats;
            relu_squared: ReluSquared in Floats;
            step: Step in Floats;
            hard_sigmoid: HardSigmoid in Floats;
            hard_swish: HardSwish in Floats;
            hard_shrink: HardShrink in Floats;
            soft_shrink: SoftShrink in Floats;
            shrink: Shrink in Floats;
            softsign: Softsign in Floats;
            sigmoid: Sigmoid in Floats;
            log_sigmoid: LogSigmoid in Floats;
            tanh: Tanh in Floats;
            tanh_shrink: TanhShrink in Floats;
            softplus: Softplus in Floats;
            elu: Elu in Floats;
            celu: Celu in Floats;
            selu: Selu in Floats;
            silu: Silu in Floats;
            gelu: Gelu in Floats;
            gelu_tanh: GeluTanh in Floats;
            quick_gelu: QuickGelu in Floats;
            mish: Mish in Floats;
        }
    };
}
