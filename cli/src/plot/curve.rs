//! A function's graph, found by evaluating the function: so that it works for every operation, and
//! every derivative, without knowing it.

use std::ops::Range;

pub type Point = (f64, f64);

/// The graph of a function: a line for each stretch without a jump.
pub struct Graph {
    pub pieces: Vec<Vec<Point>>,
    pub jumps: Vec<Jump>,
}

/// Where a function jumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jump {
    pub x: f64,
    /// The function's value there.
    pub value: f64,
    /// The limit from the side where it is another one.
    pub other: f64,
}

impl Graph {
    /// Evaluates `f` at about `samples` places of `range`, and at `corners`, where it has one.
    pub fn of(f: &dyn Fn(f64) -> f64, range: Range<f64>, samples: usize, corners: &[f64]) -> Self {
        let mut places = grid(&range, samples);
        let sizes = places.iter().map(|&x| f(x).abs()).filter(|y| y.is_finite());
        // What rounding may make of a constant.
        let noise = 8.0 * f64::EPSILON * sizes.fold(0.0, f64::max);
        let gaps = gaps(f, &places, noise);
        places.extend(corners);
        places.sort_by(f64::total_cmp);
        Self {
            pieces: pieces(f, &places, &gaps, noise),
            jumps: gaps.iter().map(|&gap| jump(f, gap)).collect(),
        }
    }
}

fn grid(range: &Range<f64>, samples: usize) -> Vec<f64> {
    let at = |i| i as f64 / samples as f64;
    (0..=samples)
        .map(|i| range.start * (1.0 - at(i)) + range.end * at(i))
        .collect()
}

/// The neighbouring numbers between which `f` jumps: by more than a millionth of all it changes, and
/// by more than `noise`.
fn gaps(f: &dyn Fn(f64) -> f64, grid: &[f64], noise: f64) -> Vec<Point> {
    let values = grid.iter().map(|&x| f(x)).filter(|y| y.is_finite());
    let (low, high) = extent(values).unwrap_or_default();
    let tolerance = (1e-6 * (high - low)).max(noise);
    let mut gaps = Vec::new();
    for ends in grid.windows(2) {
        let (mut a, mut b) = (ends[0], ends[1]);
        while (f(b) - f(a)).abs() > tolerance {
            let middle = a + (b - a) / 2.0;
            if middle == a || middle == b {
                gaps.push((a, b));
                break;
            }
            // Into the half where it changes more.
            if (f(middle) - f(a)).abs() >= (f(b) - f(middle)).abs() {
                b = middle;
            } else {
                a = middle;
            }
        }
    }
    gaps
}

/// Of the two numbers beside a gap, where the formula has its jump: at the rounder one, as 0 beside
/// 5e-324, or 6 beside 5.999999999999999.
fn jump(f: &dyn Fn(f64) -> f64, (a, b): Point) -> Jump {
    let digits = |x: f64| format!("{x:?}").len();
    let (x, beside) = if digits(a) <= digits(b) {
        (a, b)
    } else {
        (b, a)
    };
    Jump {
        x,
        value: f(x),
        other: f(beside),
    }
}

