//! A function's graph and its derivative's, found by evaluating the function alone: so that they
//! work for every operation without knowing it.

use std::ops::Range;

pub type Point = (f64, f64);

/// The graph of a function: a line for each stretch without a jump.
pub struct Curve {
    pub value: Vec<Vec<Point>>,
    /// The same of the derivative.
    pub derivative: Vec<Vec<Point>>,
    pub kinks: Vec<Kink>,
}

/// Where the derivative jumps.
pub struct Kink {
    pub x: f64,
    /// The one-sided derivative nearer zero: the one every piecewise-linear operation takes there
    /// (as PyTorch does), be it on the left (relu) or on the right (relu6 at 6).
    pub taken: f64,
    pub other: f64,
}

impl Curve {
    /// Evaluates `f` at about `samples` places of `range`, and a little beyond its ends.
    pub fn of(f: &dyn Fn(f64) -> f64, range: Range<f64>, samples: usize) -> Self {
        let width = range.end - range.start;
        // Far below a pixel, far above the rounding of `f` divided by it.
        let h = 1e-6 * width;
        let exact = 1e-12 * width;
        let grid = grid(&range, samples);

        // What rounding may make of a constant: in `f`, and in its slope that divided by `h`.
        let size = grid.iter().map(|&x| f(x).abs()).filter(|y| y.is_finite());
        let noise = 8.0 * f64::EPSILON * size.fold(0.0, f64::max);

        let jumps = breaks(f, &grid, exact, 1e-6, noise);
        let slope = |x: f64| {
            // The difference must not straddle a jump, which would make a spike of it.
            let x = match jumps.iter().find(|&&j| (x - j).abs() < 2.0 * h) {
                Some(&j) if x < j => j - 2.0 * h,
                Some(&j) => j + 2.0 * h,
                None => x,
            };
            (f(x + h) - f(x - h)) / (2.0 * h)
        };
        let mut kinks = Vec::new();
        for near in breaks(&slope, &grid, 4.0 * h, 1e-2, noise / h) {
            let (a, b) = (near - 8.0 * h, near + 8.0 * h);
            let (left, right) = (slope(a), slope(b));
            let x = match jumps.iter().find(|&&j| a < j && j < b) {
                Some(&j) => j,
                // Where the tangents from both sides meet.
                None => (f(b) - right * b - f(a) + left * a) / (left - right),
            };
            if range.contains(&x) {
                let left_taken = left.abs() <= right.abs();
                let (taken, other) = if left_taken {
                    (left, right)
                } else {
                    (right, left)
                };
                kinks.push(Kink { x, taken, other });
            }
        }

        let corners: Vec<f64> = kinks.iter().map(|kink| kink.x).collect();
        let mut places = [&grid[..], &corners].concat();
        places.sort_by(f64::total_cmp);
        Self {
            value: pieces(f, &places, &jumps, 2.0 * exact, noise),
            derivative: pieces(&slope, &grid, &corners, 8.0 * h, noise / h),
            kinks,
        }
    }
}

fn grid(range: &Range<f64>, samples: usize) -> Vec<f64> {
    let at = |i| i as f64 / samples as f64;
    (0..=samples)
        .map(|i| range.start * (1.0 - at(i)) + range.end * at(i))
        .collect()
}

/// Where `f` changes, within `width`, by more than `part` of all it changes and by more than `noise`.
fn breaks(f: &dyn Fn(f64) -> f64, grid: &[f64], width: f64, part: f64, noise: f64) -> Vec<f64> {
    let values = grid.iter().map(|&x| f(x)).filter(|y| y.is_finite());
    let (low, high) = extent(values).unwrap_or_default();
    let tolerance = (part * (high - low)).max(noise);
    let mut breaks: Vec<f64> = Vec::new();
    for ends in grid.windows(2) {
        let (mut a, mut b) = (ends[0], ends[1]);
        while b - a > width && (f(b) - f(a)).abs() > tolerance {
            let middle = a + (b - a) / 2.0;
            if (f(middle) - f(a)).abs() >= (f(b) - f(middle)).abs() {
                b = middle;
            } else {
                a = middle;
            }
        }
        // The two stretches that meet at a break both find it.
        let again = breaks.last().is_some_and(|last| a - last < 2.0 * width);
        if (f(b) - f(a)).abs() > tolerance && !again {
            breaks.push(a + (b - a) / 2.0);
        }
    }
    breaks
}

/// The points of `f` at `places`, split at `breaks`: a piece reaches its break, with the value `f`
/// has `aside` of it.
fn pieces(
    f: &dyn Fn(f64) -> f64,
    places: &[f64],
    breaks: &[f64],
    aside: f64,
    noise: f64,
) -> Vec<Vec<Point>> {
    let (first, last) = (places[0], places[places.len() - 1]);
    let starts = [&[first], breaks].concat();
    let ends = [breaks, &[last]].concat();
    let mut pieces = Vec::new();
    for (&start, &end) in starts.iter().zip(&ends) {
        let low = if start == first { start } else { start + aside };
        let high = if end == last { end } else { end - aside };
        if low >= high {
            continue;
        }
        let inner = places.iter().filter(|&&x| low < x && x < high);
        let points: Vec<Point> = [(start, f(low))]
            .into_iter()
            .chain(inner.map(|&x| (x, f(x))))
            .chain([(end, f(high))])
            .collect();
        for finite in points.split(|(_, y)| !y.is_finite()) {
            if finite.len() > 1 {
                pieces.push(straightened(finite, noise));
            }
        }
    }
    pieces
}

