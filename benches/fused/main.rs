//! Each fused form beside its traffic limit and the unfused sequence: GB/s of what the fused form
//! reads and writes, in the second-level cache and beyond the last.
//!
//! `cargo bench --bench fused -- ratios residual` runs the three in turn instead, for the forms whose
//! names contain the last word, and prints the ratios of the best of many: on a shared machine a
//! figure means something only beside one of the same moment.

mod common;

use std::hint::black_box;

use common::{Array, group, input, output};
use criterion::{Criterion, criterion_group};
use halfwave::{
    Activation, Along, Float, Fused, Isa, Operation, Relu, Rows, RowsMut, backend, f16,
};
use halfwave_kernels::forms::{Add, ArithmeticFn, Deinterleave, FormsOf, Interleave, Mul, Scalar};
use halfwave_kernels::{Kernels, Zip, fence, isa};

/// Reads as 32 Ki, 32 Mi elements.
const L2: usize = 1 << 15;
const DRAM: usize = 1 << 25;
const COLS: usize = 1 << 12;

/// What a form may read, and write.
struct Arrays<E> {
    len: usize,
    x: Array<E>,
    r: Array<E>,
    dy: Array<E>,
    row: Array<E>,
    y: Array<E>,
    z: Array<E>,
    wide: Array<E>,
}

impl<E: Float> Arrays<E> {
    fn new(len: usize) -> Self {
        let random = |len| input(len, |i| E::from_f64(f64::from(i % 1000) / 64.0));
        Self {
            len,
            // Twice as long, for the gates of interleaved halves.
            x: random(2 * len),
            r: random(len),
            dy: random(len),
            row: random(COLS),
            y: output(len),
            z: output(len),
            wide: output(2 * len),
        }
    }

    /// A step of an unfused sequence: `dst = a · b` or `a + b`, past the caches where the library
    /// would go past them.
    fn step<B: Copy>(&self, op: B, f: &ArithmeticFn<B, E>, a: *const E, b: *const E, dst: *mut E) {
        let (len, stream) = (self.len, self.len >= DRAM && !std::ptr::eq(a, dst));
        // SAFETY: kernels of this CPU; all callers pass arrays of `len`.
        unsafe {
            (f.zip)(Zip {
                op,
                a,
                b,
                dst,
                len,
                stream,
            })
        }
        fence();
    }

    /// The same with a row for all rows.
    fn step_rows<B: Copy>(&self, op: B, f: &ArithmeticFn<B, E>, a: *const E, dst: *mut E) {
        let stream = self.len >= DRAM && !std::ptr::eq(a, dst);
        for i in (0..self.len).step_by(COLS) {
            // SAFETY: as above, row by row.
            unsafe {
                let (a, dst, b) = (a.add(i), dst.add(i), self.row.as_ptr());
                (f.zip)(Zip {
                    op,
                    a,
                    b,
                    dst,
                    len: COLS,
                    stream,
                });
            }
        }
        fence();
    }
}

/// A form: how many elements it reads and writes for each of `y`, itself, and the sequence that it
/// stands for.
struct Form<E> {
    name: &'static str,
    reads: usize,
    writes: usize,
    fused: fn(&mut Arrays<E>),
    unfused: fn(&mut Arrays<E>, &FormsOf<E>),
}

