//! Each fused form beside its traffic limit and the unfused sequence: GB/s of what the fused form
//! reads and writes, in the second-level cache and beyond the last.
//!
//! `cargo bench --bench fused -- ratios residual` runs the three in turn instead, for the forms whose
//! names contain the last word, and prints the ratios of the best of many: on a shared machine a
//! figure means something only beside one of the same moment.

#[path = "../common/mod.rs"]
mod common;
mod forms;
#[cfg(target_arch = "x86_64")]
mod limit;

use std::hint::black_box;

use common::group;
use criterion::{Criterion, criterion_group};
use halfwave::{Float, Operation, Relu, backend, f16};

use forms::{Arrays, DRAM, Form, Kernels, L2, forms};

/// The kernels of the backend in use.
fn kernels<E: Float>() -> Kernels<E> {
    Kernels::of(backend().expect("HALFWAVE_ISA names a backend").isa())
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
                let f = &kernels::<E>();
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
    let f = &kernels::<E>();
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
