//! `halfwave bench`, from the command line to the figures.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crate::{halfwave, refused, text};
use serde_json::Value;
use tempfile::tempdir;

fn bench(folder: &Path, args: &[&str]) -> Output {
    halfwave(folder, &[&["bench"], args].concat())
}

#[track_caller]
fn stdout(args: &[&str]) -> String {
    let out = bench(Path::new("."), &[args, &["--seconds=0.05"]].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stderr), "", "no progress bar off a terminal");
    text(&out.stdout)
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn the_table_has_a_row_for_each_size() {
    let table = stdout(&["relu", "--sizes", "1000,64Ki,2^12"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("relu f32, out of place, "), "{table}");
    assert!(lines[2].contains("relu GB/s") && lines[2].contains("stream_copy GB/s"));
    let sizes: Vec<&str> = lines[3..]
        .iter()
        .map(|l| l.split_whitespace().nth(1).unwrap())
        .collect();
    assert_eq!(sizes, ["1000", "65536", "4096"]);
    for line in &lines[3..] {
        // level, elements, touched in two words, then three rates, elements/ns, of limit
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words.len(), 9, "{line}");
        for (i, figure) in words.iter().enumerate().skip(4) {
            let figure: f64 = figure.parse().unwrap();
            // Where nothing is optimised, the share of the limit is zero to two digits.
            let may_vanish = cfg!(debug_assertions) && i == 8;
            assert!(figure > 0.0 || may_vanish && figure == 0.0, "{line}");
        }
    }
}

