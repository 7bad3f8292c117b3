//! `halfwave verify`: how exact the operations are on this machine.

mod inputs;
mod measure;
mod reference;
mod subject;

use std::num::NonZeroU32;

use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use halfwave::{Backend, Dtype, Number, Op, bf16, f16};
use halfwave_oracle::{Format, branches};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::human::{print, table};
use measure::Seen;
use reference::Trusted;
use subject::{Reference, Subject, Which, name, random};

/// Measure how exact the operations are on this machine, in ulps, against the true values
///
/// f16 and bf16: every one of the 65,536 inputs, and f64: samples, against arbitrary precision. f32:
/// every 257th bit pattern and all edges, or all 2^32 with --exhaustive, against halfwave's own f64
/// kernel of the same operation (or the truth, see --reference); how far that is from arbitrary
/// precision is measured first, on samples of f32, and said below the table. The edges are the 64 numbers on each side of zero, of the
/// smallest normal number, of infinity, of the operation's parameters, and of every power of two from
/// 2^-64 to 2^64 (of the others, 2).
///
/// With --parameters random: every operation that has parameters, at random and extreme ones, on as many edges
/// as samples of each dtype, against arbitrary precision; with --stride, of f32 on that many. Edges are then also
/// where e^x of a product or quotient with a parameter branches.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave verify                                   every operation on every dtype
  halfwave verify softsign --dtype f32 --exhaustive
  halfwave verify 'leaky_relu(slope=0.2)' --backward --backend all
  halfwave verify --dtype f64 --samples 10000000
  halfwave verify --parameters random --backward --samples 300
  halfwave verify silu --parameters random --settings 1000 --dtype f32 --samples 300
  halfwave verify --exhaustive --backward --backend all --markdown

An ulp is the distance between neighbouring numbers of the dtype at the true value; `ulps` is the
largest error, `at` the input where it was seen, `correct` how many results are those nearest to
the true value. From half of the point where a derivative changes its sign to twice that, half an
ulp of 1 counts as two ulps. A derivative is `backward` from the input, `from_output` from the
output, where that has a formula of its own; at NaN it is not compared.

The exit status is 1 if a bound is exceeded.")]
pub struct Args {
    /// Operation to measure [default: all]
    op: Option<Op>,

    /// Element types [default: f32,f64,f16,bf16]
    #[arg(long, value_name = "DTYPE,...", value_delimiter = ',', value_parser = parser(),
          default_values = ["f32", "f64", "f16", "bf16"], hide_default_value = true)]
    dtype: Vec<Dtype>,

    /// What parameters to try instead of the defaults, or of OP's
    #[arg(long, value_enum, value_name = "WHICH", conflicts_with_all = ["exhaustive", "reference"])]
    parameters: Option<Which>,

    /// How many random settings of an operation
    #[arg(long, value_name = "N", default_value_t = 40, requires = "parameters")]
    settings: usize,

    /// All 2^32 inputs of f32
    #[arg(long)]
    exhaustive: bool,

    /// Every N-th bit pattern of f32, and the edges [default: 257; none but samples with --parameters]
    #[arg(long, value_name = "N", conflicts_with = "exhaustive")]
    stride: Option<NonZeroU32>,

    /// The derivatives too
    #[arg(long)]
    backward: bool,

    /// Backends to measure, or all, by one and the same truth [default: the one chosen; `halfwave info` lists them]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    backend: Vec<String>,

    /// Random inputs of f64, and of f32 to measure the reference with; with --parameters, of every dtype
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    samples: usize,

    /// What f32 is compared with [default: kernel; with parameters of one's own, truth]
    #[arg(long, value_enum)]
    reference: Option<Reference>,

    /// Print JSON: an array of {op, form, dtype, backend, inputs, ulps, at, at_bits, correct, bound,
    /// correctly_rounded, holds, reference}; ulps is null if infinite
    #[arg(long, conflicts_with = "markdown")]
    json: bool,

    /// Print Markdown, as in docs/accuracy.md
    #[arg(long)]
    markdown: bool,
}

/// Reads the name of a float dtype.
fn parser() -> impl TypedValueParser<Value = Dtype> {
    let names = Dtype::FLOATS.iter().map(|dtype| dtype.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Dtype>())
}

/// The operation with its parameters, if they are not the defaults; as `1e300` where that is shorter than 301 digits.
fn label(op: Op) -> String {
    if Op::all().contains(&op) {
        return op.name().into();
    }
    let given = op.parameters().iter().zip(op.values());
    let given = given.map(|(parameter, value)| {
        let [digits, power] = [value.to_string(), format!("{:e}", value.to_f64())];
        let same = power.parse() == Ok(value);
        let short = same && power.len() < digits.len();
        format!("{}={}", parameter.name, if short { power } else { digits })
    });
    format!("{}({})", op.name(), given.collect::<Vec<_>>().join(", "))
}

