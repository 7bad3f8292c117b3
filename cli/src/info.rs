//! `halfwave info`: the machine as halfwave sees it, and what it chose.

use std::{env, fs, thread};

use anyhow::Result;
use halfwave::{memory, parallel};
use serde_json::json;

use crate::human::{bytes, print, table};

/// Show the CPU, its caches, the backends, the one chosen, and the thresholds
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave info
  halfwave info --json | jq -r .backend
  HALFWAVE_ISA=portable halfwave info      another backend for one command
  HALFWAVE_STREAM_FROM=1048576 halfwave info      past the caches from 1 MiB on

Put its output into bug reports and beside benchmark results.")]
pub struct Args {
    /// Print JSON; sizes are in bytes
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let chosen = halfwave::backend()?.name();
    let wanted = env::var("HALFWAVE_ISA").ok();
    let version = env!("CARGO_PKG_VERSION");
    let cores = thread::available_parallelism().ok().map(usize::from);
    let caches = memory::caches();
    let backends: Vec<_> = halfwave::backends().iter().map(|b| b.name()).collect();
    let streaming = memory::streaming_threshold();
    let pages = transparent_huge_pages();

    if args.json {
        let info = json!({
            "version": version,
            "target": halfwave::BUILD_TARGET,
            "rustc": halfwave::BUILD_RUSTC,
            "cpu": cpu(),
            "cores": cores,
            "caches": { "l1d": caches.l1d, "l2": caches.l2, "l3": caches.l3 },
            "backends": backends,
            "backend": chosen,
            "halfwave_isa": wanted,
            "streaming_threshold": streaming,
            "huge_pages_from": memory::huge_pages_from(),
            "transparent_huge_pages": pages,
            "parallel_break_even": parallel::break_even(),
            "parallel_grain": parallel::grain(),
        });
        return print(&format!("{info:#}\n"));
    }

    let cores = cores.map_or("unknown".into(), |n| n.to_string());
    let why = match wanted {
        Some(_) => "as HALFWAVE_ISA says",
        None => "the best of them here; HALFWAVE_ISA=NAME chooses another",
    };
    let pages = pages.as_deref().unwrap_or("unknown");
    let lines = [
        ("halfwave", version.into()),
        ("built for", halfwave::BUILD_TARGET.into()),
        ("built by", halfwave::BUILD_RUSTC.into()),
        ("CPU", cpu()),
        ("cores", format!("{cores} for this process")),
        (
            "caches",
            format!(
                "L1 {}, L2 {}, L3 {}",
                bytes(caches.l1d),
                bytes(caches.l2),
                bytes(caches.l3)
            ),
        ),
        ("backends", backends.join(" ")),
        ("backend", format!("{chosen} ({why})")),
        (
            "streaming stores",
            format!(
                "from {} read and written, out of place {}",
                bytes(streaming),
                chooser("HALFWAVE_STREAM_FROM")
            ),
        ),
        (
            "huge pages",
            format!(
                "asked for from {} in one array; transparent huge pages: {pages} {}",
                bytes(memory::huge_pages_from()),
                chooser("HALFWAVE_HUGE_PAGES_FROM")
            ),
        ),
        (
            "threads",
            format!(
                "from {} of memory touched, in pieces of at least {} {}",
                bytes(parallel::break_even()),
                bytes(parallel::grain()),
                chooser("HALFWAVE_SPLIT_FROM")
            ),
        ),
    ];
    let rows = lines.map(|(name, text)| vec![name.into(), text]);
    print(&table(&rows, 2))
}

/// Who chose a size that this environment variable can set.
fn chooser(variable: &str) -> String {
    match env::var_os(variable) {
        Some(_) => format!("(as {variable} says)"),
        None => format!("({variable}=BYTES chooses another)"),
    }
}

/// The CPU's name, as its maker gives it.
fn cpu() -> String {
    #[cfg(target_arch = "x86_64")]
    if let Some(brand) = raw_cpuid::CpuId::new().get_processor_brand_string() {
        return brand.as_str().trim().into();
    }
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let name = fields.find(|(key, _)| ["model name", "Model"].contains(&key.trim()));
    name.map_or("unknown".into(), |(_, value)| value.trim().into())
}

/// Linux's setting: `always`, `madvise` or `never`.
fn transparent_huge_pages() -> Option<String> {
    let setting = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
    let (_, rest) = setting.split_once('[')?;
    Some(rest.split_once(']')?.0.into())
}
