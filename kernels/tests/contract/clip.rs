//! Clip on integers held to plain arithmetic in `i128`, with bounds that no `f64` holds.

use std::fmt;

use crate::common::*;
use halfwave_kernels::{Clip, Int, Number, Operation};

/// The type's own bounds and 2^53, with what is next to them, and bounds of wider types.
fn bounds(min: i128, max: i128) -> Vec<i128> {
    let ends = [min, max, 0, -(1 << 53), 1 << 53];
    let around = ends.into_iter().flat_map(|end| end - 2..=end + 2);
    let wider = [i64::MIN.into(), i64::MAX.into(), u64::MAX.into()];
    let mut all: Vec<i128> = around.chain(wider).collect();
    all.retain(|bound| (i64::MIN.into()..=u64::MAX.into()).contains(bound));
    all.sort_unstable();
    all.dedup();
    all
}

fn number(value: i128) -> Number {
    match i64::try_from(value) {
        Ok(value) => value.into(),
        Err(_) => u64::try_from(value).unwrap().into(),
    }
}

fn test<E>(first: E, last: E)
where
    E: Bits + Int + Into<i128> + TryFrom<i128, Error: fmt::Debug>,
    Clip: Operation<E>,
{
    let (first, last) = (first.into(), last.into());
    let bounds = bounds(first, last);
    let element = |x: i128| E::try_from(x.clamp(first, last)).unwrap();
    let mut x = E::edges();
    let next = bounds.iter().flat_map(|bound| bound - 1..=bound + 1);
    x.extend(next.map(element));
    for &min in &bounds {
        for &max in &bounds {
            let clip = Clip::exact(number(min), number(max)).unwrap();
            let clipped = |x: &E| element((*x).into().max(min).min(max));
            let want: Vec<E> = x.iter().map(clipped).collect();
            for isa in isas() {
                let name = format!("{isa} {clip:?} {}", E::DTYPE);
                let kernel = map_case(name, Clip::kernels_for(isa).map, clip);
                assert_same(&kernel.together(&x), &want, &kernel);
            }
        }
    }
}

#[test]
fn clip_on_integers_is_exact() {
    macro_rules! each {
        ($($E:ident)*) => {
            $(test($E::MIN, $E::MAX);)*
        };
    }
    each! { i8 i16 i32 i64 u8 u16 u32 u64 }
}
