//! Intel's VML, the vector mathematics of MKL, in its mode of high accuracy. What it lacks is the textbook
//! formula over its functions, in blocks that stay in the first-level cache.

use std::path::Path;
use std::sync::OnceLock;

use libloading::{Error, Library};

use crate::{Contender, forward};

type Unary<E> = unsafe extern "C" fn(i64, *const E, *mut E, u64);

/// `VML_HA | VML_ERRMODE_IGNORE`
const MODE: u64 = 0x102;
/// Elements per block.
const BLOCK: usize = 2048;

/// The functions of a dtype.
struct Functions<E> {
    exp: Unary<E>,
    expm1: Unary<E>,
    log1p: Unary<E>,
    tanh: Unary<E>,
    cdf_norm: Unary<E>,
}

static F32: OnceLock<Functions<f32>> = OnceLock::new();
static F64: OnceLock<Functions<f64>> = OnceLock::new();

pub fn open(path: &Path) -> Result<(), Error> {
    // SAFETY: MKL's initialisers ask nothing of us.
    let library: &Library = Box::leak(Box::new(unsafe { Library::new(path)? }));
    _ = F32.set(functions(library, 's')?);
    _ = F64.set(functions(library, 'd')?);
    Ok(())
}

fn functions<E>(library: &'static Library, letter: char) -> Result<Functions<E>, Error> {
    let function = |name: &str| {
        // SAFETY: `vmsTanh_64` and its kin have this signature in mkl_vml_functions.h, `vmd` for `f64`.
        unsafe { library.get::<Unary<E>>(format!("vm{letter}{name}_64")) }.map(|symbol| *symbol)
    };
    Ok(Functions {
        exp: function("Exp")?,
        expm1: function("Expm1")?,
        log1p: function("Log1p")?,
        tanh: function("Tanh")?,
        cdf_norm: function("CdfNorm")?,
    })
}

macro_rules! formulas {
    ($name:ident, $E:ident) => {
        fn $name(op: &str, f: &'static Functions<$E>) -> Option<Contender> {
            const ROOT: $E = 0.797_884_560_802_865_4_f64 as $E; // of 2/π
            const SELU: [$E; 2] = [
                1.050_700_987_355_480_5_f64 as $E,
                1.673_263_242_354_377_2_f64 as $E,
            ];
            let Functions {
                exp,
                expm1,
                log1p,
                tanh,
                cdf_norm,
            } = f;
            Some(match op {
                "tanh" => forward(move |x, y| call(*tanh, x, y)),
                "tanh_shrink" => by(&[*tanh], |x, t: $E| x - t),
                "sigmoid" => of(|x: $E| -x, &[*exp], |_, e| 1.0 / (1.0 + e)),
                "silu" => of(|x: $E| -x, &[*exp], |x, e| x / (1.0 + e)),
                "quick_gelu" => of(|x: $E| -1.702 * x, &[*exp], |x, e| x / (1.0 + e)),
                "softplus" => by(&[*exp, *log1p], |_, s: $E| s),
                "log_sigmoid" => of(|x: $E| -x, &[*exp, *log1p], |_, s| -s),
                "mish" => by(&[*exp, *log1p, *tanh], |x, t: $E| x * t),
                "elu" | "celu" => of(|x: $E| x.min(0.0), &[*expm1], |x, e| x.max(0.0) + e),
                "selu" => of(
                    |x: $E| x.min(0.0),
                    &[*expm1],
                    |x, e| SELU[0] * (x.max(0.0) + SELU[1] * e),
                ),
                "gelu" => by(&[*cdf_norm], |x, p: $E| x * p),
                "gelu_tanh" => of(
                    |x: $E| ROOT * x * (1.0 + 0.044_715 * x * x),
                    &[*tanh],
                    |x, t| 0.5 * x * (1.0 + t),
                ),
                _ => return None,
            })
        }
    };
}
formulas!(in_f32, f32);
formulas!(in_f64, f64);

/// None where VML was not opened, too.
pub fn find(op: &str, dtype: &str) -> Option<Contender> {
    match dtype {
        "f32" => in_f32(op, F32.get()?),
        "f64" => in_f64(op, F64.get()?),
        _ => None,
    }
}

fn call<E>(f: Unary<E>, x: &[E], y: &mut [E]) {
    assert_eq!(x.len(), y.len());
    // SAFETY: both slices have as many elements.
    unsafe { f(x.len() as i64, x.as_ptr(), y.as_mut_ptr(), MODE) }
}

fn call_in_place<E>(f: Unary<E>, y: &mut [E]) {
    // SAFETY: VML may be given one array for both.
    unsafe { f(y.len() as i64, y.as_ptr(), y.as_mut_ptr(), MODE) }
}

/// `after(x, f(before(x)))`, where `f` is one function of VML's after the other.
fn of<E: Copy + 'static>(
    before: impl Fn(E) -> E + 'static,
    functions: &[Unary<E>],
    after: impl Fn(E, E) -> E + 'static,
) -> Contender {
    let functions = functions.to_vec();
    blockwise(move |x, y| {
        each(x, y, |x, _| before(x));
        functions.iter().for_each(|&f| call_in_place(f, y));
        each(x, y, &after);
    })
}

/// `after(x, f(x))`.
fn by<E: Copy + 'static>(functions: &[Unary<E>], after: impl Fn(E, E) -> E + 'static) -> Contender {
    let (first, others) = (functions[0], functions[1..].to_vec());
    blockwise(move |x, y| {
        call(first, x, y);
        others.iter().for_each(|&f| call_in_place(f, y));
        each(x, y, &after);
    })
}

fn blockwise<E: 'static>(f: impl Fn(&[E], &mut [E]) + 'static) -> Contender {
    forward(move |x: &[E], y: &mut [E]| {
        for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
            f(x, y);
        }
    })
}

/// `y = f(x, y)`, which the compiler vectorises for AVX2.
fn each<E: Copy>(x: &[E], y: &mut [E], f: impl Fn(E, E) -> E) {
    #[target_feature(enable = "avx2,fma")]
    fn on_avx2<E: Copy>(x: &[E], y: &mut [E], f: impl Fn(E, E) -> E) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y = f(x, *y);
        }
    }
    // SAFETY: `peers_open` has asked the CPU.
    unsafe { on_avx2(x, y, f) }
}
