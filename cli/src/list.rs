use anyhow::Result;

/// (about list)
#[derive(clap::Args)]
pub struct Args {}

pub fn run(_: Args) -> Result<()> {
    anyhow::bail!("not written yet")
}
