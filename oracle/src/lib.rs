#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod big;
mod float;
mod format;
mod functions;
mod series;
mod settings;
mod truth;

pub use big::Big;
pub use format::Format;
pub use settings::{branches, settings};
pub use truth::{Truth, truth, truth_to_round};
