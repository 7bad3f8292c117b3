//! What happens to files when all goes well, when the disk is full, and when the program is killed.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Folder, npy, npy_f32, stderr};

#[test]
fn in_place_keeps_permissions_and_leaves_nothing_behind() {
    for (mode, args) in [(0o640, "x.npy --in-place"), (0o755, "x.npy -o x.npy")] {
        let folder = Folder::new();
        folder.write("x.npy", &npy_f32(&[-1.0, 1.0]));
        fs::set_permissions(folder.path("x.npy"), Permissions::from_mode(mode)).unwrap();
        folder.succeed(args);
        assert_eq!(folder.read_f32("x.npy"), [0.0, 1.0], "{args}");
        let after = fs::metadata(folder.path("x.npy")).unwrap();
        assert_eq!(after.mode() & 0o7777, mode, "{args}");
        assert_eq!(folder.names(), ["x.npy"], "{args}");
    }
}

#[test]
fn a_new_file_is_as_private_as_any_other() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[1.0]));
    folder.succeed("x.npy -o y.npy");
    let mode = |name| fs::metadata(folder.path(name)).unwrap().mode();
    assert_eq!(mode("y.npy"), mode("x.npy"));
}

#[test]
fn in_place_keeps_the_owner() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[1.0]));
    if let Err(e) = std::os::unix::fs::chown(folder.path("x.npy"), Some(12345), Some(12346)) {
        return eprintln!("skipped: files cannot be given away here ({e})");
    }
    folder.succeed("x.npy --in-place");
    let after = fs::metadata(folder.path("x.npy")).unwrap();
    assert_eq!((after.uid(), after.gid()), (12345, 12346));
}

#[test]
fn a_link_stays_a_link() {
    let folder = Folder::new();
    folder.write("real.npy", &npy_f32(&[-1.0]));
    symlink("real.npy", folder.path("x.npy")).unwrap();
    folder.succeed("x.npy --in-place");
    assert!(folder.path("x.npy").is_symlink());
    assert_eq!(folder.read_f32("real.npy"), [0.0]);
}

#[test]
fn a_link_to_nothing_yet_stays_a_link() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0]));
    fs::create_dir(folder.path("sub")).unwrap();
    // Relative to where the link stands.
    symlink("link.npy", folder.path("y.npy")).unwrap();
    symlink("sub/real.npy", folder.path("link.npy")).unwrap();
    folder.succeed("x.npy -o y.npy");
    assert!(folder.path("y.npy").is_symlink() && folder.path("link.npy").is_symlink());
    assert!(!folder.path("sub/real.npy").is_symlink());
    assert_eq!(folder.read_f32("sub/real.npy"), [0.0]);

    symlink("round.npy", folder.path("round.npy")).unwrap();
    let said = folder.fail(1, "x.npy -o round.npy");
    assert!(
        said.contains("round.npy: ") && said.contains("symbolic links"),
        "{said}"
    );
}

#[test]
fn a_read_only_target_is_refused() {
    let folder = Folder::new();
    let x = npy_f32(&[-1.0]);
    folder.write("x.npy", &x);
    folder.write("y.npy", b"precious");
    for name in ["x.npy", "y.npy"] {
        fs::set_permissions(folder.path(name), Permissions::from_mode(0o444)).unwrap();
    }
    for args in ["x.npy --in-place", "x.npy -o y.npy"] {
        let said = folder.fail(1, args);
        assert!(
            said.contains("read-only") && said.contains("chmod u+w"),
            "{said}"
        );
    }
    assert_eq!(folder.read("x.npy"), x);
    assert_eq!(folder.read("y.npy"), b"precious");
    assert_eq!(folder.names(), ["x.npy", "y.npy"]);
}

#[test]
fn a_folder_that_refuses_new_files() {
    // Not even root may create files there.
    if !fs::metadata("/proc/self").is_ok_and(|proc| proc.is_dir()) {
        return eprintln!("skipped: there is no /proc");
    }
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0]));
    let said = folder.fail(1, "x.npy -o /proc/y.npy");
    assert!(
        said.contains("/proc/y.npy: no temporary file can be created in /proc")
            && said.contains("may write to"),
        "{said}"
    );
}

