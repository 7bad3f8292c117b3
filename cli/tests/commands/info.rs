//! `halfwave info` and `halfwave list`; and what all commands share.

use std::process::{Command, Output};

use serde_json::Value;

use crate::text;

/// The variables that set sizes: what a line says of each, and its name in JSON.
const THRESHOLDS: [(&str, &str, &str); 3] = [
    (
        "HALFWAVE_STREAM_FROM",
        "streaming stores",
        "streaming_threshold",
    ),
    ("HALFWAVE_HUGE_PAGES_FROM", "huge pages", "huge_pages_from"),
    ("HALFWAVE_SPLIT_FROM", "threads", "parallel_break_even"),
];

fn halfwave(args: &[&str], isa: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
    command.args(args).env_remove("HALFWAVE_ISA");
    for (variable, ..) in THRESHOLDS {
        command.env_remove(variable);
    }
    if let Some(isa) = isa {
        command.env("HALFWAVE_ISA", isa);
    }
    command.output().unwrap()
}

#[track_caller]
fn stdout(args: &[&str], isa: Option<&str>) -> String {
    let out = halfwave(args, isa);
    assert!(out.status.success(), "{}", text(&out.stderr));
    text(&out.stdout)
}

#[test]
fn info_names_the_backend_and_who_chose_it() {
    let info = stdout(&["info"], None);
    let json: Value = serde_json::from_str(&stdout(&["info", "--json"], None)).unwrap();
    let chosen = json["backend"].as_str().unwrap();
    assert!(info.contains(&format!("{chosen} (the best")), "{info}");
    assert_eq!(json["halfwave_isa"], Value::Null);
    for b in halfwave::backends() {
        let info = stdout(&["info"], Some(b.name()));
        let line = format!("{} (as HALFWAVE_ISA says)", b.name());
        assert!(info.contains(&line), "{info}");
    }
    for line in ["CPU", "cores", "L2", "KiB", env!("CARGO_PKG_VERSION")] {
        assert!(info.contains(line), "{line}: {info}");
    }
    assert!(info.contains(halfwave::BUILD_TARGET) && info.contains(halfwave::BUILD_RUSTC));
}

#[test]
fn info_as_json_has_the_librarys_own_figures() {
    // Of this process, whatever HALFWAVE_ISA says here.
    let backend = halfwave::backend().unwrap().name();
    let info = stdout(&["info", "--json"], Some(backend));
    let info: Value = serde_json::from_str(&info).unwrap();
    let caches = halfwave::memory::caches();
    assert_eq!(info["caches"]["l1d"], caches.l1d);
    assert_eq!(info["caches"]["l3"], caches.l3);
    assert_eq!(info["backend"], backend);
    assert_eq!(info["halfwave_isa"], backend);
    assert_eq!(info["parallel_break_even"], 2 << 20);
    assert_eq!(info["parallel_grain"], 256 << 10);
    assert_eq!(info["huge_pages_from"], 4 << 20);
    assert_eq!(info["streaming_threshold"], caches.l3 / 4 * 3);
    let backends = info["backends"].as_array().unwrap();
    assert_eq!(backends.len(), halfwave::backends().len());
    assert!(info["cores"].as_u64().unwrap() > 0);
    assert!(!info["cpu"].as_str().unwrap().is_empty());
}

#[test]
fn info_has_the_sizes_of_the_environment() {
    let told = |args: &[&str], variable: &str, value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
        for (other, ..) in THRESHOLDS {
            command.env_remove(other);
        }
        command.args(args).env(variable, value).output().unwrap()
    };
    for (variable, name, field) in THRESHOLDS {
        let info = text(&told(&["info"], variable, "98304").stdout);
        let line = info.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains("from 96 KiB"), "{line}");
        assert!(line.ends_with(&format!("(as {variable} says)")), "{line}");
        let info = text(&told(&["info", "--json"], variable, "98304").stdout);
        let info: Value = serde_json::from_str(&info).unwrap();
        assert_eq!(info[field], 98304);

        let info = stdout(&["info"], None);
        let line = info.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(
            line.ends_with(&format!("({variable}=BYTES chooses another)")),
            "{line}"
        );

        let refused = told(&["info"], variable, "96K");
        assert_eq!(refused.status.code(), Some(1));
        let message = format!("halfwave: {variable}=\"96K\" is not a number of bytes\n");
        assert_eq!(text(&refused.stderr), message);
    }
}

