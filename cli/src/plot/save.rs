//! Pictures on disk.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::figure::{Figure, Format};
use crate::output::{self, Output};

/// A place for a picture, known to be good before the work that draws it begins.
pub struct Picture {
    path: PathBuf,
    format: Format,
    output: Output,
}

impl Picture {
    /// # Errors
    /// If the extension is of no known format, or there can be no file of this name.
    pub fn create(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default();
        let format = match extension.to_ascii_lowercase().to_str() {
            Some("svg") => Format::Svg,
            Some("png") => Format::Png,
            _ => bail!(
                "{}: unknown picture format {extension:?}; end the name in .svg or .png",
                path.display()
            ),
        };
        Ok(Self {
            path: path.into(),
            format,
            output: Output::create(path)?,
        })
    }

    /// Draws `figure` and puts it in place, and says so on standard error.
    pub fn save(mut self, figure: &Figure, size: (u32, u32)) -> Result<()> {
        self.output.put(&figure.render(self.format, size)?)?;
        output::commit(vec![self.output])?;
        eprintln!("wrote {}", self.path.display());
        Ok(())
    }
}
