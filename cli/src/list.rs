//! `halfwave list`: the operations there are.

use anyhow::Result;
use halfwave::{Dtype, Op};
use serde_json::json;

use crate::human::{print, table};

/// List the operations: formula, parameters with their defaults, dtypes
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave list
  halfwave list --json | jq -r '.[].name'

A name from this list is what `halfwave apply`, `plot` and `bench` take as OP.")]
pub struct Args {
    /// Print JSON: an array of {name, formula, defaults, dtypes}
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    halfwave::backend()?;
    if args.json {
        let ops: Vec<_> = Op::all()
            .iter()
            .map(|&op| {
                json!({
                    "name": op.name(),
                    "formula": op.formula(),
                    "defaults": defaults(op),
                    "dtypes": dtypes(op),
                })
            })
            .collect();
        return print(&format!("{:#}\n", json!(ops)));
    }
    let head = ["operation", "formula", "defaults", "dtypes"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for &op in Op::all() {
        let defaults = defaults(op).unwrap_or("-".into());
        rows.push(vec![
            op.name().into(),
            op.formula().into(),
            defaults,
            dtypes(op).join(" "),
        ]);
    }
    print(&table(&rows, head.len()))
}

/// What an operation prints after its name: `slope=0.01`.
fn defaults(op: Op) -> Option<String> {
    let full = op.to_string();
    let parameters = full.strip_prefix(op.name())?.strip_prefix('(')?;
    Some(parameters.strip_suffix(')')?.into())
}

fn dtypes(op: Op) -> Vec<&'static str> {
    op.dtypes().iter().copied().map(Dtype::name).collect()
}
