//! `halfwave apply`: a file in, an operation on every element, a file out.
//!
//! Data flows one way: [`input`] opens, [`npy`], [`safetensors`] or [`raw`] reads the header and
//! makes a [`plan`], [`stream`] carries the plan out chunk by chunk, by the way [`stats`] counts and
//! [`compact`] collects, and [`output`](crate::output) puts the result in place when, and only when,
//! all of it is there.

mod compact;
mod header;
mod input;
mod npy;
mod plan;
mod raw;
mod report;
mod safetensors;
mod stats;
mod stream;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::error::ErrorKind;
use halfwave::{Dtype, Op};

use crate::dtype;
use crate::human::print;
use crate::output::{self, Output};
use input::{Input, is_dash};
use plan::Plan;
use report::Report;
use stream::Sinks;

/// Apply an operation to every element of an array file
///
/// OUT has the format of IN: a .npy gives a .npy of the same shape and order, a .safetensors one
/// with the same names, metadata and layout. It appears only when it is complete: until then, and
/// after any error, whatever stood at OUT is untouched. Memory use is a few MiB, whatever the size
/// of the file.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to apply: relu, or 'leaky_relu(slope=0.2)' with parameters; `halfwave list` has them all
    op: Op,

    /// The array: .npy, .safetensors, any other file with --dtype, or - for a .npy on standard input
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// Where the result goes, replacing what is there; - for standard output
    #[arg(short, long, value_name = "OUT")]
    output: Option<PathBuf>,

    /// Replace IN with the result
    #[arg(long, conflicts_with = "output")]
    in_place: bool,

    /// Print the result's count of elements, non-zeros, NaNs and infinities, its min, max and mean
    #[arg(long)]
    stats: bool,

    /// Write the result's non-zero elements to this .npz: indices, values, shape; of a .npy
    #[arg(long, value_name = "OUT.npz")]
    compact: Option<PathBuf>,

    /// How many threads compute [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// What a raw file holds, little-endian; or bf16, for a .npy whose header only says V2
    #[arg(long, value_parser = dtype::parser())]
    dtype: Option<Dtype>,

    /// Transform only this tensor of a .safetensors; may be repeated
    #[arg(long, value_name = "NAME")]
    tensor: Vec<String>,

    /// No progress bar and no summary
    #[arg(short, long)]
    quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  halfwave apply relu x.npy -o y.npy                      x stays, y is new
  halfwave apply relu x.npy --in-place                    x is replaced
  halfwave apply 'leaky_relu(slope=0.2)' x.npy -o y.npy   with a parameter
  halfwave apply 'clip(min=0, max=inf)' x.npy -o y.npy    with two
  halfwave apply relu model.safetensors -o rectified.safetensors
  halfwave apply relu model.safetensors --in-place --tensor fc1.bias --tensor fc2.bias
  halfwave apply relu samples.bin --dtype f32 -o rectified.bin
  halfwave apply relu x.npy --stats                       nothing is written
  halfwave apply relu x.npy --compact y.npz               y's indices, values and shape
  zcat x.npy.gz | halfwave apply relu - -o - | gzip > y.npy.gz

Parameters stand in parentheses behind the name, each as name=value, in any order; the quotes keep
the shell away from the parentheses. One that is left out has its default.

A tensor of a dtype that the operation does not take is copied as it is, and named at the end; one
asked for by --tensor is refused. So is any other file, before anything is written.

--stats goes to standard output, or to standard error if the result is there. NaN counts as a
non-zero; min, max and mean are in f64 and leave it out. --compact's indices count elements in C
order, as numpy.flatnonzero does.

The last line on standard error says what was done: elements and dtype, seconds, bytes read and
written per second, threads, the instruction set, and how much of the result is zero. HALFWAVE_ISA
overrides the instruction set; `halfwave info` lists those this CPU has.";

/// What a file holds, told by its extension.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Npy,
    Safetensors,
    Raw,
}

impl Format {
    fn of(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default();
        if is_dash(path) || extension.eq_ignore_ascii_case("npy") {
            Self::Npy
        } else if extension.eq_ignore_ascii_case("safetensors") {
            Self::Safetensors
        } else {
            Self::Raw
        }
    }
}

