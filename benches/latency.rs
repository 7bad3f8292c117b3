//! What a call costs: relu of a few elements through the public API, by kernel pointer, and as a
//! loop inlined into the caller.

mod common;

use std::hint::black_box;

use common::{floats, output, peers};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use halfwave::{Activation, Op, Relu, backends};

fn latency(c: &mut Criterion) {
    for len in [1, 7, 8, 64, 1000] {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let mut g = c.benchmark_group(format!("latency/{len} elements"));
        g.throughput(Throughput::Bytes(8 * len as u64));
        g.bench_function("Relu.apply", |b| {
            b.iter(|| Relu.apply(black_box(&x), black_box(&mut y)));
        });
        for backend in backends() {
            g.bench_function(backend.name(), |b| {
                b.iter(|| backend.apply(Relu, black_box(&x), black_box(&mut y)));
            });
        }
        let op: Op = "relu".parse().expect("relu is an operation");
        g.bench_function("Op::apply", |b| {
            b.iter(|| op.apply(black_box(&x), black_box(&mut y)));
        });
        g.bench_function("par_apply", |b| {
            b.iter(|| Relu.par_apply(black_box(&x), black_box(&mut y)));
        });
        g.bench_function("limit: the loop, inlined", |b| {
            b.iter(|| peers::wide(black_box(&x), black_box(&mut y)));
        });
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| black_box(&mut y).copy_from_slice(black_box(&x)));
        });
    }
}

criterion_group!(benches, latency);
criterion_main!(benches);