/// One line of what is printed.
struct Row {
    subject: Subject,
    backend: Backend,
    seen: Seen,
    /// What `f32` was compared with.
    trusted: Option<Trusted>,
}

pub fn run(args: Args) -> Result<()> {
    let chosen = halfwave::backend()?;
    let names: Vec<&str> = args.backend.iter().map(String::as_str).collect();
    let backends: Vec<Backend> = match names[..] {
        [] => vec![chosen],
        ["all"] => halfwave::backends().to_vec(),
        _ => {
            let named = names.iter().map(|name| halfwave::backend_named(name));
            named.collect::<Result<_, _>>()?
        }
    };
    let mut ops = match args.op {
        Some(op) => vec![op],
        None => Op::all().to_vec(),
    };
    if let (Some(Which::Random), Some(op)) = (args.parameters, args.op)
        && op.parameters().is_empty()
    {
        bail!("{} has no parameters", op.name());
    }
    if args.parameters.is_some() {
        let of_each = ops.into_iter().flat_map(|op| random(op, args.settings));
        ops = of_each.collect();
    }
    let step = match args.stride {
        _ if args.exhaustive => Some(1),
        Some(stride) => Some(stride.get()),
        None => args.parameters.is_none().then_some(257),
    };
    let subjects: Vec<Subject> = ops
        .iter()
        .flat_map(|&op| args.dtype.iter().map(move |&dtype| (op, dtype)))
        .flat_map(|(op, dtype)| Subject::all(op, dtype, args.backward))
        .collect();

    let progress = ProgressBar::no_length().with_style(
        ProgressStyle::with_template("{wide_bar} {percent}% {msg}")
            .expect("a template that is written well"),
    );
    let mut rows = Vec::new();
    for subject in subjects {
        let Subject { op, form, dtype } = subject;
        progress.reset();
        progress.set_message(format!("{} {dtype} {}", label(op), name(form)));
        let mut trusted = None;
        let x = Inputs {
            op,
            args: &args,
            progress: &progress,
        };
        let seen = match (dtype, step) {
            (Dtype::F32, Some(step)) => {
                progress.set_length(measure::count(step));
                let by = Trusted::new(subject, args.reference, args.samples)?;
                trusted = Some(by);
                measure::by_reference(subject, &backends, &by, step, &x.points(), &progress)?
            }
            (Dtype::F32, _) => measure::precisely(subject, &backends, &x.some::<f32>(), &progress)?,
            (Dtype::F64, _) => measure::precisely(subject, &backends, &x.some::<f64>(), &progress)?,
            (Dtype::F16, _) => measure::precisely(subject, &backends, &x.all::<f16>(), &progress)?,
            _ => measure::precisely(subject, &backends, &x.all::<bf16>(), &progress)?,
        };
        rows.extend(backends.iter().zip(seen).map(|(&backend, seen)| Row {
            subject,
            backend,
            seen,
            trusted,
        }));
    }
    progress.finish_and_clear();

    let text = match (args.json, args.markdown) {
        (true, _) => format!("{:#}\n", rows.iter().map(Row::as_json).collect::<Value>()),
        (_, true) => markdown(&rows),
        _ => format!("{}{}", table(&cells(&rows), 4), notes(&rows)),
    };
    print(&text)?;
    let broken: Vec<&Row> = rows.iter().filter(|row| !row.holds()).collect();
    if let [first, rest @ ..] = &broken[..] {
        let more = match rest.len() {
            0 => String::new(),
            n => format!("; so are {n} more of {}", rows.len()),
        };
        bail!("{} is beyond its bound{more}", first.said());
    }
    Ok(())
}

/// What an operation is tried with, one by one.
struct Inputs<'a> {
    op: Op,
    args: &'a Args,
    progress: &'a ProgressBar,
}

impl Inputs<'_> {
    /// What there are edges around.
    fn points(&self) -> Vec<f64> {
        let values: Vec<f64> = self.op.values().map(Number::to_f64).collect();
        match self.args.parameters {
            Some(_) => branches(&values),
            None => values,
        }
    }

    /// Edges and samples; with random parameters, as many edges as samples.
    fn some<E: Format>(&self) -> Vec<E> {
        let samples = self.args.samples;
        let mut x = inputs::edges::<E>(&self.points());
        if self.args.parameters.is_some() {
            let step = x.len() / samples.max(1) + 1;
            x = x.into_iter().step_by(step).collect();
        }
        x.extend(inputs::samples::<E>(samples));
        self.progress.set_length(x.len() as u64);
        x
    }

    /// All there are of 16 bits; with random parameters, some.
    fn all<E: Format>(&self) -> Vec<E> {
        if self.args.parameters.is_some() {
            return self.some();
        }
        self.progress.set_length(1 << 16);
        inputs::all()
    }
}

