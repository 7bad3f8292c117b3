//! One thread against rayon's pool, from below the break-even to memory. `from inside` is a call by
//! a thread of the pool, which has no worker to wake for itself.

mod common;

use common::{floats, group, output};
use criterion::{Criterion, criterion_group, criterion_main};
use halfwave::{Activation, Relu, limits};

fn parallel(c: &mut Criterion) {
    for len in [
        1 << 14,
        1 << 17,
        1 << 18,
        1 << 19,
        1 << 20,
        1 << 21,
        1 << 22,
        1 << 24,
        1 << 26,
    ] {
        let (x, mut y) = (floats(len), output::<f32>(len));
        let mut g = group(c, format!("parallel/f32/{len}"), 8 * len);
        g.bench_function("limit: memcpy", |b| {
            b.iter(|| limits::copy(common::as_bytes(&x), common::as_bytes_mut(&mut y)));
        });
        g.bench_function("apply", |b| b.iter(|| Relu.apply(&x, &mut y)));
        g.bench_function("par_apply", |b| b.iter(|| Relu.par_apply(&x, &mut y)));
        g.bench_function("par_apply from inside", |b| {
            rayon::scope(|_| b.iter(|| Relu.par_apply(&x, &mut y)));
        });
        g.bench_function("apply_in_place", |b| b.iter(|| Relu.apply_in_place(&mut y)));
        g.bench_function("par_apply_in_place", |b| {
            b.iter(|| Relu.par_apply_in_place(&mut y))
        });
    }
}

criterion_group!(benches, parallel);
criterion_main!(benches);
