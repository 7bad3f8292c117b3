//! Masks, counts, and what is not zero alone.

use crate::bits::Bits;
use crate::inputs::{Pairs, Random};
use crate::lines::{Forms, blank, changed, made};
use crate::names::*;

/// Lengths around registers, words and bytes of masks, and blocks.
const LENGTHS: [usize; 14] = [
    0, 1, 7, 8, 9, 31, 63, 64, 65, 1_000, 1_025, 4_099, 9_001, 27_000,
];

/// All forms, on the whole and on parts.
pub fn sparse<E: Bits + Float>(forms: &mut Forms<'_>, pairs: &Pairs<E>) {
    let Pairs { x, dy } = pairs;
    let parts = LENGTHS.map(|n| (&x[n..2 * n], &dy[n..2 * n]));
    for (x, dy) in parts.into_iter().chain([(&x[..], &dy[..])]) {
        masks(forms, x, dy);
        compaction::<u32, E>(forms, x, dy);
        compaction::<u64, E>(forms, x, dy);
    }
}

fn masks<E: Bits + Float>(forms: &mut Forms<'_>, x: &[E], dy: &[E]) {
    let (b, n) = (forms.backend(), x.len());
    let mut mask = blank(n.div_ceil(8));
    let y = made(n, |y| b.relu_with_mask(x, y, &mut mask));
    forms.add("relu_with_mask", &y);
    forms.add("relu_with_mask", &mask);
    mask.fill(0xA5);
    let y = changed(x, |x| b.relu_with_mask_in_place(x, &mut mask));
    forms.add("relu_with_mask", &y);
    forms.add("relu_with_mask", &mask);
    let any: Vec<u8> = Random(7).bytes(mask.len());
    for mask in [mask, any] {
        let dx = made(n, |dx| b.relu_mask_backward(&mask, dy, dx));
        forms.add("relu_mask_backward", &dx);
        let dx = changed(dy, |dy| b.relu_mask_backward_in_place(&mask, dy));
        forms.add("relu_mask_backward", &dx);
    }
    let mut count = 0;
    let y = made(n, |y| count = b.relu_with_count(x, y));
    forms.add("relu_with_count", &y);
    forms.add("relu_with_count", &[count as u64]);
    let y = changed(x, |x| count = b.relu_with_count_in_place(x));
    forms.add("relu_with_count", &y);
    forms.add("relu_with_count", &[count as u64]);
    let counts = [x, &y].map(|x| b.count_nonzero(x) as u64);
    forms.add("count_nonzero", &counts);
}

fn compaction<I: Index + Bits, E: Bits + Float>(forms: &mut Forms<'_>, x: &[E], dy: &[E]) {
    let (b, n) = (forms.backend(), x.len());
    let form = |name| format!("{name}_{}", I::LABEL);
    // Of many zeros and of few: those that `dy` makes where it is negative, or where it is small.
    let half = |i: usize| dy[i].bits() & E::sign() == 0;
    let most = |i: usize| dy[i].magnitude() > E::INFINITY / 8;
    for kept in [&half as &dyn Fn(usize) -> bool, &most, &|_| true] {
        let x = made(n, |to| {
            for (i, to) in to.iter_mut().enumerate() {
                *to = if kept(i) { x[i] } else { E::from_bits(0) };
            }
        });
        let (mut indices, mut values) = (blank::<I>(n), blank::<E>(n));
        let count = b.compact(&x, &mut indices, &mut values).expect("room");
        let name = form("compact");
        forms.add(&name, &indices[..count]);
        forms.add(&name, &values[..count]);
        // Room for a few less.
        let room = b.relu_with_count(&x, &mut values).saturating_sub(3);
        let (mut indices, mut values) = (blank::<I>(room), blank::<E>(room));
        let result = b.relu_compact(&x, &mut indices, &mut values);
        let name = form("relu_compact_cut");
        forms.add(&name, format!("{result:?}").as_bytes());
        forms.add(&name, &indices);
        forms.add(&name, &values);
        let (indices, values) = b.relu_compact_to_vecs::<I, E>(&x);
        forms.add(&form("relu_compact"), &indices);
        forms.add(&form("relu_compact"), &values);
    }
}
