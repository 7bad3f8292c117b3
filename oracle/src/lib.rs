#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod big;
mod float;
mod format;
mod functions;
mod series;
mod truth;

pub use big::Big;
pub use format::Format;
pub use truth::{Truth, truth, truth_to_round};
