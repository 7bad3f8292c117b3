//! halfwave and its native peers as contenders that `speed.py` times by turns with those of Python.
//!
//! A contender is found by its peer, operation, dtype and form; it runs on arrays of the caller's. A peer that
//! is a shared library is opened first.

#[cfg(not(target_arch = "x86_64"))]
compile_error!("VML and SLEEF are called by their x86-64 functions; build on x86-64");

mod ours;
mod plain;
mod rten;
mod sleef;
mod vml;

use std::ffi::{CStr, CString, c_char};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

/// What a contender reads and writes; the form says whether `dy` is there.
#[repr(C)]
pub struct Arrays {
    x: *const u8,
    dy: *const u8,
    y: *mut u8,
    len: usize,
}

/// Runs an operation on arrays as often as is asked, and says how many seconds that took.
pub struct Contender(Box<Run>);

type Run = dyn Fn(&Arrays, u64) -> f64;

/// One that runs `f(x, dy, y)`. The loop is compiled with `f`, so that a call of it costs what it costs in a
/// program.
fn contender<E: 'static>(f: impl Fn(&[E], &[E], &mut [E]) + 'static) -> Contender {
    Contender(Box::new(move |arrays, calls| {
        let Arrays { x, dy, y, len } = *arrays;
        // SAFETY: the caller of `peers_time` vouches for the arrays, and that they are of this dtype.
        let (x, dy, y) = unsafe {
            (
                std::slice::from_raw_parts(x.cast::<E>(), len),
                std::slice::from_raw_parts(dy.cast::<E>(), len),
                std::slice::from_raw_parts_mut(y.cast::<E>(), len),
            )
        };
        let begin = Instant::now();
        for _ in 0..calls {
            f(black_box(x), black_box(dy), black_box(&mut *y));
        }
        begin.elapsed().as_secs_f64()
    }))
}

/// One that runs `f(x, y)`.
fn forward<E: 'static>(f: impl Fn(&[E], &mut [E]) + 'static) -> Contender {
    contender(move |x, _, y| f(x, y))
}

/// Whether peers may use AVX-512: what `HALFWAVE_ISA` asks of halfwave is asked of all.
fn avx512() -> bool {
    halfwave::backend().is_ok_and(|backend| backend.name() == "avx512")
}

/// # Safety
/// `text` ends with a zero byte.
unsafe fn str_of<'a>(text: *const c_char) -> &'a str {
    // SAFETY: forwarded.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap_or_default()
}

fn c_string(text: String) -> *mut c_char {
    CString::new(text).unwrap_or_default().into_raw()
}

/// The backend that halfwave runs on; null if `HALFWAVE_ISA` names one that cannot be had, which is printed.
#[unsafe(no_mangle)]
pub extern "C" fn peers_backend() -> *mut c_char {
    match halfwave::backend() {
        Ok(backend) => c_string(backend.name().into()),
        Err(error) => {
            eprintln!("speed.py: {error}");
            std::ptr::null_mut()
        }
    }
}

/// Opens the shared library that `peer` is. Returns null, or why that failed.
///
/// # Safety
/// Both are strings that end with a zero byte; the path is that of a library of that name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peers_open(peer: *const c_char, path: *const c_char) -> *mut c_char {
    // SAFETY: forwarded.
    let (peer, path) = unsafe { (str_of(peer), Path::new(str_of(path))) };
    if !is_x86_feature_detected!("avx2") || !is_x86_feature_detected!("fma") {
        return c_string("needs a CPU with AVX2 and FMA".into());
    }
    let opened = match peer {
        "VML" => vml::open(path),
        "SLEEF" => sleef::open(path),
        _ => return c_string(format!("{peer} is no library; VML and SLEEF are")),
    };
    opened.map_or_else(
        |error| c_string(error.to_string()),
        |()| std::ptr::null_mut(),
    )
}

/// The contender `PEER OPERATION DTYPE FORM`, or null if there is none.
///
/// # Safety
/// `name` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peers_find(name: *const c_char) -> Option<Box<Contender>> {
    // SAFETY: forwarded.
    let words: Vec<_> = unsafe { str_of(name) }.split(' ').collect();
    let found = match words[..] {
        ["halfwave", op, dtype, form] => ours::find(op, dtype, form),
        ["plain", op, "f32", "apply"] => plain::find(op),
        ["memcpy", _, "f32", "apply"] => Some(forward::<f32>(|x, y| y.copy_from_slice(x))),
        ["rten", op, "f32", "apply"] => rten::find(op),
        ["VML", op, dtype, "apply"] => vml::find(op, dtype),
        ["SLEEF", op, dtype, "apply"] => sleef::find(op, dtype),
        _ => None,
    };
    found.map(Box::new)
}

/// Seconds that `calls` calls of the contender take.
///
/// # Safety
/// The arrays hold `len` elements of the contender's dtype each, `dy` or another in its place too; `y` overlaps
/// neither of the others.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn peers_time(contender: &Contender, arrays: &Arrays, calls: u64) -> f64 {
    (contender.0)(arrays, calls)
}
