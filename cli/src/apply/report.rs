//! What the user sees of it: a bar on the way, a line at the end.

use std::fmt;

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
        let names: Vec<_> = plan.dtypes().iter().map(|dtype| dtype.name()).collect();
        write!(
            f,
            "{} {}",
            HumanCount(tally.stats.elements),
            names.join("+")
        )?;
        let swapped =
            |segment: &Segment| matches!(segment, Segment::Apply { big_endian, .. } if *big_endian);
        if plan.segments.iter().any(swapped) {
            f.write_str(" (big-endian, now little-endian)")?;
        }
        let rate = tally.bytes as f64 / self.seconds.max(1e-9) / 1e9;
        let s = if self.threads == 1 { "" } else { "s" };
        let zeros = tally.stats.percent_zeros();
        write!(
            f,
            " in {:.3} s, {rate:.1} GB/s, {} thread{s}, {}, {zeros:.1} % zeros",
            self.seconds, self.threads, self.backend
        )
    }
}
