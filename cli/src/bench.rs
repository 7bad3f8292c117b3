//! `halfwave bench`: an operation's speed beside what the machine can do at best.

mod measure;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use halfwave::{Dtype, Op, memory};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::dtype::{self, with_element};
use crate::human::{bytes, print, table};
use crate::plot::figure::{Axis, Figure, Series, padded, ticks};
use crate::plot::save::Picture;
use measure::{Contender, Form, Subject};

/// Measure an operation's speed, from the first cache to memory, beside the machine's limits
///
/// The limits are measured in the same run and by turns with the operation, so that a busy machine
/// slows both: `copy` (memcpy) and `stream_copy` (stores that bypass the caches), backward too, by as
/// many bytes; in place, `write_back`. Every figure is the best of many. GB/s counts each byte read
/// and each written. The input is normal, with mean 0 and standard deviation 2.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave bench                                 relu, f32, from L1 to memory
  halfwave bench relu --dtype bf16 --in-place
  halfwave bench 'clip(min=0, max=6)' --dtype i8
  halfwave bench hard_swish --backward           dx from x and dy
  halfwave bench relu --sizes 4096,1Mi,2^26
  halfwave bench relu --backend portable         another backend; `halfwave info` lists them
  halfwave bench relu --threads 2 -o relu.svg    a plot over all powers of two
  halfwave bench relu --json > relu.json

`of limit` is the operation's speed over the best limit's: 1.00 is as fast as memory moves. Above 1
the limit is not one: a library's memcpy need not be perfect.")]
pub struct Args {
    /// Operation to measure
    #[arg(default_value = "relu")]
    op: Op,

    /// Element type
    #[arg(long, default_value = "f32", value_parser = dtype::parser())]
    dtype: Dtype,

    /// Array lengths in elements: 4096, 64Ki, 1Mi, 2^26 [default: half of each cache, and beyond]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',', value_parser = parse_count)]
    sizes: Vec<usize>,

    /// Backend to measure, instead of the one chosen
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,

    /// Overwrite the input instead of writing another array
    #[arg(long)]
    in_place: bool,

    /// Measure the derivative, dx = dy · f′(x): two arrays read, one written
    #[arg(long, conflicts_with = "in_place")]
    backward: bool,

    /// Threads to use, for the limits too
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = parse_threads)]
    threads: usize,

    /// About how long to measure, in all; longer finds quieter moments
    #[arg(long, value_name = "SECONDS", default_value = "8", value_parser = parse_seconds)]
    seconds: Duration,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Draw a plot too, .svg or .png; replaced if it exists
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// One size's results.
struct Row {
    elements: usize,
    /// Bytes of memory touched.
    touched: usize,
    /// Bytes read and bytes written: in place, twice what is touched.
    moved: usize,
    /// Seconds of each contender.
    seconds: Vec<f64>,
}

pub fn run(args: Args) -> Result<()> {
    let chosen = halfwave::backend()?;
    let picture = args.output.as_deref().map(Picture::create).transpose()?;
    let backend = match &args.backend {
        Some(name) => halfwave::backend_named(name)?,
        None => chosen,
    };
    let subject = Subject {
        op: args.op,
        backend: if args.threads > 1 {
            backend.par()
        } else {
            backend
        },
        form: match (args.in_place, args.backward) {
            (true, _) => Form::InPlace,
            (_, true) => Form::Backward,
            _ => Form::Apply,
        },
        threads: args.threads,
    };
    let width = args.dtype.size() * subject.form.arrays();
    let sizes = match (&args.sizes[..], &picture) {
        ([], None) => default_sizes(width),
        ([], Some(_)) => every_power(width),
        (sizes, _) => sizes.to_vec(),
    };

    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build()
        .with_context(|| format!("cannot start {} threads", args.threads))?;
    let progress = ProgressBar::new(sizes.len() as u64).with_style(
        ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg}")
            .expect("a template that is written well"),
    );
    let budget = args.seconds / sizes.len() as u32;
    let mut rows = Vec::new();
    for elements in sizes {
        progress.set_message(format!("{elements} elements"));
        let seconds = pool
            .install(|| with_element!(args.dtype, E => subject.measure::<E>(elements, budget)))?;
        rows.push(Row {
            elements,
            touched: elements * width,
            moved: elements * args.dtype.size() * subject.form.moved(),
            seconds,
        });
        progress.inc(1);
    }
    progress.finish_and_clear();

    let title = title(&subject, args.dtype);
    if args.json {
        print(&format!("{:#}\n", as_json(&subject, args.dtype, &rows)))?;
    } else {
        print(&format!("{title}\n\n{}", as_table(&subject, &rows)))?;
    }
    match picture {
        Some(picture) => picture.save(&as_figure(&subject, title, &rows), (900, 600)),
        None => Ok(()),
    }
}