pub fn run(args: Args) -> Result<()> {
    let format = Format::of(&args.input);
    let target = check(&args, format)?;
    let backend = halfwave::backend()?;
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(threads) = args.threads {
        pool = pool.num_threads(threads.get());
    }
    let pool = pool.build().context(
        "the threads cannot be started; ask for fewer with --threads, or for more with ulimit -u",
    )?;

    let start = Instant::now();
    let mut input = Input::open(&args.input)?;
    if let Some(target) = target {
        check_name(target, format, &input)?;
    }
    let plan: Plan = match format {
        Format::Npy => npy::plan(&mut input, args.op, args.dtype)?,
        Format::Safetensors => safetensors::plan(&mut input, args.op, &args.tensor)?,
        Format::Raw => raw::plan(&mut input, args.op, args.dtype)?,
    };
    plan.check_size(&input)?;

    let output = match target {
        None => None,
        Some(target) if is_dash(target) => Some(Output::stdout()?),
        Some(target) => Some(Output::create(target)?),
    };
    let compact = match &args.compact {
        None => None,
        Some(path) => Some(npy::compact(&input, &plan, path)?),
    };
    let mut sinks = Sinks {
        output,
        compact,
        stats: args.stats,
    };
    let bar = report::progress(plan.bytes(), args.quiet);
    let run = || stream::run(args.op, &plan, &mut input, &mut sinks, &bar);
    let mut tally = pool.install(run)?;
    let mut outputs: Vec<Output> = sinks.output.into_iter().collect();
    if let Some(compact) = sinks.compact {
        let (output, bytes) = compact.finish(&bar)?;
        outputs.push(output);
        tally.bytes += bytes;
    }
    output::commit(outputs)?;
    bar.finish_and_clear();

    if args.stats {
        let stats = tally.stats.describe(&plan.dtypes());
        if target.is_some_and(is_dash) {
            eprint!("{stats}");
        } else {
            print(&stats)?;
        }
    }
    if !args.quiet {
        let report = Report {
            plan: &plan,
            tally,
            seconds: start.elapsed().as_secs_f64(),
            threads: pool.current_num_threads(),
            backend: backend.name(),
        };
        eprintln!("{report}");
    }
    Ok(())
}

/// Refuses what cannot be meant, before any file is opened. Returns where the result goes, if
/// anywhere.
fn check(args: &Args, format: Format) -> Result<Option<&Path>> {
    let usage =
        |message: String| Err(clap::Error::raw(ErrorKind::ArgumentConflict, message).into());
    let input = args.input.display();
    let target = match &args.output {
        Some(output) => Some(&**output),
        None if args.in_place && is_dash(&args.input) => {
            return usage(
                "standard input cannot be replaced in place: use -o OUT or -o -\n".into(),
            );
        }
        None if args.in_place => Some(&*args.input),
        None if args.stats || args.compact.is_some() => None,
        None => {
            let op = quoted(args.op);
            return usage(format!(
                "where should the result go? Choose one:\n  \
                 halfwave apply {op} {input} -o OUT       writes it to OUT, and - is standard output\n  \
                 halfwave apply {op} {input} --in-place   replaces {input}\n"
            ));
        }
    };
    if let Some(compact) = &args.compact {
        let name = compact.display();
        if format != Format::Npy {
            return usage(format!(
                "--compact takes a .npy, which {input} is not: save the array as one first\n"
            ));
        }
        if !compact
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("npz"))
        {
            return usage(format!(
                "--compact writes an .npz: end the name {name} in .npz\n"
            ));
        }
        if target == Some(&**compact) {
            return usage(format!("{name} cannot be both results: choose two names\n"));
        }
    }
    if !args.tensor.is_empty() && format != Format::Safetensors {
        return usage(format!(
            "--tensor picks from a .safetensors, which {input} is not: leave it out\n"
        ));
    }
    if args.dtype.is_some() && format == Format::Safetensors {
        return usage(format!(
            "--dtype is for raw files, and {input} says itself what it holds: leave it out\n"
        ));
    }
    Ok(target)
}

/// As one types it in a shell.
fn quoted(op: Op) -> String {
    let text = op.to_string();
    if text.contains('(') {
        format!("'{text}'")
    } else {
        text
    }
}

/// Refuses a name that promises another format: what is in it would be garbage to its reader.
fn check_name(target: &Path, format: Format, input: &Input) -> Result<()> {
    let promised = Format::of(target);
    if !is_dash(target) && promised != format && promised != Format::Raw {
        bail!(
            "{}: the result has the format of {input}, which this name does not fit; choose a name \
             with the same ending",
            target.display()
        );
    }
    Ok(())
}
