//! `dx = dy · f′(x)`, from the input and from the output.

use halfwave_kernels::{Dtype, Form, bf16, f16};

use crate::case::{Case, cases, defaults, evaluated, isas};
use crate::forward::hold;

use crate::number::{Number, Random};

macro_rules! on_every_dtype {
    ($test:ident) => {
        $test::<f32>();
        $test::<f64>();
        $test::<f16>();
        $test::<bf16>();
    };
}

fn ones<E: Number>(len: usize) -> Vec<E> {
    vec![E::round(1.0); len]
}

/// Within two ulps where the derivative varies, by bits where it is a parameter or a constant.
#[test]
fn the_derivative_is_the_oracles() {
    fn test<E: Number>() {
        // What is not exact on `f64` is held to its bound in `precise.rs`.
        for case in cases::<E>() {
            if E::DTYPE == Dtype::F64 && !case.exact {
                continue;
            }
            let (x, nan): (Vec<E>, Vec<E>) = case
                .inputs(20_000)
                .into_iter()
                .partition(|x| !x.to_f64().is_nan());
            let bound = (case.bound)(Form::Backward);
            for isa in isas() {
                let mut dx = ones::<E>(x.len());
                (case.backward)(isa, &x, &ones(x.len()), &mut dx);
                hold(
                    &format!("derivative of {}", case.label),
                    isa,
                    &x,
                    &dx,
                    &case.slopes(&x),
                    bound,
                );

                let mut dx = ones::<E>(nan.len());
                (case.backward)(isa, &nan, &ones(nan.len()), &mut dx);
                for (dx, want) in dx.iter().zip(case.slopes(&nan)) {
                    let (dx, want) = (dx.to_f64(), E::round(want).to_f64());
                    assert!(
                        dx == want || dx.is_nan() && want.is_nan(),
                        "{}: {dx}, not {want}",
                        case.label
                    );
                }
            }
        }
    }
    on_every_dtype!(test);
}

/// Zero, whatever `dy` is.
#[test]
fn dx_is_zero_where_the_derivative_is() {
    fn test<E: Number>() {
        for case in cases::<E>() {
            let x = case.inputs(2_000);
            let slopes = case.slopes(&x);
            for isa in isas() {
                for dy in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -1.0] {
                    let mut dx = ones::<E>(x.len());
                    (case.backward)(isa, &x, &vec![E::from_f64(dy); x.len()], &mut dx);
                    for ((dx, slope), x) in dx.iter().zip(&slopes).zip(&x) {
                        let said = || {
                            format!(
                                "{} at {}: {}, not {slope}",
                                case.label,
                                x.to_f64(),
                                dx.to_f64()
                            )
                        };
                        // A derivative of the smallest numbers may come out as zero.
                        let surely = if case.exact { 0.0 } else { 2.0 * E::ulp(0.0) };
                        if *slope == 0.0 {
                            assert_eq!(dx.bits(), 0, "{}", said());
                        } else if dy.is_nan() && E::round(*slope).to_f64().abs() > surely {
                            assert!(dx.to_f64().is_nan(), "{}", said());
                        }
                    }
                }
            }
        }
    }
    on_every_dtype!(test);
}

/// `dy` times the derivative that `dy = 1` shows, rounded once.
#[test]
fn dx_is_the_product() {
    fn test<E: Number>(product: impl Fn(E, E) -> E) {
        for case in defaults::<E>() {
            let x = case.inputs(2_000);
            let mut random = Random(3);
            // Also so small or so large that the product of a small slope is subnormal, or would be infinite where
            // it is scaled.
            let scales = [1.0, 1e-25, 1e36, 0.0];
            let dy: Vec<E> = (0..x.len())
                .map(|i| E::round(random.within(9.0) * scales[i % 4]))
                .collect();
            for isa in isas() {
                let (mut slope, mut dx) = (ones::<E>(x.len()), ones::<E>(x.len()));
                (case.backward)(isa, &x, &ones(x.len()), &mut slope);
                (case.backward)(isa, &x, &dy, &mut dx);
                for i in 0..x.len() {
                    let want = if slope[i].to_f64() == 0.0 {
                        E::default()
                    } else {
                        product(dy[i], slope[i])
                    };
                    let nan = dx[i].to_f64().is_nan() && want.to_f64().is_nan();
                    assert!(
                        nan || dx[i].bits() == want.bits(),
                        "{} at {}",
                        case.label,
                        x[i].to_f64()
                    );
                }
            }
        }
    }
    test::<f32>(|a, b| a * b);
    test::<f64>(|a, b| a * b);
}

