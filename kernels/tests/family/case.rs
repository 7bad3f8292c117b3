//! An operation of the table with some parameters, on one dtype, without its type.

use std::marker::PhantomData;

use halfwave_kernels::*;
use halfwave_oracle::{Formula, Truth, branches, settings, truth_for};

use crate::number::{Number, Random, one_in};

#[path = "../shared/isas.rs"]
mod shared;
pub use shared::isas;

type Function = Box<dyn Fn(&[f64], &mut [f64]) + Sync>;
type Precise = Box<dyn Fn(f64) -> Truth + Sync>;
type Map<E> = Box<dyn Fn(Isa, &[E], &mut [E]) + Sync>;
type Zipped<E> = Box<dyn Fn(Isa, &[E], &[E], &mut [E]) + Sync>;

/// What is left of an operation when its type is forgotten: the tests are compiled once for a dtype.
pub struct Case<E> {
    pub name: &'static str,
    /// Whether it rounds at most once.
    pub exact: bool,
    pub label: String,
    pub values: Vec<f64>,
    pub by_itself: bool,
    /// Whether backends that look up in registers or tables go a way of their own, and whether they do for the derivative.
    pub in_pieces: bool,
    pub derivative_in_pieces: bool,
    /// Whether those that gather from memory, and none else, go one way of their own.
    pub gathered: bool,
    pub oracle: Function,
    pub slope: Function,
    /// The derivative where the output is this.
    pub slope_of_output: Function,
    /// The same three, as precisely as `f64` can be measured with.
    pub truths: [Precise; 3],
    /// The element nearest to the true value of the operation.
    pub nearest: Box<dyn Fn(f64) -> E + Sync>,
    /// The contract of each form.
    pub bound: Box<dyn Fn(Form) -> Bound + Sync>,
    pub map: Map<E>,
    pub backward: Zipped<E>,
    /// Where the output suffices.
    pub from_output: Option<Zipped<E>>,
}

/// The formula of a form.
struct Textbook<O, P>(O, Form, PhantomData<fn() -> P>);

impl<O: Oracle, P: Precision> Formula for Textbook<O, P> {
    fn at<N: OracleNumber>(&self, x: N) -> N {
        match self.1 {
            Form::Forward => self.0.oracle::<P, N>(x),
            Form::Backward => self.0.derivative_oracle::<P, N>(x),
            Form::BackwardFromOutput => self.0.derivative_from_output_oracle::<P, N>(x),
        }
    }
}

impl<E: Number> Case<E> {
    pub fn new<O: BuiltinOp + Oracle>(op: O) -> Self {
        // What rounds the parameters.
        if E::DTYPE == Dtype::F64 {
            Self::with_precision::<O, f64>(op)
        } else {
            Self::with_precision::<O, f32>(op)
        }
    }

