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
mod relu_n;
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

/// THE TABLE: one row per operation, `file: Type in Kind`, where the kind says which dtypes it takes:
/// `All`, or `Floats`. Calls `$then!` with all rows, behind what else it is given; the kernels, the dtypes
/// an operation is callable on, what the crates export, and the faces' names all come from here.
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident $($first:tt)*) => {
        $then! {
            $($first)*
            relu: Relu in All;
            relu6: Relu6 in All;
            relu_n: ReluN in All;
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

macro_rules! public {
    ($($name:ident: $Op:ident in $Kind:ident;)*) => {
        $(pub use $name::$Op;)*
    };
}
for_each_op!(public);