impl Row {
    fn holds(&self) -> bool {
        if self.subject.correctly_rounded() {
            self.seen.correct == self.seen.inputs
        } else {
            self.seen.ulps <= self.subject.bound().ulps()
        }
    }

    /// The input of the largest error, and its bits.
    fn at(&self) -> [String; 2] {
        let Some(bits) = self.seen.at else {
            return Default::default();
        };
        let half = |x: f32| format!("{x:e}");
        let (number, digits) = match self.subject.dtype {
            Dtype::F64 => (format!("{:e}", f64::from_bits(bits)), 16),
            Dtype::F32 => (format!("{:e}", f32::from_bits(bits as u32)), 8),
            Dtype::F16 => (half(f16::from_bits(bits as u16).to_f32()), 4),
            _ => (half(bf16::from_bits(bits as u16).to_f32()), 4),
        };
        [number, format!("0x{bits:0digits$x}")]
    }

    fn share(&self) -> f64 {
        self.seen.correct as f64 / self.seen.inputs as f64
    }

    /// What went wrong.
    fn said(&self) -> String {
        let Subject { op, form, dtype } = self.subject;
        let [at, bits] = self.at();
        let bound = if self.subject.correctly_rounded() {
            let wrong = self.seen.inputs - self.seen.correct;
            format!("{wrong} results are not correctly rounded")
        } else {
            format!("the bound is {}", self.subject.bound().ulps())
        };
        format!(
            "{} {dtype} {} on {}, {:.4} ulps off at {at} ({bits}; {bound}),",
            label(op),
            name(form),
            self.backend.name(),
            self.seen.ulps,
        )
    }

    fn as_json(&self) -> Value {
        let Subject { op, form, dtype } = self.subject;
        let [at, bits] = self.at();
        let reference = match self.trusted {
            Some(Trusted::Kernel {
                subject,
                samples,
                ulps,
            }) => json!({
                "kind": "kernel",
                "op": subject.op.to_string(),
                "samples": samples,
                "ulps": ulps,
            }),
            _ => json!({"kind": "arbitrary precision"}),
        };
        json!({
            "op": op.to_string(),
            "form": name(form),
            "dtype": dtype.name(),
            "backend": self.backend.name(),
            "inputs": self.seen.inputs,
            "ulps": self.seen.ulps,
            "at": at,
            "at_bits": bits,
            "correct": self.seen.correct,
            "bound": self.subject.bound().ulps(),
            "correctly_rounded": self.subject.correctly_rounded(),
            "holds": self.holds(),
            "reference": reference,
        })
    }
}

const HEAD: [&str; 9] = [
    "operation",
    "form",
    "dtype",
    "backend",
    "inputs",
    "ulps",
    "at",
    "bits",
    "correct",
];

fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    let mut lines = vec![HEAD.map(String::from).to_vec()];
    for row in rows {
        let Subject { op, form, dtype } = row.subject;
        let [at, bits] = row.at();
        // All of them is said only of all of them.
        let percent = (row.share() * 1e6).floor() / 1e4;
        lines.push(vec![
            label(op),
            name(form).into(),
            dtype.name().into(),
            row.backend.name().into(),
            row.seen.inputs.to_string(),
            format!("{:.4}", row.seen.ulps),
            at,
            bits,
            format!("{percent} %"),
        ]);
        if !row.holds() {
            lines
                .last_mut()
                .expect("just pushed")
                .push("beyond its bound".into());
        }
    }
    lines
}

/// What `f32` was compared with, if that is not the truth itself.
fn notes(rows: &[Row]) -> String {
    let (mut samples, mut farthest) = (0, 0.0);
    for row in rows {
        if let Some(Trusted::Kernel {
            samples: of, ulps, ..
        }) = row.trusted
        {
            samples = of;
            farthest = ulps.max(farthest);
        }
    }
    if samples == 0 {
        return String::new();
    }
    format!(
        "\nf32 is compared with halfwave's f64 kernels, which on {samples} samples and edges of f32\n\
         were at most {farthest:.1e} ulps of f32 from the truth.\n"
    )
}

fn markdown(rows: &[Row]) -> String {
    let mut text = String::new();
    for (i, mut line) in cells(rows).into_iter().enumerate() {
        line.truncate(HEAD.len());
        text += &format!("| {} |\n", line.join(" | "));
        if i == 0 {
            text += &format!("|{}\n", "---|".repeat(line.len()));
        }
    }
    text + &notes(rows)
}