/// Without the points inside straight stretches, of which rectifiers are made.
fn straightened(points: &[Point], noise: f64) -> Vec<Point> {
    let (low, high) = extent(points.iter().map(|p| p.1)).unwrap_or_default();
    let tolerance = (1e-7 * (high - low)).max(noise);
    let mut kept = vec![points[0]];
    for pair in points[1..].windows(2) {
        let ((ax, ay), (x, y), (bx, by)) = (kept[kept.len() - 1], pair[0], pair[1]);
        let on_the_line = ay + (by - ay) * ((x - ax) / (bx - ax));
        if (y - on_the_line).abs() > tolerance {
            kept.push((x, y));
        }
    }
    kept.push(points[points.len() - 1]);
    kept
}

/// The lowest and the highest.
pub fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent, y| match extent {
        None => Some((y, y)),
        Some((low, high)) => Some((y.min(low), y.max(high))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[track_caller]
    fn assert_line(line: &[Point], want: &[Point]) {
        let same = |(a, b): (&Point, &Point)| near(a.0, b.0) && near(a.1, b.1);
        assert_eq!(line.len(), want.len(), "{line:?}");
        assert!(line.iter().zip(want).all(same), "{line:?} {want:?}");
    }

    #[test]
    fn a_rectifier_has_one_corner_and_a_derivative_in_two_pieces() {
        // The corner on the grid, and off it.
        for range in [-5.0..5.0, -3.0..7.1] {
            let curve = Curve::of(&|x| x.max(0.0), range.clone(), 400);
            let Range { start, end } = range;
            assert_eq!(curve.value.len(), 1);
            assert_line(&curve.value[0], &[(start, 0.0), (0.0, 0.0), (end, end)]);
            assert_eq!(curve.derivative.len(), 2);
            assert_line(&curve.derivative[0], &[(start, 0.0), (0.0, 0.0)]);
            assert_line(&curve.derivative[1], &[(0.0, 1.0), (end, 1.0)]);
            let [kink] = &curve.kinks[..] else {
                panic!("one kink")
            };
            assert!(near(kink.x, 0.0) && near(kink.taken, 0.0) && near(kink.other, 1.0));
        }
    }

    #[test]
    fn kinks_take_the_derivative_the_contract_says() {
        let kinks = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
            let kinks = Curve::of(f, -8.0..8.0, 300).kinks;
            kinks.iter().map(|k| (k.x, k.taken)).collect()
        };
        assert_line(&kinks(&|x| x.clamp(0.0, 6.0)), &[(0.0, 0.0), (6.0, 0.0)]);
        assert_line(&kinks(&|x| x.max(0.01 * x)), &[(0.0, 0.01)]);
        let hard_swish = |x: f64| x * ((x + 3.0) / 6.0).clamp(0.0, 1.0);
        assert_line(&kinks(&hard_swish), &[(-3.0, 0.0), (3.0, 1.0)]);
    }

    #[test]
    fn a_step_is_not_joined_and_has_no_spike() {
        let curve = Curve::of(&|x| f64::from(x > 0.0), -1.0..1.0, 400);
        assert_eq!(curve.value.len(), 2);
        assert_line(&curve.value[0], &[(-1.0, 0.0), (0.0, 0.0)]);
        assert_line(&curve.value[1], &[(0.0, 1.0), (1.0, 1.0)]);
        assert_line(&curve.derivative.concat(), &[(-1.0, 0.0), (1.0, 0.0)]);
        assert!(curve.kinks.is_empty());
    }

    #[test]
    fn a_jump_with_a_change_of_slope_is_both() {
        // hard_shrink
        let curve = Curve::of(
            &|x: f64| if x.abs() > 0.5 { x } else { 0.0 },
            -2.0..2.0,
            300,
        );
        assert_eq!((curve.value.len(), curve.derivative.len()), (3, 3));
        assert_line(&curve.value[1], &[(-0.5, 0.0), (0.5, 0.0)]);
        assert_line(&curve.derivative[2], &[(0.5, 1.0), (2.0, 1.0)]);
    }

    #[test]
    fn a_smooth_function_is_one_line_and_so_is_its_derivative() {
        let curve = Curve::of(&f64::tanh, -6.0..6.0, 400);
        assert_eq!((curve.value.len(), curve.derivative.len()), (1, 1));
        assert!(curve.kinks.is_empty());
        for &(x, y) in &curve.derivative[0] {
            assert!(near(y, 1.0 - x.tanh().powi(2)), "{x} {y}");
        }
    }

    #[test]
    fn a_constant_and_a_straight_line_are_two_points() {
        for f in [|_| 3.0, |x: f64| 0.1 * x, |_| 0.0] {
            let curve = Curve::of(&f, 1000.0..1001.0, 400);
            assert_eq!(curve.value.concat().len(), 2);
            assert!(curve.kinks.is_empty());
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let curve = Curve::of(&|x| if x < 1.0 { x } else { f64::NAN }, -2.0..2.0, 400);
        assert_eq!(curve.value.len(), 1);
        assert!(curve.value[0].iter().all(|p| p.1.is_finite()));
    }
}
