//! Every method against the plain loops.

use std::fmt::Debug;
use std::mem::MaybeUninit;

use halfwave::sparsity::{CompactError, Index};
use halfwave::{Backend, Relu};

use crate::common::{
    Bits, Guarded, compacted, count, is_non_zero, is_positive, mask_of, rectified, same,
};

/// Everything on one array with one backend, outputs `offset` elements from a round place.
pub fn check<I: Index + TryFrom<usize> + Debug + PartialEq, E: Bits>(
    b: Backend,
    x: &[E],
    offset: usize,
) {
    let n = x.len();
    let canary = E::from_f64(123.0);
    let (want_y, want_mask, want_n) = (rectified(x), mask_of(x), count(x, is_positive));
    let y = || Guarded::new(n, offset, canary);
    let mask = || Guarded::new(n.div_ceil(8), offset, 0xA5u8);
    let tell = |what: &str| format!("{what} {:?} of {n} at {offset} by {b:?}", E::DTYPE);

    let (mut to, mut bits) = (y(), mask());
    b.relu_with_mask(x, to.slice(), bits.slice());
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_mask"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    let (mut to, mut bits) = (vec![MaybeUninit::uninit(); n], mask());
    same(
        b.relu_with_mask_uninit(x, &mut to, bits.slice()),
        &want_y,
        &tell("relu_with_mask_uninit"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    let (mut to, mut bits) = (Guarded::of(x, offset, canary), mask());
    b.relu_with_mask_in_place(to.slice(), bits.slice());
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_mask_in_place"),
    );
    assert_eq!(
        bits.take(n.div_ceil(8), |x| x, &tell("mask")),
        want_mask,
        "{}",
        tell("mask")
    );

    // The gradient of another array, and relu's own.
    let dy: Vec<E> = x.iter().rev().copied().collect();
    let zero = E::from_f64(0.0);
    let want_dx: Vec<_> = dy
        .iter()
        .zip(x)
        .map(|(&dy, &x)| if is_positive(x) { dy } else { zero })
        .collect();
    // Bits that no element has are ignored.
    let mut noisy = want_mask.clone();
    if let (Some(last), rest @ 1..) = (noisy.last_mut(), n % 8) {
        *last |= 0xFF << rest;
    }
    let mut dx = y();
    b.relu_mask_backward(&noisy, &dy, dx.slice());
    let dx = dx.take(n, E::bits, &tell("dx"));
    same(&dx, &want_dx, &tell("relu_mask_backward"));
    let mut from_x = vec![zero; n];
    b.backward(Relu, x, &dy, &mut from_x);
    let quiet = |x: &[E]| x.iter().map(|&x| x.quiet()).collect::<Vec<_>>();
    same(&quiet(&from_x), &quiet(&dx), &tell("backward"));
    let mut dx = Guarded::of(&dy, offset, canary);
    b.relu_mask_backward_in_place(&want_mask, dx.slice());
    same(
        &dx.take(n, E::bits, &tell("dx")),
        &want_dx,
        &tell("relu_mask_backward_in_place"),
    );

    let mut to = y();
    assert_eq!(
        b.relu_with_count(x, to.slice()),
        want_n,
        "{}",
        tell("relu_with_count")
    );
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_count"),
    );
    let mut to = vec![MaybeUninit::uninit(); n];
    let (to, got_n) = b.relu_with_count_uninit(x, &mut to);
    assert_eq!(got_n, want_n, "{}", tell("relu_with_count_uninit"));
    same(to, &want_y, &tell("relu_with_count_uninit"));
    let mut to = Guarded::of(x, offset, canary);
    assert_eq!(
        b.relu_with_count_in_place(to.slice()),
        want_n,
        "{}",
        tell("relu_with_count_in_place")
    );
    same(
        &to.take(n, E::bits, &tell("y")),
        &want_y,
        &tell("relu_with_count_in_place"),
    );
    assert_eq!(
        b.count_nonzero(x),
        count(x, is_non_zero),
        "{}",
        tell("count_nonzero")
    );
    assert_eq!(
        b.count_nonzero(&want_y),
        want_n,
        "{}",
        tell("count_nonzero")
    );

    check_compact::<I, E>(b, x, offset, true);
    check_compact::<I, E>(b, x, offset, false);
}

fn check_compact<I: Index + TryFrom<usize> + Debug + PartialEq, E: Bits>(
    b: Backend,
    x: &[E],
    offset: usize,
    relu: bool,
) {
    let tell = format!(
        "compact {:?} relu={relu} of {} at {offset} by {b:?}",
        E::DTYPE,
        x.len()
    );
    let (want_i, want_v) = compacted::<I, E>(x, if relu { is_positive } else { is_non_zero });
    let n = want_v.len();

    let (i, v): (Vec<I>, _) = if relu {
        b.relu_compact_to_vecs(x)
    } else {
        b.compact_to_vecs(x)
    };
    assert_eq!(i, want_i, "{tell}");
    same(&v, &want_v, &tell);

    // Too much room, exactly enough, too little in one or the other or both.
    for (room_i, room_v) in [
        (n + 9, n + 7),
        (n, n),
        (n.saturating_sub(1), n),
        (n, n / 2),
        (n / 3, 0),
    ] {
        let mut i = Guarded::new(room_i, offset, I::new(99));
        let mut v = Guarded::new(room_v, offset + 1, E::from_f64(123.0));
        let got = if relu {
            b.relu_compact(x, i.slice(), v.slice())
        } else {
            b.compact(x, i.slice(), v.slice())
        };
        let used = n.min(room_i).min(room_v);
        let want = match used == n {
            true => Ok(n),
            false => Err(CompactError::Room {
                needed: n,
                indices: room_i,
                values: room_v,
            }),
        };
        assert_eq!(got, want, "{tell}");
        assert_eq!(i.take(used, |i| i, &tell), want_i[..used], "{tell}");
        same(&v.take(used, E::bits, &tell), &want_v[..used], &tell);
    }
}
