//! GB/s (read and written) of relu: by size and backend, with the limits and the peers in the same
//! group; by dtype; to fresh memory; and around the size where streaming stores begin to pay.

mod common;

use common::{DRAM, L1, L2, as_bytes, as_bytes_mut, floats, group, input, output, peers};
use criterion::{Criterion, criterion_group, criterion_main};
use halfwave::{Activation, Element, Operation, Relu, backends, bf16, f16, limits, memory};
use halfwave_kernels::{MapFn, fence};

fn out_of_place(c: &mut Criterion) {
    for len in [L1, L2, DRAM] {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let mut g = group(c, format!("relu/f32/{len}"), 8 * len);
        for backend in backends() {
            g.bench_function(backend.name(), |b| {
                b.iter(|| backend.apply(Relu, &x, &mut y))
            });
        }
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| limits::copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("limit: non-temporal copy", |b| {
            b.iter(|| limits::stream_copy(as_bytes(&x), as_bytes_mut(&mut y)));
        });
        g.bench_function("peer: iterator", |b| b.iter(|| peers::iterator(&x, &mut y)));
        g.bench_function("peer: wide", |b| b.iter(|| peers::wide(&x, &mut y)));
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the CPU has AVX2.
            let hand = |x: &[f32], y: &mut [f32]| unsafe { peers::hand::avx2(x, y) };
            g.bench_function("peer: plain AVX2 loop", |b| b.iter(|| hand(&x, &mut y)));
        }
    }
}

fn in_place(c: &mut Criterion) {
    for len in [L1, L2, DRAM] {
        let mut x = floats(len);
        let mut g = group(c, format!("relu in place/f32/{len}"), 8 * len);
        for backend in backends() {
            g.bench_function(backend.name(), |b| {
                b.iter(|| backend.apply_in_place(Relu, &mut x))
            });
        }
        g.bench_function("limit: read and write back", |b| {
            b.iter(|| limits::write_back(as_bytes_mut(&mut x)));
        });
        g.bench_function("peer: iterator", |b| {
            b.iter(|| peers::iterator_in_place(&mut x))
        });
    }
}

/// The same bytes per second, whatever the dtype.
fn dtypes(c: &mut Criterion) {
    fn one<E: Element>(c: &mut Criterion, bytes: usize, make: impl Fn(i32) -> E)
    where
        Relu: Operation<E>,
    {
        let len = bytes / size_of::<E>();
        let (x, mut y) = (input(len, make), output::<E>(len));
        let mut g = group(c, format!("relu by dtype/{bytes} bytes"), 2 * bytes);
        g.bench_function(E::DTYPE.name(), |b| b.iter(|| Relu.apply(&x, &mut y)));
    }
    for bytes in [4 * L1, 4 * L2, 4 * DRAM] {
        one(c, bytes, |i| i as f32);
        one(c, bytes, f64::from);
        one(c, bytes, |i| f16::from_f32(i as f32));
        one(c, bytes, |i| bf16::from_f32(i as f32));
        one(c, bytes, |i| i as i8);
        one(c, bytes, |i| i as i16);
        one(c, bytes, |i| i);
        one(c, bytes, i64::from);
    }
}

/// A fresh output pays for its first touch: on huge pages, as the allocator gives it (4 KiB pages,
/// unless the system's transparent huge pages are set to `always`), and as one collects.
fn fresh(c: &mut Criterion) {
    let x = floats(DRAM);
    let mut g = group(c, format!("relu to a fresh vector/f32/{DRAM}"), 8 * DRAM);
    g.bench_function("apply_to_vec", |b| b.iter(|| Relu.apply_to_vec(&x)));
    g.bench_function("as the allocator gives it", |b| {
        b.iter(|| {
            let mut y = Vec::with_capacity(x.len());
            Relu.apply_uninit(&x, &mut y.spare_capacity_mut()[..x.len()]);
            y
        });
    });
    g.bench_function("peer: iterator, collected", |b| {
        b.iter(|| x.iter().map(|x| x.max(0.0)).collect::<Vec<f32>>());
    });
}

/// Stores through the cache and past it, by how many quarters of the last level a call touches.
fn crossover(c: &mut Criterion) {
    let at = memory::caches().l3 / 8;
    let (x, mut y) = (floats(4 * at), output::<f32>(4 * at));
    for quarters in [1, 2, 3, 4, 6, 8, 16] {
        let len = at * quarters / 4;
        let mut g = group(c, format!("crossover/{quarters} quarters of L3"), 8 * len);
        let (x, y) = (&x[..len], &mut y[..len]);
        let kernel = relu_kernel();
        for (name, stream) in [("through the cache", false), ("past the cache", true)] {
            g.bench_function(name, |b| {
                b.iter(|| {
                    // SAFETY: the kernel is one this CPU runs; both slices have `len` aligned
                    // elements.
                    unsafe { kernel(Relu, x.as_ptr(), y.as_mut_ptr(), len, stream) }
                    if stream {
                        fence();
                    }
                });
            });
        }
    }
}

/// The kernel of the backend in use.
fn relu_kernel() -> MapFn<Relu, f32> {
    let backend = halfwave::backend().expect("HALFWAVE_ISA names a backend");
    <Relu as Operation<f32>>::kernels_for(backend.isa()).map
}

criterion_group!(benches, out_of_place, in_place, dtypes, fresh, crossover);
criterion_main!(benches);
