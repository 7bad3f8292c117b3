//! `halfwave list`: the operations there are.

use anyhow::Result;
use halfwave::{Dtype, Op, Parameter};
use serde_json::json;

use crate::human::print;

/// List the operations: formula, parameters with their defaults and ranges, dtypes, derivatives
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  halfwave list
  halfwave list --json | jq -r '.[].name'

What `halfwave apply`, `plot` and `bench` take as OP is a name from this list, relu, or one
with parameters, 'clip(min=0, max=6)'; those left out have the defaults that are listed.
`backward from x` is the derivative from the input; `or y`, also from the output, with the
default parameters.")]
pub struct Args {
    /// Print JSON: an array of {name, formula, parameters: [{name, default, min, max, least}], dtypes,
    /// backward, backward_from_output}; a min or max of null is infinite, least is the smallest magnitude
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    halfwave::backend()?;
    if args.json {
        let ops: Vec<_> = Op::all().iter().map(|&op| as_json(op)).collect();
        return print(&format!("{:#}\n", json!(ops)));
    }
    let names = Op::all().iter().map(|op| op.name().len());
    let width = names.max().unwrap_or_default() + 2;
    let text: String = Op::all().iter().map(|&op| entry(op, width)).collect();
    print(&text)
}

/// An operation's lines: its name and formula, then what else there is to say.
fn entry(op: Op, width: usize) -> String {
    let mut text = format!("{:width$}{}\n", op.name(), op.formula());
    let mut line = |said: &str| text += &format!("{:width$}{said}\n", "");
    for parameter in op.parameters() {
        let default = number(parameter.default);
        line(&format!(
            "{}={default}, {}",
            parameter.name,
            range(parameter)
        ));
    }
    let sources = match (backward(op), op.has_backward_from_output::<f32>()) {
        (true, true) => "; backward from x or y",
        (true, false) => "; backward from x",
        (false, _) => "",
    };
    let dtypes = dtypes(op).join(" ");
    if width + dtypes.len() + sources.len() <= 80 {
        line(&format!("{dtypes}{sources}"));
    } else {
        line(&format!("{dtypes};"));
        line(sources.trim_start_matches("; "));
    }
    text
}

/// What values a parameter may have, in words.
fn range(
    &Parameter {
        min, max, least, ..
    }: &Parameter,
) -> String {
    let [low, high, nearest] = [min, max, least].map(number);
    match (min, max) {
        _ if min < 0.0 && least > 0.0 => format!("{low} to {high}, at least {nearest} from 0"),
        (f64::NEG_INFINITY, f64::INFINITY) => "any number".into(),
        (f64::MIN, f64::MAX) => "finite".into(),
        (_, f64::MAX) if min == f64::from_bits(1) => "finite, above 0".into(),
        (_, f64::INFINITY) => format!("{low} or more"),
        (_, f64::MAX) => format!("{low} or more, finite"),
        (f64::NEG_INFINITY, _) => format!("{high} or less"),
        (f64::MIN, _) => format!("{high} or less, finite"),
        _ => format!("{low} to {high}"),
    }
}

/// As `{x}`, but 1e30 for its thirty zeros.
fn number(x: f64) -> String {
    let text = format!("{x:?}");
    text.strip_suffix(".0").unwrap_or(&text).into()
}

fn as_json(op: Op) -> serde_json::Value {
    let parameters = op.parameters().iter().map(|parameter| {
        let &Parameter {
            name,
            default,
            min,
            max,
            least,
        } = parameter;
        json!({"name": name, "default": default, "min": min, "max": max, "least": least})
    });
    json!({
        "name": op.name(),
        "formula": op.formula(),
        "parameters": parameters.collect::<Vec<_>>(),
        "dtypes": dtypes(op),
        "backward": backward(op),
        "backward_from_output": op.has_backward_from_output::<f32>(),
    })
}

/// Whether it has a derivative, on the float dtypes.
fn backward(op: Op) -> bool {
    op.backward::<f64>(&[], &[], &mut []).is_ok()
}

fn dtypes(op: Op) -> Vec<&'static str> {
    op.dtypes().iter().copied().map(Dtype::name).collect()
}
