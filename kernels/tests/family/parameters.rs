//! The contract holds with every parameter: random and extreme ones.
//!
//! `HALFWAVE_TEST_OP=silu` chooses an operation.

use halfwave_kernels::*;

use crate::case::{Case, evaluated, isas, random};
use crate::forward::{check, hold};
use crate::number::{Number, one_in};
use crate::precise::{All, finite, measure};

/// How many settings of an operation: fewer where nothing is optimised, or the CPU is emulated slowly.
fn count() -> usize {
    if cfg!(debug_assertions) || one_in() > 100 {
        5
    } else {
        40
    }
}

/// All of what is next to zero, to infinity, and to where the operation may branch; a part of the rest.
fn inputs<E: Number>(case: &Case<E>) -> Vec<E> {
    let mut x = case.inputs(200);
    let (edges, step) = (60, if cfg!(debug_assertions) { 61 } else { 7 });
    let rest = x.split_off(edges);
    x.extend(rest.into_iter().step_by(step));
    x
}

fn ones<E: Number>(x: &[E]) -> Vec<E> {
    vec![E::round(1.0); x.len()]
}

/// The largest and the smallest numbers of the dtype and infinity are among the inputs.
fn holds<E: Number>(case: &Case<E>) {
    let all = inputs(case);
    let (nan, x): (Vec<E>, Vec<E>) = all.into_iter().partition(|x| x.to_f64().is_nan());
    check(case, &nan, case.forward_bound());
    if E::DTYPE == Dtype::F64 && !case.exact {
        let x: Vec<f64> = x.iter().map(|x| x.to_f64()).collect();
        let case = double(case);
        measure(case, &finite(x), &mut All::default());
    } else {
        check(case, &x, case.forward_bound());
        derivatives(case, &x);
    }
    where_dy_is_zero(case, &x);
    from_output(case, &x);
}

/// The same case, where `E` is `f64`.
fn double<E: Number>(case: &Case<E>) -> &Case<f64> {
    let case: &dyn std::any::Any = case;
    case.downcast_ref().expect("f64")
}

fn derivatives<E: Number>(case: &Case<E>, x: &[E]) {
    let mut dx = ones(x);
    for isa in isas() {
        (case.backward)(isa, x, &ones(x), &mut dx);
        let label = format!("derivative of {}", case.label);
        let bound = (case.bound)(Form::Backward);
        hold(&label, isa, x, &dx, &case.slopes(x), bound);
    }
}

/// No gradient comes of none, though the derivative be beyond the dtype.
fn where_dy_is_zero<E: Number>(case: &Case<E>, x: &[E]) {
    let (zeros, mut dx) = (vec![E::default(); x.len()], ones(x));
    for isa in isas() {
        (case.backward)(isa, x, &zeros, &mut dx);
        for (x, dx) in x.iter().zip(&dx) {
            let (x, dx) = (x.to_f64(), dx.to_f64());
            assert!(dx == 0.0, "{isa} {} at {x:e}: 0 gives {dx}", case.label);
        }
    }
}

/// The derivative from the output is that of the output; and of the input it has at least the sign, and
/// where the output has become infinite, the value.
fn from_output<E: Number>(case: &Case<E>, x: &[E]) {
    let Some(from_output) = &case.from_output else {
        return;
    };
    let bound = (case.bound)(Form::BackwardFromOutput);
    let slopes = case.slopes(x);
    let (mut y, mut dx) = (ones(x), ones(x));
    for isa in isas() {
        (case.map)(isa, x, &mut y);
        from_output(isa, &y, &ones(x), &mut dx);
        if case.by_itself && E::DTYPE != Dtype::F64 {
            let mut want = evaluated(&case.slope_of_output, &y);
            want.iter_mut().for_each(|slope| *slope += 0.0);
            let label = format!("derivative from the output of {}", case.label);
            hold(&label, isa, &y, &dx, &want, bound);
        }
        for (i, x) in x.iter().enumerate() {
            let (dx, slope) = (dx[i].to_f64(), E::round(slopes[i]).to_f64());
            let off = (dx - slope).abs() / E::ulp(slope.clamp(-1e300, 1e300));
            let same = dx == slope || off <= 4.0;
            let opposite = dx < 0.0 && slope > 0.0 || dx > 0.0 && slope < 0.0;
            assert!(
                !opposite && (y[i].to_f64().is_finite() || same),
                "{isa} {} at {:e}: from the output {:e} {dx:e}, not {slope:e}",
                case.label,
                x.to_f64(),
                y[i].to_f64(),
            );
        }
    }
}

macro_rules! every_setting {
    ($($name:ident $E:ident;)*) => {
        $(#[test]
        fn $name() {
            for case in random::<$E>(count()) {
                holds(&case);
            }
        })*
    };
}
every_setting! {
    f32_holds_with_random_parameters f32;
    f64_holds_with_random_parameters f64;
    f16_holds_with_random_parameters f16;
    bf16_holds_with_random_parameters bf16;
}

