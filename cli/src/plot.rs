use anyhow::Result;

/// (about plot)
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> Result<()> {
    anyhow::bail!("not written yet")
}