fn forms<E: Float>() -> Vec<Form<E>>
where
    Relu: Operation<E>,
{
    fn rows<E: Float>(x: &[E]) -> Rows<'_, E> {
        Rows::new(x, x.len() / COLS, COLS)
    }
    fn rows_mut<E: Float>(x: &mut [E]) -> RowsMut<'_, E> {
        RowsMut::new(x, x.len() / COLS, COLS)
    }
    vec![
        Form {
            name: "bias",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Along::Columns(&a.row[..COLS]);
                Relu.bias(rows(&a.x[..a.len]), b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Add, &f.add, a.x.as_ptr(), y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias in place",
            reads: 1,
            writes: 0,
            fused: |a| {
                let b = Along::Columns(&a.row[..COLS]);
                Relu.bias_in_place(rows_mut(&mut a.y[..a.len]), b);
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Add, &f.add, y, y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias of short rows",
            reads: 1,
            writes: 1,
            fused: |a| {
                let (x, y) = (&a.x[..a.len], &mut a.y[..a.len]);
                let b = Along::Columns(&a.row[..32]);
                Relu.bias(
                    Rows::new(x, a.len / 32, 32),
                    b,
                    RowsMut::new(y, a.len / 32, 32),
                );
            },
            unfused: |a, f| {
                for i in (0..a.len).step_by(32) {
                    // SAFETY: kernels of this CPU, and rows of 32 in both.
                    unsafe {
                        let (a, b, dst) =
                            (a.x.as_ptr().add(i), a.row.as_ptr(), a.y.as_mut_ptr().add(i));
                        (f.add.zip)(Zip {
                            op: Add,
                            a,
                            b,
                            dst,
                            len: 32,
                            stream: false,
                        });
                    }
                }
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias along rows",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Along::Rows(&a.r[..a.len / COLS]);
                Relu.bias(rows(&a.x[..a.len]), b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                for i in (0..a.len).step_by(COLS) {
                    // SAFETY: kernels of this CPU, and rows of `COLS` in both.
                    unsafe {
                        let (x, y) = (a.x.as_ptr().add(i), a.y.as_mut_ptr().add(i));
                        (f.add.scalar)(Scalar(Add, a.r[i / COLS]), x, y, COLS, a.len >= DRAM);
                    }
                }
                fence();
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "bias backward",
            reads: 2,
            writes: 1,
            fused: |a| {
                let b = Along::Columns(&a.row[..COLS]);
                let (x, dy) = (rows(&a.x[..a.len]), rows(&a.dy[..a.len]));
                Relu.bias_backward(x, b, dy, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step_rows(Add, &f.add, a.x.as_ptr(), z);
                Relu.backward(&a.z[..a.len], &a.dy[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "scale, bias",
            reads: 1,
            writes: 1,
            fused: |a| {
                let b = Along::Columns(&a.row[..COLS]);
                Relu.scale_bias(rows(&a.x[..a.len]), b, b, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step_rows(Mul, &f.mul, a.x.as_ptr(), y);
                a.step_rows(Add, &f.add, y, y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual",
            reads: 2,
            writes: 1,
            fused: |a| Relu.residual(&a.x[..a.len], &a.r[..a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                let y = a.y.as_mut_ptr();
                a.step(Add, &f.add, a.x.as_ptr(), a.r.as_ptr(), y);
                Relu.apply_in_place(&mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual and sum",
            reads: 2,
            writes: 2,
            fused: |a| {
                let (z, y) = (&mut a.z[..a.len], &mut a.y[..a.len]);
                Relu.residual_sum(&a.x[..a.len], &a.r[..a.len], z, y);
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step(Add, &f.add, a.x.as_ptr(), a.r.as_ptr(), z);
                Relu.apply(&a.z[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "residual backward",
            reads: 3,
            writes: 1,
            fused: |a| {
                let (x, r, dy) = (&a.x[..a.len], &a.r[..a.len], &a.dy[..a.len]);
                Relu.residual_backward(x, r, dy, &mut a.y[..a.len]);
            },
            unfused: |a, f| {
                let z = a.z.as_mut_ptr();
                a.step(Add, &f.add, a.x.as_ptr(), a.r.as_ptr(), z);
                Relu.backward(&a.z[..a.len], &a.dy[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "gate",
            reads: 2,
            writes: 1,
            fused: |a| Relu.gate(&a.x[..a.len], &a.r[..a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                Relu.apply(&a.x[..a.len], &mut a.y[..a.len]);
                let y = a.y.as_mut_ptr();
                a.step(Mul, &f.mul, y, a.r.as_ptr(), y);
            },
        },
        Form {
            name: "gate of halves",
            reads: 2,
            writes: 1,
            fused: |a| {
                let (g, v) = Rows::new(&a.x[..2 * a.len], a.len / COLS, 2 * COLS).halves();
                Relu.gate(g, v, rows_mut(&mut a.y[..a.len]));
            },
            unfused: |a, f| {
                Relu.apply(&a.x[..a.len], &mut a.y[..a.len]);
                let y = a.y.as_mut_ptr();
                a.step(Mul, &f.mul, y, a.r.as_ptr(), y);
            },
        },
        Form {
            name: "gate backward",
            reads: 3,
            writes: 2,
            fused: |a| {
                let (g, v, dy) = (&a.x[..a.len], &a.r[..a.len], &a.dy[..a.len]);
                Relu.gate_backward(g, v, dy, &mut a.y[..a.len], &mut a.z[..a.len]);
            },
            unfused: |a, f| {
                let (y, z, dy) = (a.y.as_mut_ptr(), a.z.as_mut_ptr(), a.dy.as_ptr());
                Relu.apply(&a.x[..a.len], &mut a.z[..a.len]);
                a.step(Mul, &f.mul, z, dy, z);
                a.step(Mul, &f.mul, dy, a.r.as_ptr(), y);
                Relu.backward_in_place(&a.x[..a.len], &mut a.y[..a.len]);
            },
        },
        Form {
            name: "interleaved gate",
            reads: 2,
            writes: 1,
            fused: |a| Relu.gate_interleaved(&a.x[..2 * a.len], &mut a.y[..a.len]),
            unfused: |a, f| {
                let (src, len, y, z) = (a.x.as_ptr(), a.len, a.y.as_mut_ptr(), a.z.as_mut_ptr());
                // SAFETY: a kernel of this CPU, and arrays of `2 · len` and `len`.
                unsafe {
                    (f.deinterleave)(Deinterleave {
                        src,
                        a: y,
                        b: z,
                        len,
                    })
                };
                Relu.apply_in_place(&mut a.y[..a.len]);
                a.step(Mul, &f.mul, y, z, y);
            },
        },
        Form {
            name: "interleaved gate backward",
            reads: 3,
            writes: 2,
            fused: |a| {
                let (x, dx) = (&a.x[..2 * a.len], &mut a.wide[..2 * a.len]);
                Relu.gate_interleaved_backward(x, &a.dy[..a.len], dx);
            },
            unfused: |a, f| {
                let (src, len, r) = (a.x.as_ptr(), a.len, a.r.as_mut_ptr());
                let (y, z, dst) = (a.y.as_mut_ptr(), a.z.as_mut_ptr(), a.wide.as_mut_ptr());
                let dy = a.dy.as_ptr();
                // SAFETY: as above.
                unsafe {
                    (f.deinterleave)(Deinterleave {
                        src,
                        a: r,
                        b: y,
                        len,
                    })
                };
                Relu.apply(&a.r[..len], &mut a.z[..len]);
                a.step(Mul, &f.mul, z, dy, z);
                a.step(Mul, &f.mul, y, dy, y);
                Relu.backward_in_place(&a.r[..len], &mut a.y[..len]);
                let stream = len >= DRAM;
                // SAFETY: as above.
                unsafe {
                    (f.interleave)(Interleave {
                        a: y,
                        b: z,
                        dst,
                        len,
                        stream,
                    })
                };
                fence();
            },
        },
    ]
}

/// The kernels of the backend in use.
fn kernels() -> &'static Kernels {
    match backend().expect("HALFWAVE_ISA names a backend").isa() {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => &isa::avx512::KERNELS,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => &isa::avx2::KERNELS,
        _ => &isa::portable::KERNELS,
    }
}

/// The least that a form can cost: as many arrays read and written, in one loop that computes next to
/// nothing, past the caches if the arrays are beyond them. An array that is written in place counts
/// as read.
#[cfg(target_arch = "x86_64")]
mod limit {
    use std::arch::x86_64::*;

    use super::{Arrays, DRAM, Float};

    pub fn run<E: Float>(a: &mut Arrays<E>, reads: usize, writes: usize) {
        assert!(is_x86_feature_detected!("avx2"));
        let (stream, bytes) = (a.len >= DRAM, a.len * size_of::<E>());
        let [x, r, dy] = [&a.x, &a.r, &a.dy].map(|x| x.as_ptr().cast::<u8>());
        let [y, z] = [&mut a.y, &mut a.z].map(|x| x.as_mut_ptr().cast::<u8>());
        // SAFETY: the CPU has AVX2; whole lines of arrays of as many bytes, aligned to lines.
        unsafe {
            match (reads, writes, stream) {
                (1, 0, _) => moved::<1, 1, false>([y], [y], bytes),
                (1, 1, false) => moved::<1, 1, false>([x], [y], bytes),
                (2, 1, false) => moved::<2, 1, false>([x, r], [y], bytes),
                (2, 2, false) => moved::<2, 2, false>([x, r], [y, z], bytes),
                (3, 1, false) => moved::<3, 1, false>([x, r, dy], [y], bytes),
                (3, 2, false) => moved::<3, 2, false>([x, r, dy], [y, z], bytes),
                (1, 1, true) => moved::<1, 1, true>([x], [y], bytes),
                (2, 1, true) => moved::<2, 1, true>([x, r], [y], bytes),
                (2, 2, true) => moved::<2, 2, true>([x, r], [y, z], bytes),
                (3, 1, true) => moved::<3, 1, true>([x, r, dy], [y], bytes),
                (3, 2, true) => moved::<3, 2, true>([x, r, dy], [y, z], bytes),
                _ => unreachable!("no form reads {reads} and writes {writes}"),
            }
        }
    }

    #[target_feature(enable = "avx2")]
    unsafe fn moved<const R: usize, const W: usize, const STREAM: bool>(
        from: [*const u8; R],
        to: [*mut u8; W],
        bytes: usize,
    ) {
        let mut i = 0;
        while i < bytes {
            for half in [i, i + 32] {
                // SAFETY: within the arrays, as the caller vouches.
                unsafe {
                    let mut all = _mm256_set1_epi8(1);
                    for p in from {
                        all = _mm256_xor_si256(all, _mm256_loadu_si256(p.add(half).cast()));
                    }
                    for p in to {
                        if STREAM {
                            _mm256_stream_si256(p.add(half).cast(), all);
                        } else {
                            _mm256_storeu_si256(p.add(half).cast(), all);
                        }
                    }
                }
            }
            i += 64;
        }
        _mm_sfence();
    }
}

fn bytes<E>(form: &Form<E>, len: usize) -> usize {
    let arrays = form.reads + form.writes.max(1);
    arrays * len * size_of::<E>()
}

fn fused(c: &mut Criterion) {
    fn test<E: Float>(c: &mut Criterion)
    where
        Relu: Operation<E>,
    {
        for len in [L2, DRAM] {
            let mut arrays = Arrays::<E>::new(len);
            for form in forms::<E>() {
                let name = format!("{}/{}/{len}", form.name, E::DTYPE);
                let mut g = group(c, name, bytes(&form, len));
                g.bench_function("fused", |b| b.iter(|| (form.fused)(&mut arrays)));
                let f = E::forms(&kernels().forms);
                g.bench_function("unfused", |b| b.iter(|| (form.unfused)(&mut arrays, f)));
                #[cfg(target_arch = "x86_64")]
                g.bench_function("limit", |b| {
                    b.iter(|| limit::run(&mut arrays, form.reads, form.writes));
                });
            }
        }
    }
    test::<f32>(c);
    test::<f16>(c);
}

/// Seconds that this thread has run: on a machine with more work than cores, a pass over gigabytes is
/// never left alone for as long as it takes.
#[cfg(target_arch = "x86_64")]
fn cpu_time() -> f64 {
    #[cfg(target_os = "linux")]
    {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the clock is there on every Linux, and the struct is ours.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(target_os = "linux"))]
    {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed().as_secs_f64()
    }
}

/// Prints, for each form, GB/s and the ratios to the limit and to the unfused sequence.
#[cfg(target_arch = "x86_64")]
fn ratios<E: Float>(len: usize, rounds: usize, times: usize, filter: &str)
where
    Relu: Operation<E>,
{
    fn best(best: &mut f64, times: usize, mut run: impl FnMut()) {
        let start = cpu_time();
        (0..times).for_each(|_| run());
        *best = best.min((cpu_time() - start) / times as f64);
    }
    let mut arrays = Arrays::<E>::new(len);
    let f = E::forms(&kernels().forms);
    for form in forms::<E>()
        .iter()
        .filter(|form| form.name.contains(filter))
    {
        let mut time = [f64::INFINITY; 3];
        for _ in 0..rounds {
            best(&mut time[0], times, || (form.fused)(black_box(&mut arrays)));
            best(&mut time[1], times, || {
                limit::run(black_box(&mut arrays), form.reads, form.writes)
            });
            best(&mut time[2], times, || {
                (form.unfused)(black_box(&mut arrays), f)
            });
        }
        let [fused, limit, unfused] = time;
        println!(
            "{:<26} {} {len:>9}: {:6.1} GB/s, {:.3} of the limit, {:.2} times the unfused sequence",
            form.name,
            E::DTYPE,
            bytes(form, len) as f64 / fused / 1e9,
            limit / fused,
            unfused / fused,
        );
    }
}

criterion_group!(benches, fused);

fn main() {
    #[cfg(target_arch = "x86_64")]
    if let Some(at) = std::env::args().position(|arg| arg == "ratios") {
        let filter = std::env::args()
            .nth(at + 1)
            .filter(|arg| arg != "--bench")
            .unwrap_or_default();
        for (len, rounds, times) in [(L2, 300, 20), (DRAM, 40, 1)] {
            ratios::<f32>(len, rounds, times, &filter);
            ratios::<f16>(len, rounds, times, &filter);
        }
        return;
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
