//! Rectifiers whose slopes are given or drawn.

use crate::bits::Bits;
use crate::inputs::{Pairs, Random, core};
use crate::lines::{Forms, changed, made};
use crate::names::*;

/// Channels and neighbours of one: fewer than a register and more than a block.
const CHANNELS: [[usize; 2]; 12] = [
    [1, 1],
    [1, 500],
    [3, 1],
    [5, 7],
    [64, 1],
    [64, 49],
    [7, 63],
    [7, 64],
    [3, 5_000],
    [1_000, 1],
    [1_030, 3],
    [3_000, 1],
];

/// All forms and layouts of [`Prelu`].
pub fn prelu<E: Bits + Float>(forms: &mut Forms<'_>, pairs: &Pairs<E>) {
    let mut random = Random(0x5851_F42D_4C95_7F2D);
    let mut slopes = core::<E>();
    slopes.extend((0..pairs.x.len()).map(|_| random.within::<E>(1.5)));
    let whole = pairs.x.len();
    for slope in [
        0.25,
        0.1,
        -0.3,
        1.0,
        0.0,
        -0.0,
        1e-30,
        f64::NAN,
        f64::INFINITY,
    ] {
        let prelu = shared_slope(E::nearest(slope));
        run(forms, "shared", prelu, pairs, whole.min(1 << 16), 1);
    }
    run(
        forms,
        "per_element",
        slope_per_element(&slopes[..whole]),
        pairs,
        whole,
        whole,
    );
    run(
        forms,
        "per_element",
        slope_per_element(&slopes[..1037]),
        pairs,
        1037,
        1037,
    );
    for [channels, inner] in CHANNELS {
        let prelu = slope_per_channel(&slopes[..channels], inner);
        for len in [1, 1 << 16, whole] {
            let len = (len / (channels * inner)).max(1) * channels * inner;
            run(forms, "per_channel", prelu, pairs, len, channels);
        }
    }
}

fn run<E: Bits + Float>(
    forms: &mut Forms<'_>,
    layout: &str,
    prelu: Prelu<'_, E>,
    pairs: &Pairs<E>,
    len: usize,
    slopes: usize,
) {
    let (b, x, dy) = (forms.backend(), &pairs.x[..len], &pairs.dy[..len]);
    let y = made(len, |y| b.prelu(prelu, x, y));
    forms.add(&format!("{layout}_apply"), &y);
    let y = changed(x, |x| b.prelu_in_place(prelu, x));
    forms.add(&format!("{layout}_apply"), &y);
    let dx = made(len, |dx| b.prelu_backward(prelu, x, dy, dx));
    forms.add(&format!("{layout}_backward"), &dx);
    let dx = changed(dy, |dy| b.prelu_backward_in_place(prelu, x, dy));
    forms.add(&format!("{layout}_backward"), &dx);
    // Sums of any bits are NaN; those of the last numbers are not.
    let plain = &pairs.x[pairs.x.len() - len..];
    let plain_dy = &pairs.dy[pairs.x.len() - len..];
    for (x, dy) in [(x, dy), (plain, plain_dy)] {
        let dslope = made(slopes, |dslope| {
            b.prelu_backward_slope(prelu, x, dy, dslope);
        });
        forms.add(&format!("{layout}_backward_slope"), &dslope);
    }
}

/// Bounds of drawn slopes. Those of the last two round to zero on `f16`, from both sides.
pub const BOUNDS: [[f64; 2]; 5] = [
    [0.125, 0.3333333333333333],
    [-0.5, 0.7],
    [0.1, 0.1],
    [-1e-7, 1e-8],
    [-1e-46, 1e-45],
];

/// All forms of [`RreluTraining`].
pub fn rrelu<E: Bits + Float>(forms: &mut Forms<'_>, pairs: &Pairs<E>, [lower, upper]: [f64; 2]) {
    let (b, Pairs { x, dy }) = (forms.backend(), pairs);
    let whole = x.len();
    for (seed, start, len) in [
        (42, 0, whole),
        (u64::MAX, 12_345_678_901, 27_001),
        (0, u64::MAX - 40, 33),
        (1, 5, 2),
    ] {
        let rrelu = RreluTraining::new(lower, upper, seed).expect("bounds");
        let rrelu = rrelu.starting_at(start);
        let (x, dy) = (&x[whole - len..], &dy[whole - len..]);
        let slopes: Vec<E> = made(len, |slopes| b.rrelu_slopes(rrelu, slopes));
        forms.add("slopes", &slopes);
        forms.add("apply", &made(len, |y| b.rrelu(rrelu, x, y)));
        forms.add("apply", &changed(x, |x| b.rrelu_in_place(rrelu, x)));
        let mut noise = vec![];
        let y = made(len, |y| {
            noise = made(len, |noise| b.rrelu_with_noise(rrelu, x, y, noise));
        });
        forms.add("apply_with_noise", &y);
        forms.add("noise", &noise);
        let dx = made(len, |dx| b.rrelu_backward(rrelu, x, dy, dx));
        forms.add("backward", &dx);
        let dx = changed(dy, |dy| b.rrelu_backward_in_place(rrelu, x, dy));
        forms.add("backward", &dx);
    }
}
