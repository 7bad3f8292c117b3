//! The loop that one writes first: the formula on each element, by the functions of `std`. The compiler may
//! vectorise it, for this build's baseline.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use crate::{Contender, forward};

unsafe extern "C" {
    safe fn erff(x: f32) -> f32; // C's: `std` has none
}

pub fn find(op: &str) -> Option<Contender> {
    Some(match op {
        "relu" => each(|x| x.max(0.0)),
        "relu6" => each(|x| x.clamp(0.0, 6.0)),
        "leaky_relu" => each(|x| if x < 0.0 { 0.01 * x } else { x }),
        "hard_sigmoid" => each(|x| (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        "hard_swish" => each(|x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        "hard_shrink" => each(|x| if x.abs() > 0.5 { x } else { 0.0 }),
        "soft_shrink" => each(|x| x - x.clamp(-0.5, 0.5)),
        "softsign" => each(|x| x / (1.0 + x.abs())),
        "sigmoid" => each(sigmoid),
        "log_sigmoid" => each(|x| -softplus(-x)),
        "tanh" => each(f32::tanh),
        "tanh_shrink" => each(|x| x - x.tanh()),
        "softplus" => each(softplus),
        "elu" | "celu" => each(|x| if x > 0.0 { x } else { x.exp_m1() }),
        "selu" => each(|x| 1.050_701 * if x > 0.0 { x } else { 1.673_263_2 * x.exp_m1() }),
        "silu" => each(|x| x * sigmoid(x)),
        "gelu" => each(|x| 0.5 * x * (1.0 + erff(x * FRAC_1_SQRT_2))),
        "gelu_tanh" => {
            each(|x| 0.5 * x * (1.0 + ((2.0 / PI).sqrt() * (x + 0.044_715 * x * x * x)).tanh()))
        }
        "quick_gelu" => each(|x| x * sigmoid(1.702 * x)),
        "mish" => each(|x| x * softplus(x).tanh()),
        _ => return None,
    })
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f32) -> f32 {
    x.exp().ln_1p()
}

fn each(f: impl Fn(f32) -> f32 + 'static) -> Contender {
    forward::<f32>(move |x, y| {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = f(x);
        }
    })
}
