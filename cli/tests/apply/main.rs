//! `halfwave apply` end to end, on files the tests make.

mod formats;
mod refusals;
#[cfg(unix)]
mod safety;
mod support;
mod tensors;
