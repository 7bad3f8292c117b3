//! `halfwave`: apply, plot and measure activation functions from the command line.
#![forbid(unsafe_code)]

mod apply;
mod bench;
mod dtype;
mod human;
mod info;
mod list;
mod output;
mod plot;
mod signals;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// SIMD activation functions for the CPU: exact, and at the speed of memory
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Apply(apply::Args),
    Plot(plot::Args),
    Bench(bench::Args),
    Verify(verify::Args),
    Info(info::Args),
    List(list::Args),
}

fn run(command: Command) -> anyhow::Result<()> {
    halfwave::memory::check_environment()?;
    match command {
        Command::Apply(args) => apply::run(args),
        Command::Plot(args) => plot::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Verify(args) => verify::run(args),
        Command::Info(args) => info::run(args),
        Command::List(args) => list::run(args),
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<clap::Error>() {
            Ok(usage) => usage.exit(),
            Err(error) => {
                eprintln!("halfwave: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}
