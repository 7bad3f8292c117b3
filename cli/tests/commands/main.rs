//! The other commands end to end: `plot`, `bench`, `verify`, `info` and `list`.

mod bench;
mod info;
mod plot;
mod verify;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::tempdir;

/// `halfwave ARGS`, with the backend it chooses by itself.
fn halfwave(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
    command.current_dir(folder).args(args);
    command.env_remove("HALFWAVE_ISA").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs `halfwave COMMAND ARGS -o y.svg` where `y.svg` is already, and expects it refused for the
/// reasons given, leaving all as it was.
#[track_caller]
fn refused(command: &str, args: &[&str], reasons: &[&str]) {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("y.svg"), "mine").unwrap();
    let args = [&[command, "-o", "y.svg"], args].concat();
    let out = halfwave(folder.path(), &args);
    assert!([Some(1), Some(2)].contains(&out.status.code()), "{args:?}");
    for reason in reasons {
        assert!(text(&out.stderr).contains(reason), "{}", text(&out.stderr));
    }
    assert_eq!(fs::read(folder.path().join("y.svg")).unwrap(), b"mine");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
