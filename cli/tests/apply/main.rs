//! `halfwave apply` end to end, on files the tests make.

mod compact;
mod formats;
mod operations;
mod properties;
mod refusals;
#[cfg(unix)]
mod resources;
#[cfg(unix)]
mod safety;
mod stats;
mod support;
mod tensors;
