//! halfwave, by the methods of its types, as a program calls them.

use halfwave::*;

use crate::{Contender, contender, forward};

pub fn find(op: &str, dtype: &str, form: &str) -> Option<Contender> {
    macro_rules! on {
        ($E:ty: $($name:literal $Type:ident,)*) => {
            match op {
                $($name => formed::<$Type, $E>($Type::default(), form),)*
                _ => None,
            }
        };
        ($E:ty) => {
            on! { $E:
                "relu" Relu, "relu6" Relu6, "leaky_relu" LeakyRelu, "hard_sigmoid" HardSigmoid,
                "hard_swish" HardSwish, "hard_shrink" HardShrink, "soft_shrink" SoftShrink,
                "softsign" Softsign, "sigmoid" Sigmoid, "log_sigmoid" LogSigmoid, "tanh" Tanh,
                "tanh_shrink" TanhShrink, "softplus" Softplus, "elu" Elu, "celu" Celu, "selu" Selu,
                "silu" Silu, "gelu" Gelu, "gelu_tanh" GeluTanh, "quick_gelu" QuickGelu, "mish" Mish,
            }
        };
    }
    match dtype {
        "f32" => on!(f32),
        "f64" => on!(f64),
        "f16" => on!(f16),
        "bf16" => on!(bf16),
        _ => None,
    }
}

fn formed<O: Operation<E> + Activation + 'static, E: Float>(
    op: O,
    form: &str,
) -> Option<Contender> {
    match form {
        "apply" => Some(forward::<E>(move |x, y| op.apply(x, y))),
        "backward" => Some(contender::<E>(move |x, dy, dx| op.backward(x, dy, dx))),
        // The first array is the output.
        "backward_from_output" if op.has_backward_from_output::<E>() => {
            Some(contender::<E>(move |y, dy, dx| {
                op.backward_from_output(y, dy, dx)
            }))
        }
        _ => None,
    }
}