#[test]
fn the_derivative_is_the_slope_of_the_function() {
    const H: f64 = 1e-5;
    let mut random = Random(4);
    let x: Vec<f64> = (0..4_000).map(|_| random.within(8.0)).collect();
    for case in cases::<f64>() {
        for isa in isas() {
            let f = |by: f64| {
                let x: Vec<f64> = x.iter().map(|x| x + by).collect();
                let mut y = ones(x.len());
                (case.map)(isa, &x, &mut y);
                y
            };
            // Differences of numbers that large say nothing.
            let y = f(0.0);
            let usable = |i: usize| y[i].abs() < 1e6;
            let wide: Vec<f64> = f(H)
                .iter()
                .zip(f(-H))
                .map(|(a, b)| (a - b) / (2.0 * H))
                .collect();
            let narrow: Vec<f64> = f(H / 4.0)
                .iter()
                .zip(f(-H / 4.0))
                .map(|(a, b)| (a - b) / (H / 2.0))
                .collect();
            let mut dx = ones(x.len());
            (case.backward)(isa, &x, &ones(x.len()), &mut dx);
            // Values of up to 1e6 are subtracted, and at a kink the two differences disagree.
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-4 * a.abs().max(1.0);
            let mut smooth = 0;
            for i in (0..x.len()).filter(|&i| usable(i)) {
                if close(wide[i], narrow[i]) {
                    assert!(
                        close(wide[i], dx[i]),
                        "{}: {} at {}, not {}",
                        case.label,
                        dx[i],
                        x[i],
                        wide[i]
                    );
                    smooth += 1;
                }
            }
            let usable = (0..x.len()).filter(|&i| usable(i)).count();
            assert!(
                smooth >= usable * 9 / 10,
                "{}: {smooth} of {usable}",
                case.label
            );
        }
    }
}

/// From the output: the same bits, or, where it is by another formula, what the input or a neighbour of
/// it gives (its output may be the same), to the accuracy of the output.
#[test]
fn the_output_gives_the_same_derivative() {
    fn test<E: Number>() {
        for case in cases::<E>() {
            let Some(from_output) = &case.from_output else {
                continue;
            };
            let mut x = case.inputs(20_000);
            x.retain(|x| !x.to_f64().is_nan());
            x.sort_by(|a, b| a.to_f64().total_cmp(&b.to_f64()));
            x.dedup_by_key(|x| x.bits());
            for isa in isas() {
                let (mut y, mut dx, mut want) = (ones(x.len()), ones(x.len()), ones(x.len()));
                (case.map)(isa, &x, &mut y);
                (case.backward)(isa, &x, &ones(x.len()), &mut want);
                from_output(isa, &y, &ones(x.len()), &mut dx);
                let finite = want.iter().map(|dx| dx.to_f64().abs());
                let largest = finite.filter(|dx| dx.is_finite()).fold(1.0, f64::max);
                for i in 0..x.len() {
                    let same = |j: usize| dx[i].bits() == want[j].bits();
                    let close = |j: usize| {
                        (dx[i].to_f64() - want[j].to_f64()).abs() <= 8.0 * E::ulp(largest)
                    };
                    // Where the output has arrived at a limit, it tells no more.
                    let limit = |j: usize| y[i].bits() == y[j].bits() && same(j);
                    let last = x.len() - 1;
                    let mut near = i.saturating_sub(1)..(i + 2).min(x.len());
                    let mut by_itself = || near.any(close) || limit(0) || limit(last);
                    let fits = same(i) || case.by_itself && by_itself();
                    assert!(
                        fits,
                        "{} {} at {:e}: {} from the output {:e}, not {}",
                        isa,
                        case.label,
                        x[i].to_f64(),
                        dx[i].to_f64(),
                        y[i].to_f64(),
                        want[i].to_f64()
                    );
                }
            }
        }
    }
    on_every_dtype!(test);
}

/// Where it is by another formula: within its bound of what that is of the output.
#[test]
fn the_derivative_from_the_output_is_its_oracles() {
    fn test<E: Number>() {
        for case in cases::<E>() {
            let Some(from_output) = case.from_output.as_ref().filter(|_| case.by_itself) else {
                continue;
            };
            let mut x = case.inputs(20_000);
            x.retain(|x| !x.to_f64().is_nan());
            let bound = (case.bound)(Form::BackwardFromOutput);
            for isa in isas() {
                let (mut y, mut dx) = (ones(x.len()), ones(x.len()));
                (case.map)(isa, &x, &mut y);
                from_output(isa, &y, &ones(x.len()), &mut dx);
                let mut want = evaluated(&case.slope_of_output, &y);
                want.iter_mut().for_each(|slope| *slope += 0.0);
                let label = format!("derivative from the output of {}", case.label);
                hold(&label, isa, &y, &dx, &want, bound);
            }
        }
    }
    test::<f32>();
    test::<f16>();
    test::<bf16>();
}

/// A table of how many cases there are would go stale; that there are some of each kind does not.
#[test]
fn the_cases_are_not_empty() {
    let cases: Vec<Case<f32>> = cases();
    let count = |f: fn(&Case<f32>) -> bool| cases.iter().filter(|case| f(case)).count();
    assert!(count(|case| case.exact) > 12 && count(|case| !case.exact) >= 3);
    assert!(count(|case| case.from_output.is_some()) > 10);
    assert!(count(|case| case.from_output.is_none()) > 5);
    for default in defaults::<f32>() {
        assert!(cases.iter().any(|case| case.label == default.label));
    }
}
