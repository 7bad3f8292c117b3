//! The kernels held to the contract, on every backend this CPU runs.

mod arithmetic;
mod common;
mod edges;
#[cfg(unix)]
mod guard;
mod integers;
mod lengths;