#[test]
fn an_input_that_may_not_be_read() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0]));
    fs::set_permissions(folder.path("x.npy"), Permissions::from_mode(0o000)).unwrap();
    // Root may read it, so another has to run the program, from where that one may.
    let mut command = if fs::read(folder.path("x.npy")).is_ok() {
        fs::set_permissions(folder.path(""), Permissions::from_mode(0o777)).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_halfwave"), folder.path("halfwave")).unwrap();
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        let mut setpriv = Command::new("setpriv");
        setpriv.args(nobody).current_dir(folder.path(""));
        let probe = setpriv.args(["./halfwave", "--version"]).output();
        if !probe.is_ok_and(|output| output.status.success()) {
            return eprintln!("skipped: root may read any file, and no setpriv leaves root");
        }
        let mut setpriv = Command::new("setpriv");
        setpriv.args(nobody).current_dir(folder.path(""));
        setpriv.args(["./halfwave", "apply", "relu", "x.npy", "-o", "y.npy"]);
        setpriv
    } else {
        folder.relu(["x.npy", "-o", "y.npy"])
    };
    let output = command.output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("x.npy: Permission denied") && said.contains("permission to read it"),
        "{said}"
    );
    assert!(!folder.path("y.npy").exists());
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0]));
    folder.succeed("x.npy -o /dev/null");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    if fs::metadata("/dev/full").is_err() {
        return eprintln!("skipped: there is no /dev/full");
    }
    let said = folder.fail(1, "x.npy -o /dev/full");
    assert!(
        said.contains("/dev/full: ") && said.contains("make room"),
        "{said}"
    );
}

#[test]
fn a_pipe_that_closes_early() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&vec![1.0; 1 << 20]));
    let mut command = folder.relu(["x.npy", "-o", "-"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("its reader stopped"),
        "{}",
        stderr(&output)
    );
}

/// A file system of one MiB, gone when dropped.
struct TinyDisk<'a>(&'a Folder);

impl<'a> TinyDisk<'a> {
    /// Mounted at `tiny` in `folder`.
    fn mount(folder: &'a Folder) -> Option<Self> {
        fs::create_dir(folder.path("tiny")).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]);
        let output = mount.arg(folder.path("tiny")).output().ok()?;
        output.status.success().then(|| Self(folder))
    }
}

impl Drop for TinyDisk<'_> {
    fn drop(&mut self) {
        let path = self.0.path("tiny");
        let status = Command::new("umount").arg(path).status();
        assert!(status.is_ok_and(|status| status.success()));
    }
}

#[test]
fn a_full_disk() {
    let folder = Folder::new();
    let Some(disk) = TinyDisk::mount(&folder) else {
        return eprintln!("skipped: no file system can be mounted here");
    };
    folder.write("x.npy", &npy_f32(&vec![1.0; 1 << 20]));
    folder.write("tiny/y.npy", b"precious");
    let said = folder.fail(1, "x.npy -o tiny/y.npy");
    assert!(
        said.contains("tiny/y.npy: the result cannot be written: No space left"),
        "{said}"
    );
    assert!(
        said.contains("make room there") && said.contains("no file was changed"),
        "{said}"
    );
    assert_eq!(folder.read("tiny/y.npy"), b"precious");
    assert_eq!(fs::read_dir(folder.path("tiny")).unwrap().count(), 1);
    drop(disk);
}

#[test]
fn a_limit_on_file_sizes() {
    let folder = Folder::new();
    let x = npy_f32(&vec![-1.0; 1 << 20]);
    folder.write("x.npy", &x);
    // The signal that comes with the limit ends a program unless it is ignored.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" apply relu x.npy --in-place";
    let mut sh = Command::new("sh");
    sh.args(["-c", script, env!("CARGO_BIN_EXE_halfwave")]);
    let output = sh.current_dir(folder.path("")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("x.npy: the result cannot be written") && said.contains("ulimit -f"),
        "{said}"
    );
    assert!(folder.read("x.npy") == x);
    assert_eq!(folder.names(), ["x.npy"]);
}

/// Runs until two chunks of four have been written from a pipe into `y.npy`, as a shell starts it
/// after `before`.
fn half_way(folder: &Folder, before: &str) -> Child {
    half_way_with(folder, before, "")
}

