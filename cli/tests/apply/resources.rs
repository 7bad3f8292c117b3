//! What it takes of the machine, and what it shows on a terminal.

use std::fs::File;
use std::process::{Command, Stdio};

use crate::support::{Folder, npy, npy_f32, stderr};

#[test]
fn memory_does_not_grow_with_the_file() {
    // Unoptimised, the arithmetic takes a hundred times as long.
    let size: u64 = if cfg!(debug_assertions) {
        512 << 20
    } else {
        4 << 30
    };
    let folder = Folder::in_memory();
    let file = File::create(folder.path("x.bin")).unwrap();
    file.set_len(size).unwrap();
    let script =
        "ulimit -v 262144; exec \"$0\" apply relu x.bin --dtype f32 -o /dev/null --threads 2";
    let mut sh = Command::new("sh");
    sh.args(["-c", script, env!("CARGO_BIN_EXE_halfwave")]);
    let output = sh.current_dir(folder.path("")).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with(" 100.0 % zeros\n"), "{said}");
}

/// All elements are kept: in memory they and their indices would be 320 MiB.
#[test]
fn memory_does_not_grow_with_what_is_compacted() {
    let n: u64 = 64 << 20;
    let folder = Folder::in_memory();
    let header = npy(1, "'|i1'", false, &format!("({n},)"), &[]);
    folder.write("x.npy", &header);
    let file = File::options().write(true).open(folder.path("x.npy"));
    file.unwrap().set_len(header.len() as u64 + n).unwrap();
    let script = "ulimit -v 262144; exec \"$0\" apply 'clip(min=1)' x.npy --stats --compact y.npz \
                  --threads 2";
    let mut sh = Command::new("sh");
    sh.args(["-c", script, env!("CARGO_BIN_EXE_halfwave")]);
    let output = sh.current_dir(folder.path("")).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.ends_with(" 0.0 % zeros\n"), "{said}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("non-zeros   67,108,864  100.0 %"), "{said}");
    let length = std::fs::metadata(folder.path("y.npz")).unwrap().len();
    assert!((5 * n..5 * n + 1500).contains(&length), "{length}");
}

#[test]
fn a_bar_on_a_terminal_and_nowhere_else() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&vec![-1.0; 3 << 20]));
    assert_eq!(folder.succeed("x.npy -o y.npy").lines().count(), 1);

    // Gives what it runs a terminal, and passes on what appears there.
    let on_a_terminal = |options: &str| {
        let halfwave = env!("CARGO_BIN_EXE_halfwave");
        let command = format!("'{halfwave}' apply relu x.npy -o y.npy {options}");
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &command, "/dev/null"]);
        script.env("TERM", "xterm").current_dir(folder.path(""));
        let output = script.stdin(Stdio::null()).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{shown}");
        shown
    };
    let version = Command::new("script").arg("--version").output();
    let util_linux =
        |output: std::process::Output| output.stdout.windows(10).any(|w| w == b"util-linux");
    if !version.is_ok_and(util_linux) {
        return eprintln!("skipped: no script of util-linux makes a terminal");
    }
    let shown = on_a_terminal("");
    assert!(shown.contains("/12.00 MiB"), "{shown}");
    // It is wiped away before the last line.
    let (bar, last) = shown.rsplit_once("\x1b[2K").unwrap();
    assert!(bar.contains('█') && !last.contains('█'), "{shown}");
    assert!(last.starts_with("3,145,728 f32 in "), "{shown}");
    assert_eq!(on_a_terminal("--quiet"), "");
}
