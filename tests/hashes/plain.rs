//! One array in, one array out: the operation and its derivatives.

use crate::bits::{Bits, digest};
use crate::inputs::Pairs;
use crate::lines::{Forms, changed, made};
use crate::names::*;
use crate::operations::Form;

/// The parts of `0..len` that calls are made on beside the whole: all lengths up to a few registers, and
/// one odd length; each begins amid a register.
fn parts(len: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let lengths = (0..=70).chain([129, 1037]);
    lengths.map(move |n| {
        let start = (1 + 997 * n) % (len - n);
        start..start + n
    })
}

/// Where the parts lie in an array that is written: not as in the one that is read.
const SHIFT: usize = 3;

pub struct Map<'a, 'l, E> {
    pub forms: &'a mut Forms<'l>,
    pub pairs: &'a Pairs<E>,
}

impl<E: Bits + Element> Form<E> for Map<'_, '_, E> {
    fn run<O: Operation<E>>(self, op: O) {
        let (b, x) = (self.forms.backend(), &self.pairs.x[..]);
        let y = made(x.len(), |y| b.apply(op, x, y));
        let par = made(x.len(), |y| b.par().apply(op, x, y));
        assert_eq!(digest(&y), digest(&par), "{b:?} differs from its par()");
        self.forms.add("apply", &y);
        for part in parts(x.len()) {
            let (n, x) = (part.len(), &x[part]);
            let y = made(n + 80, |y| b.apply(op, x, &mut y[SHIFT..SHIFT + n]));
            self.forms.add("apply_part", &y);
            let y = changed(x, |y| b.apply_in_place(op, &mut y[n / 3..]));
            self.forms.add("apply_part_in_place", &y);
        }
    }
}

pub struct Derivative<'a, 'l, E> {
    pub forms: &'a mut Forms<'l>,
    pub pairs: &'a Pairs<E>,
    pub from_output: bool,
}

impl<E: Bits + Float> Form<E> for Derivative<'_, '_, E> {
    fn run<O: Operation<E>>(self, op: O) {
        let (b, Pairs { x, dy }) = (self.forms.backend(), self.pairs);
        self.forms
            .add("backward", &made(x.len(), |dx| b.backward(op, x, dy, dx)));
        for part in parts(x.len()) {
            let (n, x, dy) = (part.len(), &x[part.clone()], &dy[part]);
            let to = SHIFT..SHIFT + n;
            let dx = made(n + 80, |dx| b.backward(op, x, dy, &mut dx[to]));
            self.forms.add("backward_part", &dx);
            let at = n / 3;
            let dx = changed(dy, |dy| b.backward_in_place(op, &x[at..], &mut dy[at..]));
            self.forms.add("backward_part_in_place", &dx);
        }
        if !self.from_output {
            return;
        }
        // Of outputs, and of any numbers in their place.
        let y = made(x.len(), |y| b.apply(op, x, y));
        for y in [&y, x] {
            let dx = made(y.len(), |dx| b.backward_from_output(op, y, dy, dx));
            self.forms.add("from_output", &dx);
            let dx = changed(&dy[1..1038], |dy| {
                b.backward_from_output_in_place(op, &y[1..1038], dy)
            });
            self.forms.add("from_output_part_in_place", &dx);
        }
    }
}