    fn with_precision<O: BuiltinOp + Oracle, P: Precision + 'static>(op: O) -> Self {
        let values = &op.values()[..O::PARAMETERS.len()];
        let values: Vec<f64> = values.iter().map(|value| value.to_f64()).collect();
        let kernels = |isa| O::kernels::<E>(isa).expect("operations take every float");
        let suffices = O::FROM_OUTPUT != FromOutput::Never && op.output_suffices::<E>();
        Self {
            name: O::NAME,
            exact: O::EXACT,
            label: format!("{}{values:?} on {}", O::NAME, E::DTYPE),
            values,
            by_itself: O::FROM_OUTPUT == FromOutput::ByItself,
            in_pieces: match E::DTYPE {
                Dtype::F32 => O::FORWARD_ENTRIES < usize::MAX && op.in_pieces(),
                Dtype::F64 => O::BY_TABLES != ByTables::Never && op.in_pieces(),
                _ => false,
            },
            gathered: O::BY_TABLES == ByTables::Gathering && E::DTYPE == Dtype::F64,
            derivative_in_pieces: O::DERIVATIVE_ENTRIES < usize::MAX
                && op.in_pieces()
                && E::DTYPE != Dtype::F64,
            oracle: each(move |x| op.oracle::<P, f64>(x)),
            slope: each(move |x| op.derivative_oracle::<P, f64>(x)),
            slope_of_output: each(move |y| op.derivative_from_output_oracle::<P, f64>(y)),
            truths: [Form::Forward, Form::Backward, Form::BackwardFromOutput].map(
                |form| -> Precise {
                    let textbook = Textbook::<O, P>(op, form, PhantomData);
                    Box::new(move |x| truth_for::<f64>(x, &textbook))
                },
            ),
            nearest: Box::new(move |x| {
                truth_for::<E>(x, &Textbook::<O, P>(op, Form::Forward, PhantomData)).nearest()
            }),
            bound: Box::new(move |form| op.bound(E::DTYPE, form)),
            map: Box::new(move |isa, x, y| {
                assert_eq!(x.len(), y.len());
                // SAFETY: `isas` gives what this CPU runs, and the lengths are the same.
                unsafe { (kernels(isa).map)(op, x.as_ptr(), y.as_mut_ptr(), x.len(), false) }
            }),
            backward: Box::new(move |isa, x, dy, dx| {
                let backward = kernels(isa).backward.expect("floats have a derivative");
                // SAFETY: as above; `zip` checks the lengths.
                unsafe { backward(zip(Backward(op), x, dy, dx)) }
            }),
            from_output: suffices.then(|| -> Zipped<E> {
                Box::new(move |isa, y, dy, dx| {
                    let kernels = kernels(isa);
                    let backward = kernels.backward.expect("floats have a derivative");
                    // SAFETY: as above.
                    unsafe {
                        match kernels.from_output {
                            Some(f) => f(zip(BackwardFromOutput(op), y, dy, dx)),
                            None => backward(zip(Backward(op), y, dy, dx)),
                        }
                    }
                })
            }),
        }
    }

    /// The bound on the operation, as its oracle in `f64` can hold it: where that lies on the middle
    /// between two neighbours, or within its own error of it, the true value may lie on the other side.
    /// elu(alpha=1.25) of -1.4e-16 does, by 1e-16 of itself.
    pub fn forward_bound(&self) -> Bound {
        match (self.bound)(Form::Forward) {
            Bound::Nearest if !self.exact => Bound::Ulps(0.5 + 1e-12),
            bound => bound,
        }
    }

    /// What the oracle says of each element.
    pub fn wanted(&self, x: &[E]) -> Vec<f64> {
        evaluated(&self.oracle, x)
    }

    /// What it says of the derivative; zero as `+0`, which `dx` is there. On `f64`, where the oracle's
    /// own errors would show, it is computed precisely.
    pub fn slopes(&self, x: &[E]) -> Vec<f64> {
        let mut slopes = evaluated(&self.slope, x);
        for (slope, x) in slopes.iter_mut().zip(x) {
            if E::DTYPE == Dtype::F64 && !self.exact && x.to_f64().is_finite() {
                *slope = (self.truths[1])(x.to_f64()).nearest::<f64>();
            }
            *slope += 0.0;
        }
        slopes
    }

    /// Edges, 64 numbers (fewer, where tests are sampled) on each side of whatever a formula may branch at, and random ones.
    pub fn inputs(&self, random: usize) -> Vec<E> {
        let random = random / one_in();
        let infinity = E::round(f64::INFINITY).bits();
        let quiet = infinity | 1 << (E::PRECISION - 2);
        let mut bits = vec![
            0,
            1,
            2,
            3,
            1 << (E::PRECISION - 1),
            infinity - 1,
            infinity,
            infinity + 1,
            infinity + 5,
            quiet,
            quiet + 1,
            quiet + 5,
            E::LAST / 2,
        ];
        let near = (64 / one_in() as u64).max(1);
        let mut points = vec![0.0, 0.5, 0.75, 1.0, 1.5, 3.0, 6.0];
        // Where sums of 1 and e^x, tanh and erfc arrive at their limits, e^x at the smallest normal
        // and subnormal numbers and the largest, in `f32` and in `f64`.
        points.extend([9.01, 16.6, 19.06, 36.74, 5.9, 14.1, 26.5, 38.5]);
        points.extend([87.34, 88.72, 103.97, 708.4, 709.78, 745.13]);
        points.extend(branches(&self.values));
        for point in points {
            let at = E::round(point.abs()).bits();
            bits.extend(at.saturating_sub(near)..=at + near);
        }
        let sign = E::LAST / 2 + 1;
        let mut x: Vec<E> = bits
            .iter()
            .flat_map(|b| [*b, b | sign])
            .map(E::from_bits)
            .collect();
        let mut numbers = Random(self.values.len() as u64);
        for _ in 0..random / 2 {
            x.push(E::from_bits(numbers.bits() & E::LAST));
            x.push(E::round(numbers.within(10.0)));
        }
        x
    }
}

