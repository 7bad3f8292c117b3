//! The operations on integers held to plain arithmetic in `i128`, with parameters that no `f64` holds.

use std::fmt;

use crate::common::*;
use halfwave_kernels::*;

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

/// An operation with its defaults, and with all pairs of numbers that it accepts.
fn settings<O: Parameters>(numbers: &[Number]) -> Vec<O> {
    let mut all = vec![O::DEFAULT];
    let second = &numbers[..numbers.len().min(match O::PARAMETERS.len() {
        0 => return all,
        1 => 1,
        _ => usize::MAX,
    })];
    for &a in numbers {
        all.extend(second.iter().filter_map(|&b| O::from_values([a, b]).ok()));
    }
    all
}

fn test<O, E>(first: E, last: E)
where
    O: BuiltinOp + Oracle,
    E: Bits + Int + Into<i128> + TryFrom<i128, Error: fmt::Debug>,
{
    if !O::DTYPES.contains(&E::DTYPE) {
        return;
    }
    let (first, last) = (first.into(), last.into());
    let bounds = bounds(first, last);
    let element = |x: i128| E::try_from(x.clamp(first, last)).unwrap();
    let fractions = [-0.5, 0.5, 2.75, 1e300, f64::INFINITY, f64::NEG_INFINITY].map(Number::new);
    let numbers: Vec<_> = bounds.iter().map(|&b| number(b)).chain(fractions).collect();
    let mut x = E::edges();
    let next = bounds.iter().flat_map(|bound| bound - 1..=bound + 1);
    x.extend((-300..=300).chain(next).map(element));
    for op in settings::<O>(&numbers) {
        let want: Vec<E> = x
            .iter()
            .map(|&x| element(op.int_oracle(x.into())))
            .collect();
        for isa in isas() {
            let name = format!("{isa} {}{:?} {}", O::NAME, op.values(), E::DTYPE);
            let kernel = map_case(name, O::kernels::<E>(isa).unwrap().map, op);
            assert_same(&kernel.together(&x), &want, &kernel);
        }
    }
}

/// Clip's oracle takes its bounds apart as the kernels do, so it is held to the bounds themselves.
#[test]
fn the_oracle_of_clip_has_every_digit_of_its_bounds() {
    let bounds = bounds(i64::MIN.into(), u64::MAX.into());
    for &min in &bounds {
        for &max in &bounds {
            let clip = Clip::exact(number(min), number(max)).unwrap();
            for x in bounds.iter().flat_map(|bound| bound - 1..=bound + 1) {
                assert_eq!(clip.int_oracle(x), x.max(min).min(max), "{clip:?} of {x}");
            }
        }
    }
}

#[test]
fn operations_on_integers_are_exact() {
    macro_rules! each {
        ($($name:ident: $Op:ident in $Row:ident;)*) => {$(
            each!(@dtypes $Op i8 i16 i32 i64 u8 u16 u32 u64);
        )*};
        (@dtypes $Op:ident $($E:ident)*) => {
            $(test::<$Op, $E>($E::MIN, $E::MAX);)*
        };
    }
    for_each_op!(each);
}
