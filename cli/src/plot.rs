//! `halfwave plot`: the graphs of operations, and of their derivatives.

mod canvas;
mod curve;
pub mod figure;
mod pen;
pub mod save;

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use halfwave::Op;

use curve::{Graph, Point, extent};
use figure::{Axis, Figure, Series, number, padded};
use save::Picture;

/// Draw operations, and their derivatives, as SVG or PNG
///
/// Curves, derivatives too, are computed by halfwave itself, in f64. Where one jumps, its line is
/// broken; a filled dot shows the value that counts there, a ring the one that does not.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave plot relu                              the ramp from -5 to 5, as relu.svg
  halfwave plot relu --derivative -o relu.png     with its derivative, dashed
  halfwave plot relu --range=-1..3 --size 400x300
  halfwave plot relu --points=-10,-5,0,5,10       relu of an array, against the index
  halfwave plot relu 'leaky_relu(slope=0.2)' -o both.svg
  halfwave plot gelu silu mish --derivative --range=-4..4 -o smooth.png

Several operations go into one picture with a legend; `halfwave list` names them and their
parameters.")]
pub struct Args {
    /// Operations to draw
    #[arg(required = true, value_name = "OP")]
    ops: Vec<Op>,

    /// Picture to write, .svg or .png; replaced if it exists [default: the operations' names, .svg]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Draw the derivatives too, dashed
    #[arg(long)]
    derivative: bool,

    /// The x axis, from MIN to MAX [default: -5..5, or -8..8 if that shows another corner]
    #[arg(long, value_name = "MIN..MAX", value_parser = parse_range, allow_hyphen_values = true)]
    range: Option<Range<f64>>,

    /// Draw the operation's output for these numbers against their index, instead of a curve
    #[arg(
        long,
        value_name = "X,X,...",
        value_parser = parse_number,
        value_delimiter = ',',
        allow_hyphen_values = true,
        conflicts_with_all = ["derivative", "range"]
    )]
    points: Vec<f64>,

    /// Width and height of the picture in pixels
    #[arg(long, value_name = "WxH", value_parser = parse_size, default_value = "800x600")]
    size: (u32, u32),
}

pub fn run(args: Args) -> Result<()> {
    halfwave::backend()?;
    let picture = match &args.output {
        Some(path) => Picture::create(path)?,
        None => default_output(&args.ops)?,
    };
    let figure = if args.points.is_empty() {
        curves(&args)?
    } else {
        points(&args)?
    };
    picture.save(&figure, args.size)
}

/// A file that nobody named is nobody's to replace.
fn default_output(ops: &[Op]) -> Result<Picture> {
    let names: Vec<&str> = ops.iter().map(|op| op.name()).collect();
    let name = format!("{}.svg", names.join("_"));
    if Path::new(&name).exists() {
        bail!("{name} exists; to replace it, say so: -o {name}");
    }
    Picture::create(Path::new(&name))
}

fn curves(args: &Args) -> Result<Figure> {
    let samples = args.size.0 as usize;
    let range = match &args.range {
        Some(range) => range.clone(),
        None => default_range(&args.ops, samples)?,
    };
    // Alone, an operation's formula is the title.
    let name = match args.ops[..] {
        [_] => |op: Op| format!("{}(x)", op.name()),
        _ => equation,
    };
    let prime = match args.ops[..] {
        [_] => |op: Op| format!("{}′(x)", op.name()),
        _ => |op: Op| {
            format!("{}′(x)  {}", op.name(), parameters(op))
                .trim_end()
                .into()
        },
    };
    let mut series = Vec::new();
    for &op in &args.ops {
        let slope = Graph::of(&slope(op)?, range.clone(), samples, &[]);
        let corners: Vec<f64> = slope.jumps.iter().map(|jump| jump.x).collect();
        let value = Graph::of(&eval(op)?, range.clone(), samples, &corners);
        let mut add = |name, dashed, graph: Graph| {
            let dots = graph.jumps.iter();
            let dots = dots.flat_map(|j| [((j.x, j.other), false), ((j.x, j.value), true)]);
            series.push(Series {
                name,
                color: series.len(),
                dashed,
                dots: dots.collect(),
                pieces: graph.pieces,
            });
        };
        add(name(op), false, value);
        if args.derivative {
            add(prime(op), true, slope);
        }
    }
    let x = Axis::numbers("x", range, ticks(args.size.0));
    Ok(figure(args, x, series))
}

