//! Where results go: beside the target until they are whole, then in its place.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use tempfile::NamedTempFile;

use crate::signals;

/// An output that is being written. Dropped before [`commit`], it leaves no trace.
pub struct Output {
    name: String,
    sink: Sink,
}

enum Sink {
    /// Standard output, a pipe or a device: nothing that could be lost.
    Stream(Box<dyn Write + Send>),
    File {
        temporary: NamedTempFile,
        target: PathBuf,
    },
}

impl Output {
    /// Prepares to write binary data to standard output.
    pub fn stdout() -> Result<Self> {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            bail!("standard output is a terminal, and the result is binary; pipe or redirect it");
        }
        Ok(Self {
            name: "standard output".into(),
            sink: Sink::Stream(Box::new(stdout)),
        })
    }

    /// Prepares to create or replace the file at `path`, or the one that a symbolic link there
    /// stands for, whether that exists or not.
    pub fn create(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let replaced = match fs::metadata(path) {
            Ok(metadata) => Some(metadata),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(failed(&name, e)),
        };
        let sink = match replaced {
            Some(metadata) if metadata.is_dir() => {
                bail!("{name}: it is a directory; name a file in it")
            }
            Some(metadata) if is_stream(&metadata) => {
                let file = OpenOptions::new().write(true).open(path);
                Sink::Stream(Box::new(file.map_err(|e| failed(&name, e))?))
            }
            Some(metadata) if !metadata.is_file() => {
                bail!("{name}: it is no regular file; choose another name")
            }
            // A rename would replace it all the same: it asks the folder for permission, not the
            // file.
            Some(metadata) if metadata.permissions().readonly() => bail!(
                "{name}: it is read-only and would be replaced; make it writable (chmod u+w), or \
                 choose another name"
            ),
            replaced => {
                let target = resolve(path).map_err(|e| failed(&name, e))?;
                let temporary = temporary_beside(&target, replaced.is_none(), &name)?;
                if let Some(metadata) = replaced {
                    inherit(&temporary, &metadata).map_err(|e| failed(&name, e))?;
                }
                Sink::File { temporary, target }
            }
        };
        Ok(Self { name, sink })
    }

    /// Writes all of `bytes`.
    pub fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(|e| self.failed(e))
    }

    /// A file without a name in the same place, for what has to wait: gone when it is dropped, or
    /// the process is killed.
    pub fn spool(&self) -> Result<File> {
        match &self.sink {
            Sink::Stream(_) => tempfile::tempfile(),
            Sink::File { target, .. } => tempfile::tempfile_in(folder(target)),
        }
        .map_err(|e| self.failed(e))
    }

    /// What to say when it, or its [`spool`](Output::spool), cannot be written.
    pub fn failed(&self, e: io::Error) -> Error {
        failed(&self.name, e)
    }

    /// Puts it on the disk, so that not even a power cut leaves half of it under the target's name.
    fn sync(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Stream(stream) => stream.flush(),
            Sink::File { temporary, .. } => temporary.as_file().sync_all(),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Stream(stream) => stream.write(bytes),
            Sink::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Stream(stream) => stream.flush(),
            Sink::File { temporary, .. } => temporary.flush(),
        }
    }
}

/// Puts results in their places: all of them, once each is whole.
pub fn commit(mut outputs: Vec<Output>) -> Result<()> {
    for output in &mut outputs {
        output.sync().map_err(|e| output.failed(e))?;
    }
    let mut progress = signals::progress();
    for Output { name, sink } in outputs {
        if let Sink::File { temporary, target } = sink {
            let placed = temporary.persist(target);
            placed.map_err(|e| failed(&name, e.error))?;
        }
    }
    progress.complete = true;
    Ok(())
}

/// The path that symbolic links at `path` lead to. There may be no file there.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    // As many as Linux follows.
    const LINKS: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let Ok(link) = fs::read_link(&path) else {
            return Ok(path);
        };
        path = folder(&path).join(link);
    }
    Err(io::Error::other("too many symbolic links"))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// A new file `.NAME.halfwave-XXXXXX` in the target's folder: only there can a rename put it in
/// place whole. It is private unless `public`, which gives it what any new file gets.
fn temporary_beside(target: &Path, public: bool, name: &str) -> Result<NamedTempFile> {
    let folder = folder(target);
    if !folder.is_dir() {
        let folder = folder.display();
        bail!("{name}: there is no folder {folder}; create that folder first");
    }
    // Cut, because there is a limit to a name's length, and the target may be near it.
    let stem = target.file_name().unwrap_or_default().to_string_lossy();
    let stem: String = stem.chars().take(40).collect();
    let prefix = format!(".{stem}.halfwave-");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix);
    #[cfg(unix)]
    if public {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666)); // less the umask
    }
    #[cfg(not(unix))]
    let _ = public;

    signals::handle().context("signals cannot be handled")?;
    let mut progress = signals::progress();
    let temporary = builder.tempfile_in(folder).map_err(|e| {
        let folder = folder.display();
        anyhow!(
            "{name}: no temporary file can be created in {folder}: {e}; choose a folder you may \
             write to"
        )
    })?;
    progress.temporaries.push(temporary.path().into());
    Ok(temporary)
}

/// Gives the result the permissions and, where allowed, the owner of what it replaces.
fn inherit(temporary: &NamedTempFile, replaced: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        // Only root may give files away; for others the file becomes theirs.
        let _ = fchown(temporary, Some(replaced.uid()), Some(replaced.gid()));
    }
    temporary.as_file().set_permissions(replaced.permissions())
}

/// Whether it is a pipe or a character device, such as /dev/null: written to, never replaced.
fn is_stream(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        kind.is_fifo() || kind.is_char_device()
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

fn failed(name: &str, e: io::Error) -> Error {
    let remedy = match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room there, or choose another place"
        }
        ErrorKind::FileTooLarge => "raise the limit on file sizes (ulimit -f)",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a place you may write to"
        }
        ErrorKind::BrokenPipe => "its reader stopped before the end",
        _ => "check the path and the disk",
    };
    anyhow!("{name}: the result cannot be written: {e}; {remedy}; no file was changed")
}