/// The points of `f` at `places`, split at `gaps`.
fn pieces(f: &dyn Fn(f64) -> f64, places: &[f64], gaps: &[Point], noise: f64) -> Vec<Vec<Point>> {
    let (first, last) = (places[0], places[places.len() - 1]);
    let starts = [first].into_iter().chain(gaps.iter().map(|gap| gap.1));
    let ends = gaps.iter().map(|gap| gap.0).chain([last]);
    let mut pieces = Vec::new();
    for (start, end) in starts.zip(ends) {
        let inner = places.iter().copied().filter(|&x| start < x && x < end);
        let points: Vec<Point> = [start]
            .into_iter()
            .chain(inner)
            .chain([end])
            .map(|x| (x, f(x)))
            .collect();
        for finite in points.split(|(_, y)| !y.is_finite()) {
            // A lone point between two jumps is a dot, and no line.
            if finite.len() > 1 && finite[0].0 < finite[finite.len() - 1].0 {
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
        (a - b).abs() < 1e-9
    }

    #[track_caller]
    fn assert_line(line: &[Point], want: &[Point]) {
        let same = |(a, b): (&Point, &Point)| near(a.0, b.0) && near(a.1, b.1);
        assert_eq!(line.len(), want.len(), "{line:?}");
        assert!(line.iter().zip(want).all(same), "{line:?} {want:?}");
    }

    fn jump(x: f64, value: f64, other: f64) -> Jump {
        Jump { x, value, other }
    }

    #[test]
    fn a_rectifier_is_one_line_with_its_corner() {
        // The corner on the grid, and off it.
        for range in [-5.0..5.0, -3.0..7.1] {
            let graph = Graph::of(&|x| x.max(0.0), range.clone(), 400, &[0.0]);
            let Range { start, end } = range;
            assert_eq!((graph.pieces.len(), graph.jumps.len()), (1, 0));
            assert_line(&graph.pieces[0], &[(start, 0.0), (0.0, 0.0), (end, end)]);
        }
    }

    #[test]
    fn a_step_is_two_lines_and_has_its_value_at_the_jump() {
        for range in [-1.0..1.0, -0.3..0.7] {
            let Range { start, end } = range;
            let up = Graph::of(&|x| f64::from(x > 0.0), start..end, 400, &[]);
            assert_eq!(up.pieces.len(), 2);
            assert_line(&up.pieces[0], &[(start, 0.0), (0.0, 0.0)]);
            assert_line(&up.pieces[1], &[(0.0, 1.0), (end, 1.0)]);
            assert_eq!(up.jumps, [jump(0.0, 0.0, 1.0)]);
            let at_zero = Graph::of(&|x| f64::from(x >= 0.0), start..end, 400, &[]);
            assert_eq!(at_zero.jumps, [jump(0.0, 1.0, 0.0)]);
        }
    }

    #[test]
    fn a_value_of_its_own_at_a_jump_is_no_line() {
        let sign = |x: f64| if x == 0.0 { 0.0 } else { x.signum() };
        let graph = Graph::of(&sign, -1.0..1.0, 400, &[]);
        assert_eq!(graph.pieces.len(), 2);
        assert_eq!(graph.jumps, [jump(0.0, 0.0, -1.0), jump(0.0, 0.0, 1.0)]);
    }

    #[test]
    fn each_jump_is_where_the_formula_has_it() {
        let clip = |x: f64| f64::from(0.0 < x && x < 6.0);
        let jumps = Graph::of(&clip, -8.0..8.0, 300, &[]).jumps;
        assert_eq!(jumps, [jump(0.0, 0.0, 1.0), jump(6.0, 0.0, 1.0)]);
        let swish = |x: f64| match x {
            _ if x <= -3.0 => 0.0,
            _ if x < 3.0 => x / 3.0 + 0.5,
            _ => 1.0,
        };
        let jumps = Graph::of(&swish, -8.0..8.0, 300, &[]).jumps;
        let at: Vec<Point> = jumps.iter().map(|j| (j.x, j.value)).collect();
        assert_line(&at, &[(-3.0, 0.0), (3.0, 1.0)]);
    }

    #[test]
    fn a_smooth_function_is_one_line() {
        for f in [f64::tanh, |x: f64| 1.0 - x.tanh().powi(2)] {
            let graph = Graph::of(&f, -6.0..6.0, 400, &[]);
            assert_eq!((graph.pieces.len(), graph.jumps.len()), (1, 0));
            assert!(graph.pieces[0].len() > 50);
            assert!(graph.pieces[0].iter().all(|&(x, y)| y == f(x)));
        }
    }

    #[test]
    fn a_constant_and_a_straight_line_are_two_points() {
        for f in [|_| 3.0, |x: f64| 0.1 * x, |_| 0.0] {
            let graph = Graph::of(&f, 1000.0..1001.0, 400, &[]);
            assert_eq!(graph.pieces.concat().len(), 2);
            assert!(graph.jumps.is_empty());
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let f = |x| if x < 1.0 { x } else { f64::NAN };
        let graph = Graph::of(&f, -2.0..2.0, 400, &[]);
        assert_eq!(graph.pieces.len(), 1);
        assert!(graph.pieces[0].iter().all(|p| p.1.is_finite()));
    }
}