#[test]
fn json_figures_agree_with_one_another() {
    for (dtype, size) in [
        ("f32", 4),
        ("f64", 8),
        ("f16", 2),
        ("bf16", 2),
        ("i8", 1),
        ("i64", 8),
        ("u8", 1),
        ("u64", 8),
    ] {
        let json = stdout(&["--json", "--sizes=10000", "--dtype", dtype]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(
            (&json["op"], &json["dtype"]),
            (&"relu".into(), &dtype.into())
        );
        let [row] = &json["sizes"].as_array().unwrap()[..] else {
            panic!("{json}")
        };
        assert_eq!(row["bytes_touched"], 2 * size * 10000);
        let (rate, per_ns) = (number(&row["gb_per_s"]), number(&row["elements_per_ns"]));
        assert!(
            (rate / per_ns / f64::from(2 * size) - 1.0).abs() < 1e-6,
            "{row}"
        );
        let limits = row["limits_gb_per_s"].as_object().unwrap();
        let best = limits.values().map(number).fold(0.0, f64::max);
        assert_eq!(limits.keys().collect::<Vec<_>>(), ["copy", "stream_copy"]);
        assert!(
            (rate / best / number(&row["of_limit"]) - 1.0).abs() < 1e-6,
            "{row}"
        );
    }
}

#[test]
fn in_place_on_two_threads_and_another_backend() {
    // Large enough to be shared.
    let args = [
        "--json",
        "--in-place",
        "--threads=2",
        "--backend=portable",
        "--sizes=1Mi",
    ];
    let json: Value = serde_json::from_str(&stdout(&args)).unwrap();
    assert_eq!(json["in_place"], true);
    assert_eq!(json["threads"], 2);
    assert_eq!(json["backend"], "portable");
    let row = &json["sizes"][0];
    assert_eq!(row["bytes_touched"], 4 << 20);
    assert!(number(&row["limits_gb_per_s"]["write_back"]) > 0.0);
}

#[test]
fn backward_reads_two_arrays_and_writes_one() {
    for threads in ["1", "2"] {
        let json = stdout(&[
            "leaky_relu(slope=0.2)",
            "--backward",
            "--json",
            "--sizes=1Mi",
            "--dtype=f64",
            "--threads",
            threads,
        ]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["op"], "leaky_relu(slope=0.2)");
        assert_eq!(
            (&json["backward"], &json["in_place"]),
            (&true.into(), &false.into())
        );
        let row = &json["sizes"][0];
        assert_eq!(row["bytes_touched"], 24 << 20);
        let (rate, per_ns) = (number(&row["gb_per_s"]), number(&row["elements_per_ns"]));
        assert!((rate / per_ns / 24.0 - 1.0).abs() < 1e-6, "{row}");
        for limit in ["copy", "stream_copy"] {
            assert!(number(&row["limits_gb_per_s"][limit]) > 0.0, "{row}");
        }
    }
    let table = stdout(&["relu6", "--backward", "--sizes=4096,7"]);
    assert!(table.starts_with("relu6 f32, backward, "), "{table}");
}

#[test]
fn every_operation_on_every_dtype_it_takes() {
    for op in halfwave::Op::all() {
        for dtype in halfwave::Dtype::ALL {
            let args = [
                op.name(),
                "--dtype",
                dtype.name(),
                "--sizes=64",
                "--seconds=0",
            ];
            let out = bench(Path::new("."), &args);
            let said = text(&out.stderr);
            if op.dtypes().contains(dtype) {
                assert!(out.status.success(), "{said}");
                assert!(
                    text(&out.stdout).starts_with(&format!("{op} {dtype}, ")),
                    "{op}"
                );
            } else {
                assert_eq!(out.status.code(), Some(1));
                assert!(
                    said.contains(&format!("{op} is not defined on {dtype}; it takes: f32")),
                    "{said}"
                );
            }
        }
    }
}

#[test]
fn a_plot_has_a_line_for_the_operation_and_each_limit() {
    let folder = tempdir().unwrap();
    let out = bench(
        folder.path(),
        &["--seconds=0", "--sizes=1Ki,4Ki,16Ki", "-o", "y.svg"],
    );
    assert!(out.status.success(), "{}", text(&out.stderr));
    let svg = fs::read_to_string(folder.path().join("y.svg")).unwrap();
    for name in ["relu f32", "copy", "stream_copy", "GB/s", "KiB", "L1 "] {
        assert!(svg.contains(name), "{name}");
    }
    for color in ["#0072B2", "#D55E00", "#009E73"] {
        let dots = svg
            .lines()
            .filter(|l| l.starts_with("<circle") && l.contains(color));
        assert_eq!(dots.count(), 3, "{color}");
    }
}

#[test]
fn bad_arguments_are_refused_by_value_and_remedy() {
    for (args, reasons) in [
        (&["rleu"][..], &["\"rleu\"", "relu"][..]),
        (&["--dtype", "f31"], &["f31", "bf16"]),
        (&["--sizes", "4k"], &["\"4k\"", "64Ki"]),
        (&["--sizes", "0"], &["0 elements"]),
        (&["--sizes", "2^62"], &["addresses"]),
        (&["--sizes", "2^44"], &["memory", "smaller --sizes"]),
        (&["--backend", "sse9"], &["\"sse9\"", "portable"]),
        (&["--threads", "0"], &["'0'", "1 to 1024"]),
        (&["--seconds=-1"], &["-1", "3600"]),
        (
            &["leaky_relu", "--dtype=i8"],
            &["not defined on i8", "f32 f64 f16 bf16"],
        ),
        (
            &["--backward", "--dtype=i8"],
            &["no derivative on i8", "f32 f64 f16 bf16"],
        ),
        (&["--backward", "--in-place"], &["--backward", "--in-place"]),
    ] {
        refused("bench", args, reasons);
    }
}

#[test]
fn a_picture_of_an_unknown_format_is_refused_before_measuring() {
    let out = bench(Path::new("."), &["--seconds=3600", "-o", "y.gif"]);
    assert_eq!(out.status.code(), Some(1));
    let error = text(&out.stderr);
    assert!(
        error.contains("\"gif\"") && error.contains(".svg"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn a_signal_leaves_no_half_picture() {
    use std::process::Stdio;
    use std::thread::sleep;
    use std::time::Instant;

    let folder = tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
    command.args(["bench", "--sizes=16", "--seconds=600", "-o", "y.svg"]);
    command.current_dir(folder.path()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let files = || fs::read_dir(folder.path()).unwrap().count();
    let start = Instant::now();
    while files() == 0 {
        assert!(start.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(5));
    }
    let kill = ["-c", "kill \"$0\"", &child.id().to_string()];
    assert!(Command::new("sh").args(kill).status().unwrap().success());
    let out = child.wait_with_output().unwrap();
    assert!(!out.status.success());
    assert!(text(&out.stderr).contains("no file was changed"));
    assert_eq!(files(), 0);
}
