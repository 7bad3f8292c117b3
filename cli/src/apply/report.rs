//! What the user sees of it: a bar on the way, a line at the end.

use std::fmt;

use halfwave::Dtype;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::plan::{Plan, Segment};
use super::stream::Tally;

/// A bar over `bytes` on standard error; `indicatif` draws it only on a terminal.
pub fn progress(bytes: u64, quiet: bool) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = "{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(style).expect("a template that is written well");
    ProgressBar::new(bytes).with_style(style)
}

/// The last words.
pub struct Report<'a> {
    pub plan: &'a Plan,
    pub tally: Tally,
    pub seconds: f64,
    pub threads: usize,
    pub backend: &'static str,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, tally, .. } = self;
        for note in &plan.notes {
            writeln!(f, "{note}")?;
        }
        let (mut dtypes, mut swapped) = (Vec::<Dtype>::new(), false);
        for segment in &plan.segments {
            if let Segment::Apply {
                dtype, big_endian, ..
            } = *segment
            {
                swapped |= big_endian;
                if !dtypes.contains(&dtype) {
                    dtypes.push(dtype);
                }
            }
        }
        let names: Vec<_> = dtypes.iter().map(|dtype| dtype.name()).collect();
        write!(f, "{} {}", HumanCount(tally.elements), names.join("+"))?;
        if swapped {
            f.write_str(" (big-endian, now little-endian)")?;
        }
        let rate = tally.bytes as f64 / self.seconds.max(1e-9) / 1e9;
        let s = if self.threads == 1 { "" } else { "s" };
        let zeros = 100.0 * tally.zeros as f64 / tally.elements.max(1) as f64;
        write!(
            f,
            " in {:.3} s, {rate:.1} GB/s, {} thread{s}, {}, {zeros:.1} % zeros",
            self.seconds, self.threads, self.backend
        )
    }
}