/// As wide as it takes to show the corners that are not too far off, as relu6's.
fn default_range(ops: &[Op], samples: usize) -> Result<Range<f64>> {
    let mut half = 5.0;
    for &op in ops {
        let corners = Graph::of(&slope(op)?, -8.0..8.0, samples, &[]).jumps;
        if corners.iter().any(|jump| jump.x.abs() >= half) {
            half = 8.0;
        }
    }
    Ok(-half..half)
}

fn points(args: &Args) -> Result<Figure> {
    let last = args.points.len() - 1;
    // Alone, an operation's formula is the title.
    let name = match args.ops[..] {
        [_] => |op: Op| format!("{}(x)", op.name()),
        _ => equation,
    };
    let mut series = Vec::new();
    for &op in &args.ops {
        let f = eval(op)?;
        let points: Vec<Point> = args
            .points
            .iter()
            .enumerate()
            .map(|(i, &x)| (i as f64, f(x)))
            .collect();
        series.push(Series {
            name: name(op),
            color: series.len(),
            dashed: false,
            dots: points.iter().map(|&point| (point, true)).collect(),
            pieces: vec![points],
        });
    }
    let mut x = Axis::numbers("index", padded((0.0, last as f64)), ticks(args.size.0));
    x.ticks
        .retain(|tick| tick.fract() == 0.0 && (0.0..=last as f64).contains(tick));
    Ok(figure(args, x, series))
}

/// How many labels have room on an axis of this many pixels.
fn ticks(pixels: u32) -> u32 {
    pixels / 75
}

fn figure(args: &Args, x: Axis, series: Vec<Series>) -> Figure {
    let on_lines = series.iter().flat_map(|s| s.pieces.iter().flatten());
    let values = extent(on_lines.map(|point| point.1)).unwrap_or_default();
    Figure {
        title: match args.ops[..] {
            [op] => equation(op),
            _ => String::new(),
        },
        x,
        y: Axis::numbers("", padded(values), ticks(args.size.1)),
        through_origin: true,
        guides: Vec::new(),
        series,
    }
}

/// `relu(x) = max(x, 0)`, and the parameters if it has any.
fn equation(op: Op) -> String {
    let equation = format!("{}(x) = {}  {}", op.name(), op.formula(), parameters(op));
    equation.trim_end().into()
}

/// `(slope=0.01)`, to six digits, or nothing.
fn parameters(op: Op) -> String {
    let values = op.parameters().iter().zip(op.values());
    let values =
        values.map(|(parameter, x)| format!("{}={}", parameter.name, number(x.to_f64(), 6)));
    match &values.collect::<Vec<_>>()[..] {
        [] => String::new(),
        list => format!("({})", list.join(", ")),
    }
}

/// `op` of one number.
fn eval(op: Op) -> Result<impl Fn(f64) -> f64> {
    op.apply_in_place::<f64>(&mut [])?;
    Ok(move |x| {
        let mut y = [x];
        // It takes f64: it has just done so.
        let _ = op.apply_in_place(&mut y);
        y[0]
    })
}

/// Its derivative at one number.
fn slope(op: Op) -> Result<impl Fn(f64) -> f64> {
    op.backward::<f64>(&[], &[], &mut [])?;
    Ok(move |x| {
        let mut dx = [0.0];
        // As above.
        let _ = op.backward(&[x], &[1.0], &mut dx);
        dx[0]
    })
}

fn parse_number(text: &str) -> Result<f64> {
    let number = text.trim().parse().ok().filter(|x: &f64| x.is_finite());
    number.ok_or_else(|| anyhow!("{text:?} is not a finite number"))
}

fn parse_range(text: &str) -> Result<Range<f64>> {
    let Some((min, max)) = text.split_once("..").or_else(|| text.split_once(',')) else {
        bail!("a range has two ends, as in -5..5 or -5,5");
    };
    let (min, max) = (parse_number(min)?, parse_number(max)?);
    if min >= max {
        bail!("the range must go up: {max} is not above {min}");
    }
    let (width, far) = (max - min, min.abs().max(max.abs()));
    if far > 1e100 || width < 1e-100 {
        bail!("too large or too small to draw; stay between 1e-100 and 1e100");
    }
    if width < 1e-6 * far {
        bail!(
            "too narrow to draw so far from 0; make it at least {:e} wide",
            1e-6 * far
        );
    }
    Ok(min..max)
}

