//! SLEEF, whose functions take a register each, of errors up to 1 ulp. Around them is the loop that a program
//! writes: load, call by pointer, store; and the textbook formula where SLEEF lacks an operation.

use std::arch::x86_64::*;
use std::hint::black_box;
use std::path::Path;
use std::sync::OnceLock;

use libloading::{Error, Library};

use crate::Contender;

static LIBRARY: OnceLock<Library> = OnceLock::new();

pub fn open(path: &Path) -> Result<(), Error> {
    // SAFETY: SLEEF's initialisers ask nothing of us.
    _ = LIBRARY.set(unsafe { Library::new(path)? });
    Ok(())
}

/// None where SLEEF was not opened, or lacks a function, too.
pub fn find(op: &str, dtype: &str) -> Option<Contender> {
    let library = LIBRARY.get()?;
    match (dtype, crate::avx512()) {
        ("f32", true) => f32x16::find(op, library),
        ("f32", false) => f32x8::find(op, library),
        ("f64", true) => f64x8::find(op, library),
        ("f64", false) => f64x4::find(op, library),
        _ => None,
    }
}

macro_rules! registers {
    ($name:ident, $E:ident, $V:ident, $features:literal, $suffix:literal,
     $load:ident $store:ident $splat:ident $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident) => {
        mod $name {
            use super::*;

            // C and Rust pass a register alike where the caller is compiled for it.
            #[allow(improper_ctypes_definitions)]
            type Function = unsafe extern "C" fn($V) -> $V;

            struct Functions {
                exp: Function,
                expm1: Function,
                log1p: Function,
                tanh: Function,
                erf: Function,
            }

            pub fn find(op: &str, library: &Library) -> Option<Contender> {
                // SAFETY: sleef.h declares them so.
                let function = |name| unsafe { library.get(format!("Sleef_{name}{}", $suffix)) };
                let function = |name| function(name).ok().map(|symbol| *symbol);
                let functions = Functions {
                    exp: function("exp")?,
                    expm1: function("expm1")?,
                    log1p: function("log1p")?,
                    tanh: function("tanh")?,
                    erf: function("erf")?,
                };
                let op = Formula::of(op)?;
                // SAFETY: `peers_open` has asked the CPU for AVX2 and FMA, and halfwave for AVX-512.
                Some(crate::forward::<$E>(move |x, y| unsafe {
                    run(op, &functions, x, y)
                }))
            }

            #[target_feature(enable = $features)]
            fn run(op: Formula, functions: &Functions, x: &[$E], y: &mut [$E]) {
                // A register in memory aligns the frame, and with it what is kept there across a call. One
                // that lay across two pages made silu four times as slow, in some runs and not in others.
                black_box(&mut $splat(0.0));
                let k = |x: f64| $splat(x as $E);
                let (zero, one, half) = (k(0.0), k(1.0), k(0.5));
                // SAFETY: SLEEF's functions take any register.
                let of = |f: Function| move |x: $V| unsafe { f(x) };
                let (exp, expm1, log1p) =
                    (of(functions.exp), of(functions.expm1), of(functions.log1p));
                let (tanh, erf) = (of(functions.tanh), of(functions.erf));
                let neg = |x| $sub(zero, x);
                let elu = |x, alpha| $add($max(x, zero), $mul(alpha, expm1($min(x, zero))));
                let cubic = |x| $mul(x, $add(one, $mul(k(0.044715), $mul(x, x))));
                match op {
                    Formula::Tanh => map(x, y, tanh),
                    Formula::TanhShrink => map(x, y, |x| $sub(x, tanh(x))),
                    Formula::Sigmoid => map(x, y, |x| $div(one, $add(one, exp(neg(x))))),
                    Formula::Silu => map(x, y, |x| $div(x, $add(one, exp(neg(x))))),
                    Formula::QuickGelu => {
                        map(x, y, |x| $div(x, $add(one, exp($mul(k(-1.702), x)))))
                    }
                    Formula::Softplus => map(x, y, |x| log1p(exp(x))),
                    Formula::LogSigmoid => map(x, y, |x| neg(log1p(exp(neg(x))))),
                    Formula::Mish => map(x, y, |x| $mul(x, tanh(log1p(exp(x))))),
                    Formula::Elu => map(x, y, |x| elu(x, one)),
                    Formula::Selu => map(x, y, |x| {
                        $mul(k(1.0507009873554805), elu(x, k(1.6732632423543772)))
                    }),
                    Formula::Gelu => map(x, y, |x| {
                        $mul(
                            $mul(half, x),
                            $add(one, erf($mul(x, k(std::f64::consts::FRAC_1_SQRT_2)))),
                        )
                    }),
                    Formula::GeluTanh => map(x, y, |x| {
                        $mul(
                            $mul(half, x),
                            $add(one, tanh($mul(k(0.7978845608028654), cubic(x)))),
                        )
                    }),
                }
            }

            #[target_feature(enable = $features)]
            fn map(x: &[$E], y: &mut [$E], f: impl Fn($V) -> $V) {
                const LANES: usize = size_of::<$V>() / size_of::<$E>();
                let (x, x_rest) = x.as_chunks::<LANES>();
                let (y, y_rest) = y.as_chunks_mut::<LANES>();
                assert!(x.len() == y.len() && x_rest.is_empty() && y_rest.is_empty());
                for (x, y) in x.iter().zip(y) {
                    // SAFETY: `x` and `y` are as long as a register.
                    unsafe { $store(y.as_mut_ptr(), f($load(x.as_ptr()))) }
                }
            }
        }
    };
}

registers!(f32x16, f32, __m512, "avx512f", "f16_u10avx512f",
    _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps
    _mm512_min_ps _mm512_max_ps);
registers!(f32x8, f32, __m256, "avx2,fma", "f8_u10avx2",
    _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps
    _mm256_min_ps _mm256_max_ps);
registers!(f64x8, f64, __m512d, "avx512f", "d8_u10avx512f",
    _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_add_pd _mm512_sub_pd _mm512_mul_pd _mm512_div_pd
    _mm512_min_pd _mm512_max_pd);
registers!(f64x4, f64, __m256d, "avx2,fma", "d4_u10avx2",
    _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_add_pd _mm256_sub_pd _mm256_mul_pd _mm256_div_pd
    _mm256_min_pd _mm256_max_pd);

/// An operation that SLEEF has, or that its functions make.
#[derive(Clone, Copy)]
enum Formula {
    Tanh,
    TanhShrink,
    Sigmoid,
    Silu,
    QuickGelu,
    Softplus,
    LogSigmoid,
    Mish,
    Elu,
    Selu,
    Gelu,
    GeluTanh,
}

impl Formula {
    fn of(op: &str) -> Option<Self> {
        Some(match op {
            "tanh" => Self::Tanh,
            "tanh_shrink" => Self::TanhShrink,
            "sigmoid" => Self::Sigmoid,
            "silu" => Self::Silu,
            "quick_gelu" => Self::QuickGelu,
            "softplus" => Self::Softplus,
            "log_sigmoid" => Self::LogSigmoid,
            "mish" => Self::Mish,
            "elu" | "celu" => Self::Elu,
            "selu" => Self::Selu,
            "gelu" => Self::Gelu,
            "gelu_tanh" => Self::GeluTanh,
            _ => return None,
        })
    }
}
