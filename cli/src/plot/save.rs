//! Pictures on disk: the whole new file, or the old one untouched.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::figure::{Figure, Format};

/// A place for a picture, known to be good before the work that draws it begins.
#[derive(Clone, Debug)]
pub struct Output {
    path: PathBuf,
    format: Format,
}

impl Output {
    /// # Errors
    /// If the extension is of no known format, or there can be no file of this name.
    pub fn new(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default();
        let format = match extension.to_ascii_lowercase().to_str() {
            Some("svg") => Format::Svg,
            Some("png") => Format::Png,
            _ => bail!(
                "{}: unknown picture format {extension:?}; end the name in .svg or .png",
                path.display()
            ),
        };
        if path.is_dir() {
            bail!("{} is a directory; give a file name", path.display());
        }
        let folder = folder(path);
        if !folder.is_dir() {
            bail!(
                "{}: there is no directory {}; create it first",
                path.display(),
                folder.display()
            );
        }
        Ok(Self {
            path: path.into(),
            format,
        })
    }

    /// Writes `figure`, replacing a file of this name only by a complete new one, and says so on
    /// standard error.
    pub fn save(&self, figure: &Figure, size: (u32, u32)) -> Result<()> {
        let picture = figure.render(self.format, size)?;
        self.write(&picture).with_context(|| {
            format!(
                "cannot write {}; choose a place you may write to, with room for {} bytes",
                self.path.display(),
                picture.len()
            )
        })?;
        eprintln!("wrote {}", self.path.display());
        Ok(())
    }

    fn write(&self, picture: &[u8]) -> Result<()> {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // As any new file; a temporary one would be for its owner's eyes only.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder(&self.path))?;
        file.write_all(picture)?;
        if let Ok(old) = fs::metadata(&self.path) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.persist(&self.path)?;
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