fn parse_size(text: &str) -> Result<(u32, u32)> {
    const SIDE: std::ops::RangeInclusive<u32> = 200..=4096;
    let sides = text.split_once('x');
    let sides = sides.and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let sides = sides.filter(|(w, h)| SIDE.contains(w) && SIDE.contains(h));
    sides.ok_or_else(|| anyhow!("give width and height in pixels, 200 to 4096 each, as in 800x600"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines of an operation and of its derivative.
    fn series(op: Op, range: Range<f64>) -> [Series; 2] {
        let args = Args {
            ops: vec![op],
            output: None,
            derivative: true,
            range: Some(range),
            points: Vec::new(),
            size: (300, 200),
        };
        let Ok(both) = curves(&args).unwrap().series.try_into() else {
            panic!("a line each")
        };
        both
    }

    /// Which side of a kink counts, the contract says; it is not always the smaller: hard_swish′(3)
    /// is 1, beside 1.5.
    #[test]
    fn kinks_have_the_derivative_that_the_contract_says() {
        for (op, kinks) in [
            ("relu", &[(0.0, 0.0)][..]),
            ("relu6", &[(0.0, 0.0), (6.0, 0.0)]),
            ("leaky_relu(slope=-2)", &[(0.0, -2.0)]),
            ("clip(min=-0.7, max=0.3)", &[(-0.7, 0.0), (0.3, 0.0)]),
            ("hard_swish", &[(-3.0, 0.0), (3.0, 1.0)]),
            ("hard_shrink", &[(-0.5, 0.0), (0.5, 0.0)]),
            ("softsign", &[]),
            ("sigmoid", &[]),
            ("elu(alpha=2)", &[(0.0, 2.0)]),
            ("celu(alpha=2)", &[]),
            ("silu(beta=50)", &[]),
            ("gelu", &[]),
        ] {
            let [_, derivative] = series(op.parse().unwrap(), -8.0..8.1);
            let filled = derivative.dots.iter().filter(|dot| dot.1);
            let filled: Vec<Point> = filled.map(|dot| dot.0).collect();
            assert_eq!(filled, kinks, "{op}");
        }
    }

    #[test]
    fn every_line_is_where_the_library_computes_it() {
        for &op in Op::all() {
            let lines = series(op, -5.0..5.0);
            for (line, f) in lines.iter().zip([
                &eval(op).unwrap() as &dyn Fn(f64) -> f64,
                &slope(op).unwrap(),
            ]) {
                let points = line.pieces.concat();
                assert_eq!(
                    (points[0].0, points[points.len() - 1].0),
                    (-5.0, 5.0),
                    "{op}"
                );
                assert!(points.iter().all(|&(x, y)| y == f(x)), "{op}");
                let drawn = points.windows(2).filter(|p| p[0].0 < p[1].0);
                for pair in drawn {
                    let middle = (pair[0].0 + pair[1].0) / 2.0;
                    let between = (pair[0].1 + pair[1].1) / 2.0;
                    // A curve's chord lies off it by little; a jump that was joined, by much.
                    let gap = pair[1].0 - pair[0].0 < 1e-12;
                    assert!(
                        gap || (f(middle) - between).abs() < 0.01,
                        "{op} at {middle}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn ranges_are_exact_or_refused(a in -1e6..1e6f64, b in -1e6..1e6f64) {
            let wide = (b - a) >= 1e-6 * a.abs().max(b.abs());
            for separator in ["..", ",", " .. "] {
                let range = parse_range(&format!("{a}{separator}{b}"));
                prop_assert_eq!(range.ok(), (a < b && wide).then_some(a..b));
                let empty = parse_range(&format!("{a}{separator}{a}"));
                prop_assert!(empty.is_err());
            }
        }

        #[test]
        fn what_is_taken_can_be_drawn(text in "[-+0-9einfaN.,]{0,16}", a: f64, b: f64) {
            for text in [text, format!("{a}..{b}"), format!("{a:e},{b:e}")] {
                if let Ok(range) = parse_range(&text) {
                    prop_assert!(range.start.is_finite() && range.end.is_finite(), "{text}");
                    prop_assert!(range.start < range.end, "{text}");
                }
            }
        }
    }
}