#[test]
fn list_has_every_operation() {
    let list = stdout(&["list"], None);
    assert!(
        list.lines().all(|line| line.chars().count() <= 80),
        "{list}"
    );
    let json: Value = serde_json::from_str(&stdout(&["list", "--json"], None)).unwrap();
    assert_eq!(json.as_array().unwrap().len(), halfwave::Op::all().len());
    // An entry begins at the margin.
    let entries: Vec<String> = list
        .replace("\n ", "\0 ")
        .lines()
        .map(String::from)
        .collect();
    for ((op, json), entry) in halfwave::Op::all()
        .iter()
        .zip(json.as_array().unwrap())
        .zip(&entries)
    {
        let mut words = entry.split_whitespace();
        assert_eq!(words.next(), Some(op.name()));
        assert!(entry.contains(op.formula()), "{entry}");
        assert_eq!(json["name"], op.name());
        assert_eq!(json["formula"], op.formula());
        let dtypes: Vec<&str> = op.dtypes().iter().map(|dtype| dtype.name()).collect();
        assert!(entry.contains(&format!("{};", dtypes.join(" "))), "{entry}");
        assert!(entry.contains("backward from x"), "{entry}");
        assert_eq!(json["dtypes"], Value::from(dtypes));
        assert_eq!(json["backward"], true);
        assert_eq!(
            json["backward_from_output"],
            op.has_backward_from_output::<f32>()
        );
        assert_eq!(
            entry.contains("from x or y"),
            op.has_backward_from_output::<f32>()
        );
        assert_eq!(
            json["parameters"].as_array().unwrap().len(),
            op.parameters().len()
        );
        for (i, parameter) in op.parameters().iter().enumerate() {
            assert!(
                entry.contains(&format!(" {}={}, ", parameter.name, parameter.default)),
                "{entry}"
            );
            assert_eq!(json["parameters"][i]["name"], parameter.name);
            // Its reader rounds the last digit.
            let near = |json: &Value, x: f64| match json.as_f64() {
                Some(read) => (read - x).abs() <= 1e-15 * x.abs(),
                None => x.is_infinite() && json.is_null(),
            };
            assert!(
                near(&json["parameters"][i]["default"], parameter.default),
                "{json}"
            );
            assert!(near(&json["parameters"][i]["min"], parameter.min), "{json}");
            assert!(near(&json["parameters"][i]["max"], parameter.max), "{json}");
        }
    }
    for line in ["max(x, 0)", "slope=0.01, finite", "min=-1, any number"] {
        assert!(list.contains(line), "{list}");
    }
}

#[test]
fn an_isa_that_cannot_be_had_stops_every_command_before_it_works() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("y.svg");
    let picture = picture.to_str().unwrap();
    for args in [
        &["info"][..],
        &["list"],
        &["plot", "relu", "-o", picture],
        &["bench", "--sizes=16", "-o", picture],
    ] {
        let out = halfwave(args, Some("sse9"));
        assert_eq!(out.status.code(), Some(1), "{args:?}");
        assert_eq!(text(&out.stdout), "");
        let error = text(&out.stderr);
        assert!(
            error.contains("\"sse9\"") && error.contains("portable"),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn help_of_each_command_has_examples() {
    for command in ["plot", "bench", "info", "list"] {
        let help = stdout(&[command, "--help"], None);
        assert!(help.contains(&format!("\n  halfwave {command}")), "{help}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    use std::process::Stdio;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_halfwave"));
    let out = command.args(["list"]).stdout(writer).stderr(Stdio::piped());
    let out = out.spawn().unwrap().wait_with_output().unwrap();
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stderr), "");
}