impl Row {
    fn rates(&self) -> impl Iterator<Item = f64> {
        let moved = self.moved as f64;
        self.seconds.iter().map(move |s| moved / s / 1e9)
    }

    fn of_limit(&self) -> f64 {
        let limits = self.seconds[1..].iter().copied();
        limits.fold(f64::INFINITY, f64::min) / self.seconds[0]
    }

    fn elements_per_ns(&self) -> f64 {
        self.elements as f64 / self.seconds[0] / 1e9
    }

    /// The innermost cache that holds all that is touched.
    fn level(&self) -> &'static str {
        let caches = memory::caches();
        match self.touched {
            n if n <= caches.l1d => "L1",
            n if n <= caches.l2 => "L2",
            n if n <= caches.l3 => "L3",
            _ => "memory",
        }
    }
}

fn title(subject: &Subject, dtype: Dtype) -> String {
    let (op, backend, threads) = (subject.op, subject.backend.name(), subject.threads);
    let s = if threads == 1 { "" } else { "s" };
    let form = subject.form.name();
    format!("{op} {dtype}, {form}, {backend}, {threads} thread{s}")
}

fn as_table(subject: &Subject, rows: &[Row]) -> String {
    let mut head = vec!["in".into(), "elements".into(), "touched".into()];
    for contender in subject.contenders() {
        head.push(format!("{} GB/s", contender.name(subject.op)));
    }
    head.extend(["elements/ns".into(), "of limit".into()]);
    let mut lines = vec![head];
    for row in rows {
        let mut line = vec![
            row.level().into(),
            row.elements.to_string(),
            bytes(row.touched),
        ];
        line.extend(row.rates().map(|rate| format!("{rate:.2}")));
        line.push(format!("{:.3}", row.elements_per_ns()));
        line.push(format!("{:.2}", row.of_limit()));
        lines.push(line);
    }
    table(&lines, 1)
}

fn as_json(subject: &Subject, dtype: Dtype, rows: &[Row]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let rates: Vec<f64> = row.rates().collect();
            let limits = subject.contenders().iter().zip(&rates).skip(1);
            let limits = limits.map(|(c, rate)| (c.name(subject.op).into(), json!(rate)));
            json!({
                "elements": row.elements,
                "bytes_touched": row.touched,
                "level": row.level(),
                "gb_per_s": rates[0],
                "elements_per_ns": row.elements_per_ns(),
                "limits_gb_per_s": Value::Object(limits.collect()),
                "of_limit": row.of_limit(),
            })
        })
        .collect();
    json!({
        "op": subject.op.to_string(),
        "dtype": dtype.name(),
        "backend": subject.backend.name(),
        "in_place": subject.form == Form::InPlace,
        "backward": subject.form == Form::Backward,
        "threads": subject.threads,
        "sizes": rows,
    })
}

fn as_figure(subject: &Subject, title: String, rows: &[Row]) -> Figure {
    let at = |touched: usize| (touched as f64).log2();
    let mut series = Vec::new();
    for (i, &contender) in subject.contenders().iter().enumerate() {
        let mut points: Vec<_> = rows
            .iter()
            .map(|row| (at(row.touched), row.rates().nth(i).unwrap_or_default()))
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        series.push(Series {
            name: contender.name(subject.op).into(),
            color: i,
            dashed: contender != Contender::Op,
            dots: points.iter().map(|&point| (point, true)).collect(),
            pieces: vec![points],
        });
    }
    let places = rows.iter().map(|row| at(row.touched));
    let low = places.clone().fold(f64::INFINITY, f64::min);
    let range = padded((low, places.fold(0.0, f64::max)));
    let fastest = rows.iter().flat_map(Row::rates).fold(0.0, f64::max);

    let caches = memory::caches();
    let mut guides = vec![
        (at(caches.l1d), format!("L1 {}", bytes(caches.l1d))),
        (at(caches.l2), format!("L2 {}", bytes(caches.l2))),
        (at(caches.l3), format!("L3 {}", bytes(caches.l3))),
    ];
    guides.retain(|(x, _)| range.contains(x));
    // Whole powers of two.
    let mut powers = ticks(&range, 11);
    powers.retain(|power| power.fract() == 0.0);
    Figure {
        title,
        x: Axis {
            label: "memory touched".into(),
            range,
            ticks: powers,
            format: |power| bytes(power.exp2() as usize),
        },
        y: Axis::numbers("GB/s, read and written", 0.0..1.06 * fastest, 8),
        through_origin: false,
        guides,
        series,
    }
}

