//! rten-vecmath, and relu by rten-simd.

use std::mem::MaybeUninit;

use rten_simd::functional::simd_map;
use rten_simd::isa::Avx2Isa;
use rten_simd::ops::{BitOps, NumOps};
use rten_simd::{Isa, SimdUnaryOp};
use rten_vecmath::{ApproxGelu, Elu, Gelu, LeakyRelu, Sigmoid, Silu, Swish, Tanh};

use crate::{Contender, forward};

pub fn find(op: &str) -> Option<Contender> {
    Some(match op {
        "relu" => mapped(Max),
        "leaky_relu" => mapped(LeakyRelu { alpha: 0.01 }),
        "sigmoid" => mapped(Sigmoid {}),
        "tanh" => mapped(Tanh {}),
        "elu" | "celu" => mapped(Elu { alpha: 1.0 }),
        "silu" => mapped(Silu {}),
        "gelu" => mapped(Gelu {}),
        "gelu_tanh" => mapped(ApproxGelu {}),
        "quick_gelu" => mapped(Swish { alpha: 1.702 }),
        _ => return None,
    })
}

struct Max;

impl SimdUnaryOp<f32> for Max {
    #[inline(always)]
    fn eval<I: Isa>(&self, isa: I, x: I::F32) -> I::F32 {
        let ops = isa.f32();
        ops.max(x, ops.zero())
    }
}

/// By the instructions that rten takes of itself, or by AVX2, which it has no setting for.
fn mapped(op: impl SimdUnaryOp<f32> + 'static) -> Contender {
    match Avx2Isa::new().filter(|_| !crate::avx512()) {
        // SAFETY: `Avx2Isa::new` has asked the CPU.
        Some(isa) => forward(move |x, y| unsafe { on_avx2(isa, &op, x, uninit(y)) }),
        None => forward(move |x, y| _ = op.map(x, uninit(y))),
    }
}

/// As rten-simd's `dispatch` does it.
#[target_feature(enable = "avx2,fma,f16c")]
fn on_avx2(isa: Avx2Isa, op: &impl SimdUnaryOp<f32>, x: &[f32], y: &mut [MaybeUninit<f32>]) {
    simd_map(isa.f32(), (x, y), |x| op.eval(isa, x));
}

fn uninit(y: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: an initialised element is a valid `MaybeUninit`, and rten only writes.
    unsafe { &mut *(std::ptr::from_mut(y) as *mut [MaybeUninit<f32>]) }
}