/// The same with more options.
fn half_way_with(folder: &Folder, before: &str, options: &str) -> Child {
    folder.write("y.npy", b"precious");
    let n = CHUNKS * (4 << 20) / 4;
    let header = npy(1, "'<f4'", false, &format!("({n},)"), &[]);
    let mut sh = Command::new("sh");
    sh.args([
        "-c",
        &format!("{before} exec \"$0\" apply relu - -o y.npy {options}"),
    ]);
    let mut child = sh
        .arg(env!("CARGO_BIN_EXE_halfwave"))
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdin = child.stdin.as_mut().unwrap();
    stdin.write_all(&header).unwrap();
    stdin.write_all(&vec![0xbf; SENT]).unwrap();
    let start = Instant::now();
    while written(folder) < 8 << 20 {
        assert!(start.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(5));
    }
    child
}

const CHUNKS: usize = 4;
/// Two chunks and a part.
const SENT: usize = 9 << 20;

/// By the shell's own `kill`, which is everywhere.
fn send(signal: &str, child: &Child) {
    let kill = ["-c", "kill \"$0\" \"$1\"", signal, &child.id().to_string()];
    assert!(Command::new("sh").args(kill).status().unwrap().success());
}

/// The length of the temporary file for `y.npy`; 0 while there is none.
fn written(folder: &Folder) -> u64 {
    let names = folder.names();
    let mut names = names.iter();
    let temporary = names.find(|name| name.starts_with(".y.npy.halfwave-"));
    temporary.map_or(0, |name| fs::metadata(folder.path(name)).unwrap().len())
}

/// Whether whoever started this test ignores the signal, which the program then rightly does too.
fn inherits_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    mask >> (signal - 1) & 1 == 1
}

#[test]
fn a_signal_half_way_leaves_everything_as_it_was() {
    for (signal, number) in [("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        if inherits_ignored(number) {
            eprintln!(
                "skipped: SIG{} is ignored here, under nohup or in a shell's background",
                &signal[1..]
            );
            continue;
        }
        let folder = Folder::new();
        let mut child = half_way(&folder, "");
        send(signal, &child);
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        // It ends as the signal would have ended it: for a shell, with 128 + its number.
        assert_eq!(output.status.signal(), Some(number), "{signal}");
        let said = stderr(&output);
        assert!(said.contains("interrupted; no file was changed"), "{said}");
        assert_eq!(folder.read("y.npy"), b"precious", "{signal}");
        assert_eq!(folder.names(), ["y.npy"], "{signal}");
    }
}

#[test]
fn a_signal_half_way_takes_back_both_of_two_outputs() {
    if inherits_ignored(15) {
        return eprintln!("skipped: SIGTERM is ignored here, in a shell's background");
    }
    let folder = Folder::new();
    folder.write("y.npz", b"precious");
    let mut child = half_way_with(&folder, "", "--compact y.npz");
    assert_eq!(folder.names().len(), 4, "each has its temporary file");
    send("-TERM", &child);
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.signal(), Some(15));
    for name in ["y.npy", "y.npz"] {
        assert_eq!(folder.read(name), b"precious");
    }
    assert_eq!(folder.names(), ["y.npy", "y.npz"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let folder = Folder::new();
    let mut child = half_way(&folder, "trap '' HUP;"); // as nohup does
    send("-HUP", &child);
    let rest = CHUNKS * (4 << 20) - SENT;
    // Were it not ignored, the pipe would have no reader any more.
    sleep(Duration::from_millis(100));
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&vec![0xbf; rest]).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(folder.read_f32("y.npy").len(), CHUNKS << 20);
    assert_eq!(folder.names(), ["y.npy"]);

    if inherits_ignored(15) {
        eprintln!("skipped: SIGTERM is ignored here, in a shell's background");
        return;
    }
    let mut child = half_way(&folder, "trap '' HUP;");
    send("-TERM", &child);
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.signal(), Some(15), "the others are handled");
}

#[test]
fn even_a_kill_half_way_spares_the_target() {
    let folder = Folder::new();
    let mut child = half_way(&folder, "");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(folder.read("y.npy"), b"precious");
    // Nobody is left to remove the temporary file, but its name says whose it is.
    let names = folder.names();
    assert!(
        names.len() == 2 && names[0].starts_with(".y.npy.halfwave-"),
        "{names:?}"
    );
}

#[test]
fn a_pipe_that_ends_half_way() {
    let folder = Folder::new();
    let mut child = half_way(&folder, "");
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("promises 16777216 bytes of data and 9437184 are there"),
        "{said}"
    );
    assert_eq!(folder.read("y.npy"), b"precious");
    assert_eq!(folder.names(), ["y.npy"]);
}