/// Half of each cache, and well beyond the last: in elements, `width` bytes being touched for each.
fn default_sizes(width: usize) -> Vec<usize> {
    let caches = memory::caches();
    let touched = [caches.l1d / 2, caches.l2 / 2, caches.l3 / 2, beyond()];
    let mut sizes = touched.map(|bytes| bytes / width).to_vec();
    sizes.dedup();
    sizes
}

/// Every power of two of bytes touched, from a quarter of the first cache to beyond the last.
fn every_power(width: usize) -> Vec<usize> {
    let first = (memory::caches().l1d / 4).next_power_of_two();
    let doubled = std::iter::successors(Some(first), |bytes| bytes.checked_mul(2));
    let powers = doubled.take_while(|&bytes| bytes <= beyond());
    powers.map(|bytes| bytes / width).collect()
}

/// So much that no cache helps, but no machine runs out of it.
fn beyond() -> usize {
    let l3 = memory::caches().l3;
    (8 * l3).min(1 << 30).max(2 * l3)
}

fn parse_count(text: &str) -> Result<usize> {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let suffixes = [("Ki", 10), ("Mi", 20), ("Gi", 30)];
    let suffixed = suffixes
        .iter()
        .find_map(|&(suffix, power)| Some((text.trim().strip_suffix(suffix)?, power)));
    let count = match (text.split_once('^'), suffixed) {
        (Some((base, power)), _) => number(base)
            .zip(power.trim().parse().ok())
            .and_then(|(base, power)| base.checked_pow(power)),
        (None, Some((text, power))) => number(text).and_then(|n| n.checked_mul(1 << power)),
        (None, None) => number(text),
    };
    match count {
        None => bail!("{text:?} is not a count of elements; write 4096, 64Ki, 1Mi or 2^26"),
        Some(0) => bail!("there is nothing to measure on 0 elements"),
        Some(count) => Ok(count),
    }
}

fn parse_threads(text: &str) -> Result<usize> {
    let threads = text.parse().ok().filter(|n| (1..=1024).contains(n));
    threads.ok_or_else(|| anyhow!("give a number of threads from 1 to 1024"))
}

fn parse_seconds(text: &str) -> Result<Duration> {
    let seconds = text.parse().ok().filter(|s| (0.0..=3600.0).contains(s));
    let seconds = seconds.ok_or_else(|| anyhow!("give a number of seconds up to 3600"))?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_suffixes_and_powers() {
        let good = ["7", "64Ki", "1Mi", "2Gi", "2^26", " 10 "];
        let counts = good.map(|text| parse_count(text).unwrap());
        assert_eq!(counts, [7, 65536, 1 << 20, 2 << 30, 1 << 26, 10]);
        for bad in [
            "",
            "0",
            "-1",
            "1.5",
            "1K",
            "Mi",
            "2^99",
            "99999999999Gi",
            "x",
        ] {
            let error = parse_count(bad).unwrap_err().to_string();
            assert!(error.contains("elements"), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn counts_are_exact_or_refused(n: usize, power in 0..70u32, text in "[0-9KMGi^. -]{0,24}") {
            let shifted = |power: u32| n.checked_mul(1 << power);
            let nonzero = |count: Option<usize>| count.filter(|&count| count > 0);
            let read = |text: String| parse_count(&text).ok();
            assert_eq!(read(format!("{n}")), nonzero(Some(n)));
            assert_eq!(read(format!("{n}Ki")), nonzero(shifted(10)));
            assert_eq!(read(format!(" {n} Mi ")), nonzero(shifted(20)));
            assert_eq!(read(format!("{n}Gi")), nonzero(shifted(30)));
            assert_eq!(read(format!("2^{power}")), 1usize.checked_shl(power));
            assert_ne!(read(text), Some(0));
        }
    }

    #[test]
    fn rates_follow_from_seconds() {
        let row = Row {
            elements: 1000,
            touched: 4000,
            moved: 8000,
            seconds: vec![1e-6, 1e-6, 5e-7],
        };
        let rates: Vec<f64> = row.rates().collect();
        assert!((rates[0] - 8.0).abs() < 1e-9, "{rates:?}");
        assert!((rates[2] - 16.0).abs() < 1e-9, "{rates:?}");
        assert!((row.of_limit() - 0.5).abs() < 1e-9);
        assert!((row.elements_per_ns() - 1.0).abs() < 1e-9);
    }
}
