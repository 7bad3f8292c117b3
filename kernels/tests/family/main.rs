//! Every operation of the table against its oracle, on every backend this CPU runs: a new row is
//! tested without a word here.

mod agreement;
mod backward;
mod case;
mod exhaustive;
mod forward;
mod halves;
mod microcode;
mod number;
mod parameters;
mod precise;
