//! `halfwave verify`, from the command line to the figures.

use std::path::Path;

use crate::{halfwave, text};
use halfwave::Op;
use serde_json::Value;

/// What it prints as JSON.
#[track_caller]
fn rows(args: &[&str]) -> Vec<Value> {
    let args = [&["verify", "--json", "--samples=500"], args].concat();
    let out = halfwave(Path::new("."), &args);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(text(&out.stderr), "", "no progress bar off a terminal");
    serde_json::from_slice::<Vec<Value>>(&out.stdout).unwrap()
}

fn ulps(row: &Value) -> f64 {
    row["ulps"].as_f64().unwrap()
}

/// The figures of a quotient by a sum. Where products and sums fuse, it carries along what the sum lost.
#[test]
fn softsign_is_as_exact_as_it_says() {
    let rows = rows(&["softsign"]);
    let dtypes: Vec<&str> = rows
        .iter()
        .map(|row| row["dtype"].as_str().unwrap())
        .collect();
    assert_eq!(dtypes, ["f32", "f64", "f16", "bf16"]);
    for row in &rows {
        assert_eq!(row["holds"], true, "{row}");
        let (inputs, correct) = (
            row["inputs"].as_u64().unwrap(),
            row["correct"].as_u64().unwrap(),
        );
        match row["dtype"].as_str().unwrap() {
            // Of the sum and of the quotient each half an ulp, and the sum's may be one.
            "f64" if row["backend"] == "portable" && cfg!(target_arch = "x86_64") => {
                assert!((1.2..=1.5).contains(&ulps(row)), "{row}");
                assert!(correct < inputs && correct > inputs / 2);
                assert_eq!(row["reference"]["kind"], "arbitrary precision");
            }
            "f64" => {
                assert!((0.49..0.5001).contains(&ulps(row)), "{row}");
                assert!(inputs - correct < 10);
                assert_eq!(row["reference"]["kind"], "arbitrary precision");
            }
            // Correct but for a few, in f64 as well.
            "f32" => {
                assert!((0.49..0.5001).contains(&ulps(row)), "{row}");
                assert!(inputs > (1 << 32) / 257);
                assert!(inputs - correct < 10);
                assert!(row["reference"]["ulps"].as_f64().unwrap() < 1e-7);
            }
            _ => assert_eq!((inputs, correct), (65536, 65536), "{row}"),
        }
    }
}

#[test]
fn every_operation_holds_its_bounds() {
    let rows = rows(&["--dtype=f32", "--backward"]);
    for op in Op::all() {
        let of = || rows.iter().filter(|row| row["op"] == op.to_string());
        let forms: Vec<&str> = of().map(|row| row["form"].as_str().unwrap()).collect();
        assert!(forms.starts_with(&["forward", "backward"]), "{op}");
        assert!(of().all(|row| row["inputs"].as_u64() > Some((1 << 32) / 258)));
    }
}

#[test]
fn every_backend_is_measured() {
    let rows = rows(&[
        "softsign",
        "--dtype=f16,bf16",
        "--backend=all",
        "--backward",
    ]);
    let names: Vec<&str> = halfwave::backends().iter().map(|b| b.name()).collect();
    assert_eq!(rows.len(), 2 * 3 * names.len());
    for (row, name) in rows.iter().zip(names.iter().cycle()) {
        assert_eq!(row["backend"], *name);
    }
}

/// With both references: the truth's figures are the kernel's.
#[test]
fn references_agree() {
    for op in ["hard_swish", "hard_sigmoid"] {
        let by = |reference| rows(&[op, "--dtype=f32", "--backward", "--reference", reference]);
        for (kernel, truth) in by("kernel").iter().zip(by("truth")) {
            assert_eq!(kernel["reference"]["kind"], "kernel");
            assert_eq!(truth["reference"]["kind"], "arbitrary precision");
            let (a, b) = (ulps(kernel), ulps(&truth));
            assert!((a - b).abs() < 1e-6, "{kernel} {truth}");
            assert_eq!(kernel["inputs"], truth["inputs"]);
            // Beside a tie of subnormal numbers, as x/2 + x²/6, the kernel sees none but the tie.
            let correct = |row: &Value| row["correct"].as_u64().unwrap();
            let fewer = correct(kernel) - correct(&truth);
            assert!(fewer <= ((1 << 24) / 257), "{kernel} {truth}");
        }
    }
}