fn each(f: impl Fn(f64) -> f64 + Sync + 'static) -> Function {
    let f = move |x: f64| match f(x) {
        y if y.is_nan() && x.is_infinite() => limit(&f, x.signum()),
        y => y,
    };
    Box::new(move |x, y| x.iter().zip(y).for_each(|(&x, y)| *y = f(x)))
}

/// What `f` goes to, whose formula makes a NaN of an infinity: it is there long before, or goes to
/// infinity with `x`. Parameters at the end of `f64` are too much even for 1e100, and there long before
/// 0.1.
fn limit(f: impl Fn(f64) -> f64, sign: f64) -> f64 {
    let far = f(sign * 1e100);
    match if far.is_nan() { f(sign * 0.1) } else { far } {
        y if y.abs() > 1e50 => y * f64::INFINITY,
        y => y,
    }
}

pub fn evaluated<E: Number>(f: &Function, x: &[E]) -> Vec<f64> {
    let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
    let mut y = vec![0.0; x.len()];
    f(&x, &mut y);
    y
}

fn zip<O, E>(op: O, a: &[E], b: &[E], dst: &mut [E]) -> Zip<O, E> {
    assert_eq!((a.len(), b.len()), (dst.len(), dst.len()));
    Zip {
        op,
        a: a.as_ptr(),
        b: b.as_ptr(),
        dst: dst.as_mut_ptr(),
        len: a.len(),
        stream: false,
    }
}

/// Every operation with its default parameters.
pub fn defaults<E: Number>() -> Vec<Case<E>> {
    macro_rules! list {
        ($($name:ident: $Op:ident in $Row:ident;)*) => {
            vec![$(Case::new(<$Op as Parameters>::DEFAULT)),*]
        };
    }
    for_each_op!(list)
}

/// `count` random settings of every operation that has parameters.
pub fn random<E: Number>(count: usize) -> Vec<Case<E>> {
    let only = std::env::var("HALFWAVE_TEST_OP").unwrap_or_default();
    let mut cases = Vec::new();
    macro_rules! list {
        ($($name:ident: $Op:ident in $Row:ident;)*) => {
            $(cases.extend(settings::<$Op>(count).into_iter().map(Case::new));)*
        };
    }
    for_each_op!(list);
    cases.retain(|case: &Case<E>| case.name.contains(&only));
    cases
}

/// Every operation with its default parameters and with odd ones.
pub fn cases<E: Number>() -> Vec<Case<E>> {
    fn with<O: BuiltinOp + Oracle, E: Number>(cases: &mut Vec<Case<E>>) {
        cases.push(Case::new(O::DEFAULT));
        if O::PARAMETERS.is_empty() {
            return;
        }
        // Zero, one that no dtype has, one above the other, one lost in any sum, the ends.
        let odd = [0.0, -0.0, 0.01, 0.3, -0.3, 1.25, -2.5, 1e-7, -1e5];
        let ends = O::PARAMETERS[0].min..=O::PARAMETERS[0].max;
        let first = odd.into_iter().chain([*ends.start(), *ends.end()]);
        for (i, first) in first.enumerate() {
            let second = odd[(i * 4 + 3) % odd.len()];
            let default = O::DEFAULT.values()[1].to_f64();
            for values in [[first, default], [first, second]] {
                if let Ok(op) = O::from_values(values.map(halfwave_kernels::Number::new)) {
                    cases.push(Case::new(op));
                }
                if O::PARAMETERS.len() == 1 {
                    break;
                }
            }
        }
    }
    let mut cases = Vec::new();
    macro_rules! list {
        ($($name:ident: $Op:ident in $Row:ident;)*) => {
            $(with::<$Op, E>(&mut cases);)*
        };
    }
    for_each_op!(list);
    cases
}
