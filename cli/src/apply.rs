//! `halfwave apply`: a file in, an operation on every element, a file out.
//!
//! Data flows one way: [`input`] opens, [`npy`], [`safetensors`] or [`raw`] reads the header and
//! makes a [`plan`], [`stream`] carries the plan out chunk by chunk, [`output`](crate::output) puts
//! the result in place when, and only when, all of it is there.

mod input;
mod npy;
mod plan;
mod raw;
mod report;
mod safetensors;
mod stream;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::error::ErrorKind;
use halfwave::{Dtype, Op};

use crate::dtype;
use crate::output::Output;
use input::Input;
use plan::Plan;
use report::Report;

/// Apply an operation to every element of an array file
///
/// OUT has the format of IN: a .npy gives a .npy of the same shape and order, a .safetensors one
/// with the same names, metadata and layout. It appears only when it is complete: until then, and
/// after any error, whatever stood at OUT is untouched. Memory use is a few MiB, whatever the size
/// of the file.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to apply; `halfwave list` names and explains them all
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
  halfwave apply relu model.safetensors -o rectified.safetensors
  halfwave apply relu model.safetensors --in-place --tensor fc1.bias --tensor fc2.bias
  halfwave apply relu samples.bin --dtype f32 -o rectified.bin
  zcat x.npy.gz | halfwave apply relu - -o - | gzip > y.npy.gz

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

fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
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
    check_name(target, format, &input)?;
    let plan: Plan = match format {
        Format::Npy => npy::plan(&mut input, args.op, args.dtype)?,
        Format::Safetensors => safetensors::plan(&mut input, args.op, &args.tensor)?,
        Format::Raw => raw::plan(&mut input, args.op, args.dtype)?,
    };
    plan.check_size(&input)?;

    let mut output = if is_dash(target) {
        Output::stdout()?
    } else {
        Output::create(target)?
    };
    let bar = report::progress(plan.bytes(), args.quiet);
    let tally = pool.install(|| stream::run(args.op, &plan, &mut input, &mut output, &bar))?;
    output.commit()?;
    bar.finish_and_clear();

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

/// Refuses what cannot be meant, before any file is opened. Returns where the result goes.
fn check(args: &Args, format: Format) -> Result<&Path> {
    let usage =
        |message: String| Err(clap::Error::raw(ErrorKind::ArgumentConflict, message).into());
    let input = args.input.display();
    let target = match &args.output {
        Some(output) => output,
        None if !args.in_place => {
            return usage(format!(
                "where should the result go? Choose one:\n  \
                 halfwave apply {op} {input} -o OUT       writes it to OUT, and - is standard output\n  \
                 halfwave apply {op} {input} --in-place   replaces {input}\n",
                op = args.op
            ));
        }
        None if is_dash(&args.input) => {
            return usage(
                "standard input cannot be replaced in place: use -o OUT or -o -\n".into(),
            );
        }
        None => &args.input,
    };
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