/// What came out wrong once: `(x, y)` by bits.
fn gives<E: Number, O: BuiltinOp + Oracle>(made: Result<O, ParameterError>, pairs: &[(u64, u64)]) {
    let case = Case::<E>::new(made.unwrap());
    for isa in isas() {
        for &(x, want) in pairs {
            let mut y = [E::default()];
            (case.map)(isa, &[E::from_bits(x)], &mut y);
            let y = y[0].bits();
            assert_eq!(y, want, "{isa} {}({x:#x}) is {y:#x}", case.label);
        }
    }
}

/// The gradient of `(x, dy)` is `dx`; from the output of `x`, if `from_output`.
fn gradient<E: Number, O: BuiltinOp + Oracle>(
    made: Result<O, ParameterError>,
    from_output: bool,
    triples: &[(f64, f64, f64)],
) {
    let case = Case::<E>::new(made.unwrap());
    for isa in isas() {
        for &(x, dy, want) in triples {
            let (mut y, mut dx) = ([E::from_f64(x)], [E::default()]);
            if from_output {
                (case.map)(isa, &[E::from_f64(x)], &mut y);
                let from_output = case.from_output.as_ref().expect("the output suffices");
                from_output(isa, &y, &[E::from_f64(dy)], &mut dx);
            } else {
                (case.backward)(isa, &y, &[E::from_f64(dy)], &mut dx);
            }
            let dx = dx[0].to_f64();
            assert_eq!(dx, want, "{isa} {} at {x:e}, {dy}", case.label);
        }
    }
}

#[test]
fn the_tail_of_softplus_is_divided_by_beta_itself() {
    gives::<f32, _>(Softplus::new(0.9), &[(0xC2C1_34BA, 0x00D2_DF67)]);
    // Where e^x beside 2 is half of the last place.
    gives::<f32, _>(
        Softplus::new(1.6244737269366403),
        &[(0xC126_64FF, 0x32F3_663B)],
    );
}

#[test]
fn the_tail_of_silu_ends_where_the_product_does() {
    let y = (-4.709e-44f32).to_bits().into();
    gives::<f32, _>(Silu::new(1e-30), &[(0xF509_432E, y)]);
}

/// What a product of beta and x loses is subnormal where x is tiny: silu(1024) was 1.001 ulps off.
#[test]
fn silu_with_a_large_beta_is_within_an_ulp() {
    for beta in [1024.0, -1024.0, 2f64.powi(60)] {
        let case = Case::<f32>::new(Silu::new(beta).unwrap());
        let bits = (0..=u32::MAX).step_by(65_521 * one_in());
        let x: Vec<f32> = bits.map(f32::from_bits).filter(|x| x.is_finite()).collect();
        check(&case, &x, case.forward_bound());
    }
}

/// On `f32` and `f64` it computed x·alpha + beta for larger x, and was up to 6.5 ulps off, where beta/alpha was infinite or
/// subnormal by any number of them.
#[test]
fn hard_sigmoid_is_within_its_bound_with_any_parameters() {
    for (alpha, beta) in [
        (293_312.377, 0.597_288_348),
        (0.3, 0.6),
        (0.3, -0.7),
        (0.7, 1e-3),
        (1e-30, 0.3),
        (1e30, 0.3),
        (1e30, 1e30),
        (1e30, -1e30),
        (1e30, 1e-20),
        (1e30, -1e-20),
        (1e-30, 1e30),
        (1e-30, -1e30),
        (1e-30, 1e-30),
        (2f64.powi(99) / (1.0 - 2f64.powi(-24)), 0.0),
    ] {
        let op = HardSigmoid::new(alpha, beta).unwrap();
        let x = around_its_ends(alpha, beta);
        let single: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        let case = Case::<f32>::new(op);
        check(&case, &single, case.forward_bound());
        measure(&Case::<f64>::new(op), &finite(x), &mut All::default());
    }
}

/// Numbers between the ends of hard_sigmoid, and ever nearer to them and to zero.
fn around_its_ends(alpha: f64, beta: f64) -> Vec<f64> {
    let (lower, upper) = (-beta / alpha, (1.0 - beta) / alpha);
    let mut x = vec![lower, upper, f64::INFINITY, f64::NEG_INFINITY];
    for i in (0..4000).step_by(one_in()) {
        let (part, near) = (f64::from(i) / 4000.0, 0.95f64.powi(i));
        x.push(lower + (upper - lower) * part);
        x.extend([
            lower * (1.0 - near),
            upper * (1.0 - near),
            upper * near,
            -upper * near,
        ]);
    }
    x
}