/// With parameters of its own, what is made of them is rounded to `f32`: no `f64` kernel does that.
#[test]
fn parameters_are_rounded_as_f32_has_them() {
    for op in [
        "hard_sigmoid(alpha=0.3, beta=-0.3)",
        "hard_sigmoid(alpha=1e-7, beta=-1e5)",
        "leaky_relu(slope=1e-300)",
        "leaky_relu(slope=0.1)",
        // Its mean is beyond f32.
        "rrelu(lower=-3e129, upper=1e29)",
    ] {
        let rows = rows(&[op, "--backward"]);
        assert_eq!(rows[0]["reference"]["kind"], "arbitrary precision");
        assert!(rows.iter().all(|row| row["holds"] == true), "{op}");
    }
}

/// Each beside the others, in the order asked for, with the figures that it has alone.
#[test]
fn backends_are_chosen_by_name() {
    let names: Vec<&str> = halfwave::backends().iter().map(|b| b.name()).collect();
    let backend = format!("--backend={}", names.join(","));
    let gelu = |backend: &str| rows(&["gelu", "--dtype=f32", "--stride=65537", backend]);
    let (together, all) = (gelu(&backend), gelu("--backend=all"));
    assert_eq!(together, all);
    for (row, name) in together.iter().zip(names) {
        assert_eq!(
            gelu(&format!("--backend={name}")),
            std::slice::from_ref(row)
        );
        assert!(row["inputs"].as_u64() < Some(1 << 18));
    }
}

#[test]
fn the_table_names_the_input() {
    let out = halfwave(Path::new("."), &["verify", "hard_swish", "--dtype", "bf16"]);
    let table = text(&out.stdout);
    let lines: Vec<Vec<&str>> = table
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0][..4], ["operation", "form", "dtype", "backend"]);
    assert_eq!(lines[1][..3], ["hard_swish", "forward", "bf16"]);
    let (at, bits) = (lines[1][6], lines[1][7]);
    let bits = u16::from_str_radix(bits.strip_prefix("0x").unwrap(), 16).unwrap();
    assert_eq!(
        halfwave::bf16::from_bits(bits).to_f32(),
        at.parse::<f32>().unwrap()
    );
    assert_eq!(lines[1][8..], ["100", "%"]);

    let args = ["verify", "hard_swish", "--dtype=bf16", "--markdown"];
    let markdown = text(&halfwave(Path::new("."), &args).stdout);
    let row: Vec<&str> = markdown.lines().nth(2).unwrap().split(" | ").collect();
    assert_eq!((row[0], row[6]), ("| hard_swish", at));
}

#[test]
fn what_cannot_be_is_refused() {
    for (args, reason) in [
        (&["rleu"][..], "there is no operation"),
        (&["relu", "--dtype=i8"], "i8"),
        (&["relu", "--backend=mmx"], "mmx"),
        (&["relu", "--json", "--markdown"], "cannot be used with"),
    ] {
        let out = halfwave(Path::new("."), &[&["verify"], args].concat());
        assert!([Some(1), Some(2)].contains(&out.status.code()));
        assert!(text(&out.stderr).contains(reason), "{}", text(&out.stderr));
    }
}

/// The bounds hold with every parameter, and operations that have none are left out.
#[test]
fn random_parameters_hold_the_bounds() {
    let random = ["--parameters=random", "--settings=3", "--backward"];
    let args = [&["verify", "--json", "--samples=40"], &random[..]].concat();
    let out = halfwave(Path::new("."), &args);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&out.stdout).unwrap();
    for op in Op::all() {
        let name = format!("{}(", op.name());
        let of = rows
            .iter()
            .filter(|row| row["op"].as_str().unwrap().starts_with(&name));
        let settings = if op.parameters().is_empty() { 0 } else { 3 };
        let forward = of.clone().filter(|row| row["form"] == "forward");
        assert_eq!(forward.count(), 4 * settings, "{op}");
        for row in of {
            assert_eq!(row["reference"]["kind"], "arbitrary precision");
        }
    }
    let out = halfwave(Path::new("."), &["verify", "relu", "--parameters=random"]);
    assert!(!out.status.success());
    assert!(text(&out.stderr).contains("relu has no parameters"));
}
