//! `halfwave apply` end to end, on files the tests make.

mod formats;
mod properties;
mod refusals;
#[cfg(unix)]
mod resources;
#[cfg(unix)]
mod safety;
mod support;
mod tensors;
