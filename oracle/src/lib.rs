#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod big;
mod bounded;
mod double_double;
mod doubt;
mod float;
mod format;
mod functions;
mod pair;
mod series;
mod settings;
mod truth;

pub use big::Big;
pub use format::Format;
pub use settings::{branches, settings};
pub use truth::{Formula, Truth, limit, truth, truth_for, truth_in_f64, truth_to_round};
