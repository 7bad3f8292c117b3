//! What a signal leaves behind: the file that was being written gone, or whole.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far the outputs are.
#[derive(Default)]
pub struct Progress {
    /// The temporary files that hold what there is.
    pub temporaries: Vec<PathBuf>,
    /// Whether all stand in their places.
    pub complete: bool,
}

static PROGRESS: Mutex<Progress> = Mutex::new(Progress {
    temporaries: Vec::new(),
    complete: false,
});

/// Held while the progress changes: a signal comes before the change or after it.
pub fn progress() -> MutexGuard<'static, Progress> {
    PROGRESS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Undoes what is half done, and says what that leaves.
#[cfg_attr(not(unix), allow(dead_code))]
fn undo(progress: &Progress) -> &'static str {
    if progress.complete {
        return "the output is complete";
    }
    for path in &progress.temporaries {
        let _ = fs::remove_file(path);
    }
    "no file was changed"
}

/// From now on, SIGINT, SIGTERM and SIGHUP remove the temporary files before they end the process,
/// which no destructor would. Against SIGKILL there is no help: it leaves the temporary files, and
/// the targets as they were.
#[cfg(unix)]
pub fn handle() -> std::io::Result<()> {
    use std::sync::Once;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    static ONCE: Once = Once::new();
    let mut outcome = Ok(());
    ONCE.call_once(|| {
        let ignored = ignored();
        let wanted = [SIGINT, SIGTERM, SIGHUP].map(|signal| (signal, ignored >> (signal - 1) & 1));
        let wanted = wanted.iter().filter(|(_, ignored)| *ignored == 0);
        outcome = Signals::new(wanted.map(|(signal, _)| signal)).and_then(|mut signals| {
            let wait = move || {
                for signal in &mut signals {
                    // Kept to the end: nothing may be put in place after the words to the user.
                    let progress = progress();
                    eprintln!("halfwave: interrupted; {}", undo(&progress));
                    let _ = emulate_default_handler(signal);
                }
            };
            let thread = std::thread::Builder::new().name("signals".into());
            thread.spawn(wait).map(drop)
        });
    });
    outcome
}

/// The signals that are ignored, as `nohup` and shells have it for what they put in the background,
/// and that must stay so: bit 0 is signal 1. Only Linux can be asked in safe Rust.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// Elsewhere an interrupted process leaves its temporary file behind.
#[cfg(not(unix))]
pub fn handle() -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_half_done_is_undone() {
        let folder = tempfile::tempdir().unwrap();
        let temporaries = ["a", "b"].map(|name| folder.path().join(name)).to_vec();
        for path in &temporaries {
            fs::write(path, "half").unwrap();
        }
        let there = || fs::read_dir(folder.path()).unwrap().count();
        let unchanged = "no file was changed";
        assert_eq!(undo(&Progress::default()), unchanged);
        let mut progress = Progress {
            temporaries,
            complete: true,
        };
        assert_eq!(undo(&progress), "the output is complete");
        assert_eq!(there(), 2);
        progress.complete = false;
        assert_eq!(undo(&progress), unchanged);
        assert_eq!(there(), 0);
    }
}