/// What alpha·expm1(x/alpha) loses on its way was subnormal where alpha and x are tiny: celu(5.189e-20) was 1.0001 ulps off
/// at 0x8175111d.
#[test]
fn celu_of_tiny_numbers_is_within_an_ulp() {
    for alpha in [
        5.189_389_15e-20,
        -5.189_389_15e-20,
        2f64.powi(-74),
        3e-15,
        1e-30,
    ] {
        let case = Case::<f32>::new(Celu::new(alpha).unwrap());
        let bits = (0x8000_0001..=0x8580_0000).step_by(1009 * one_in());
        let x = bits.map(f32::from_bits);
        let x: Vec<f32> = x.chain([f32::from_bits(0x8175_111D)]).collect();
        check(&case, &x, case.forward_bound());
    }
}

/// With a negative alpha, v = x/alpha is positive. Just above ln(2)/2, e^v - 1 is less than a third of what it was computed
/// from: celu(-2.379...) was 1.07 ulps off at 0xbf5369d5.
#[test]
fn celu_that_rises_is_within_an_ulp() {
    for alpha in [-2.379_299_38, -1.0, -0.7, -1e3] {
        let case = Case::<f32>::new(Celu::new(alpha).unwrap());
        let x = (0..60_000 / one_in()).map(|i| {
            let v = 0.3 + (i * one_in()) as f64 / 150_000.0;
            (alpha * v) as f32
        });
        let x: Vec<f32> = x.chain([f32::from_bits(0xBF53_69D5)]).collect();
        check(&case, &x, case.forward_bound());
    }
}

/// A finite parameter is finite on every dtype, and no infinity is within it.
#[test]
fn a_finite_parameter_stays_finite() {
    let (inf, minus_inf) = (0x7F80_0000, 0xFF80_0000);
    let infinities = [(inf, inf), (minus_inf, minus_inf)];
    gives::<f32, _>(HardShrink::new(1e300), &infinities);
    gives::<f32, _>(SoftShrink::new(1e300), &infinities);
    gives::<f32, _>(Shrink::new(0.5, 1e39), &infinities);
    gives::<f32, _>(ThresholdedRelu::new(1e300), &[(inf, inf)]);
    let largest = f32::MAX.to_bits().into();
    gives::<f32, _>(ReluN::new(1e300), &[(inf, largest)]);
    gives::<f32, _>(Clip::new(0.0, f64::INFINITY), &[(inf, inf)]);
    gives::<f32, _>(LeakyRelu::new(1e300), &[(0x8000_0000, 0x8000_0000)]);
    let halves = [(0x7C00, 0x7C00), (0xFC00, 0xFC00), (0x7BFF, 0)];
    gives::<f16, _>(HardShrink::new(65_520.0), &halves);
    gives::<f16, _>(HardShrink::new(1e300), &halves);
    gives::<f16, _>(Shrink::new(0.5, 1e300), &halves[..2]);
    gradient::<f32, _>(LeakyRelu::new(1e300), false, &[(-1.0, 0.0, 0.0)]);
    gradient::<f32, _>(Rrelu::new(1e300, 1e300), false, &[(-1.0, 0.0, 0.0)]);
    gradient::<bf16, _>(LeakyRelu::new(1e300), false, &[(-1.0, 0.0, 0.0)]);
    gradient::<f16, _>(LeakyRelu::new(1e300), false, &[(-1.0, 0.0, 0.0)]);
}

#[test]
fn the_output_tells_the_derivative_where_it_was_rounded() {
    let at_the_limit = [(f64::NEG_INFINITY, 1.0, 0.0)];
    gradient::<bf16, _>(Elu::new(0.3), true, &at_the_limit);
    gradient::<bf16, _>(Celu::new(0.3), true, &at_the_limit);
    let tells = |beta| Softplus::new(beta).unwrap().output_suffices::<f16>();
    assert!(tells(1.0) && tells(0.01) && !tells(1e-6) && !tells(1e5));
}

#[test]
fn what_vanishes_keeps_its_sign() {
    gives::<f32, _>(Ok(HardSwish), &[(0x8000_0001, 0x8000_0000)]);
    gives::<f64, _>(Ok(HardSwish), &[(1 | 1 << 63, 1 << 63)]);
    gives::<f16, _>(Ok(HardSwish), &[(0x8001, 0x8000)]);
    gives::<bf16, _>(Ok(HardSwish), &[(0x8001, 0x8000)]);
}

#[test]
fn a_derivative_beyond_the_dtype_gives_nothing_of_nothing() {
    let far = f64::from(f32::MAX);
    gradient::<f32, _>(Ok(ReluSquared), false, &[(far, 0.0, 0.0), (2e38, 0.0, 0.0)]);
    gradient::<bf16, _>(Ok(ReluSquared), false, &[(2e38, 0.0, 0.0)]);
    gradient::<f64, _>(Ok(ReluSquared), false, &[(f64::MAX, 0.0, 0.0)]);
    gradient::<f32, _>(Celu::new(-1.0), false, &[(-100.0, 0.0, 0.0)]);
    gradient::<f32, _>(Celu::new(-1.0), true, &[(-100.0, 0.0, 0.0)]);
}
