//! To bytes and back, and tables of bytes.

use crate::bits::Bits;
use crate::inputs::{Few, Pairs, Random};
use crate::lines::{Forms, made};
use crate::names::*;
use crate::operations::Form;

/// Scales, and zero points of `i8`; of `u8` they are 128 more.
const GRIDS: [(f32, i32); 6] = [
    (0.05, 3),
    (0.5, 0),
    (1.0, -128),
    (f32::MIN_POSITIVE, 127),
    (3e38, -7),
    (1e-45, 1),
];

fn grids<Q: Quantized>() -> impl Iterator<Item = Quantization<Q>> {
    let shift = Q::MIN + 128;
    GRIDS
        .into_iter()
        .map(move |(scale, zero)| Quantization::new(scale, zero + shift).expect("a grid"))
}

/// An operation that goes straight to bytes.
pub struct ToBytes<'a, 'l, E> {
    pub forms: &'a mut Forms<'l>,
    pub few: &'a Few<E>,
}

impl<E: Bits + Quantizable> Form<E> for ToBytes<'_, '_, E> {
    fn run<O: Operation<E>>(self, op: O) {
        to_bytes::<O, E, i8>(self.forms, op, self.few);
        to_bytes::<O, E, u8>(self.forms, op, self.few);
    }
}

fn to_bytes<O: Operation<E>, E: Bits + Quantizable, Q: Quantized + Bits>(
    forms: &mut Forms<'_>,
    op: O,
    few: &Few<E>,
) {
    let (b, form) = (forms.backend(), format!("quantize_{}", Q::LABEL));
    for to in grids::<Q>() {
        for x in [&few.a[..], &few.a[1..1038]] {
            let q = made(x.len(), |q| b.apply_quantize(op, x, to, q));
            forms.add(&form, &q);
        }
    }
}

/// Plain numbers to bytes and back.
pub fn quantize<E: Bits + Quantizable, Q: Quantized + Bits>(
    forms: &mut Forms<'_>,
    pairs: &Pairs<E>,
) {
    let (b, x) = (forms.backend(), &pairs.x[..]);
    let name = Q::LABEL;
    let all: Vec<Q> = Random(3).bytes(70_001).into_iter().map(of_bits).collect();
    for grid in grids::<Q>() {
        for x in [x, &x[5..1042], &x[3..20]] {
            let q = made(x.len(), |q| b.quantize(x, grid, q));
            forms.add(&format!("quantize_{name}"), &q);
        }
        for q in [&all[..], &all[1..18]] {
            let x: Vec<E> = made(q.len(), |x| b.dequantize(q, grid, x));
            forms.add(&format!("dequantize_{name}"), &x);
        }
    }
}

fn of_bits<Q: Bits>(bits: u8) -> Q {
    Q::from_bits(bits.into())
}

/// The table of an operation, which the backend in use makes.
pub fn table<P: Quantized, Q: Quantized + Bits>(forms: &mut Forms<'_>, op: Op, form: &str) {
    for (input, output) in grids::<P>().zip(grids::<Q>().skip(1)) {
        forms.add(form, &Lut8::new(op, input, output).table());
    }
}

/// Looks bytes up in a table without pattern.
pub fn lookup<P: Quantized + Bits, Q: Quantized + Bits>(forms: &mut Forms<'_>, form: &str) {
    let entries = Random(11).bytes(256);
    let table: [Q; 256] = std::array::from_fn(|i| of_bits(entries[i]));
    let (b, lut) = (forms.backend(), Lut8::<P, Q>::from_table(table));
    let all: Vec<P> = Random(5).bytes(70_001).into_iter().map(of_bits).collect();
    for len in (0..=70).chain([1_037, all.len()]) {
        let x = &all[all.len() - len..];
        forms.add(form, &made(len, |q| b.lookup(&lut, x, q)));
    }
}
