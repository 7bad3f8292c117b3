//! Bad input: a message that names the file, the reason and the remedy, and nothing lost.

use halfwave::Dtype;

use crate::support::{Folder, npy, npy_f32, npy_with, relu, safetensors_with, stderr};

/// Runs on `x.EXTENSION`, which holds `bad`, into another file and in place, and expects a refusal
/// that says `reason`.
#[track_caller]
fn refused(extension: &str, bad: &[u8], options: &str, reason: &str) {
    let folder = Folder::new();
    let (x, y) = (format!("x.{extension}"), format!("y.{extension}"));
    folder.write(&x, bad);
    folder.write(&y, b"precious");
    for target in [format!("-o {y}"), "--in-place".into()] {
        let said = folder.fail(1, &format!("{x} {target}{options}"));
        assert!(said.starts_with(&format!("halfwave: {x}: ")), "{said}");
        assert!(said.contains(reason), "{reason:?} is not in: {said}");
        assert!(said.len() < 500, "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(folder.read(&x) == bad, "{reason}");
        assert_eq!(folder.read(&y), b"precious", "{reason}");
        assert_eq!(folder.names(), [x.as_str(), &y], "{reason}");
    }
    if extension == "npy" {
        let output = folder.pipe(&format!("- -o y.npy{options}"), bad);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("halfwave: standard input: "), "{said}");
        assert!(said.contains(reason), "{reason:?} is not in: {said}");
        assert!(!said.contains("rename"), "it has no name: {said}");
        assert_eq!(folder.read(&y), b"precious", "{reason}");
        assert_eq!(folder.names(), [x.as_str(), &y], "{reason}");
    }
}

#[test]
fn dtypes_that_no_operation_takes() {
    let cases = [
        ("'|O'", "Python objects (dtype '|O')"),
        ("'<c8'", "complex array (dtype '<c8')"),
        ("'|b1'", "boolean array (dtype '|b1')"),
        ("'<f16'", "this array (dtype '<f16')"),
        ("'<M8[s]'", "this array (dtype '<M8[s]')"),
        ("'<U3'", "this array (dtype '<U3')"),
        ("'|V3'", "this array (dtype '|V3')"),
        ("'>V2'", "this array (dtype '>V2')"),
    ];
    for (descr, reason) in cases {
        let bad = npy(1, descr, false, "(1,)", &[0; 16]);
        refused("npy", &bad, "", reason);
        let takes = "relu takes f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64: convert it";
        refused("npy", &bad, "", takes);
    }
    let field = "('a', '<f4')";
    for fields in [format!("[{field}]"), format!("[{}]", [field; 9].join(", "))] {
        let bad = npy(1, &fields, false, "(1,)", &[0; 36]);
        refused("npy", &bad, "", "a structured array");
        refused("npy", &bad, "", "save a field by itself");
    }
}

#[test]
fn damaged_headers() {
    let good = npy_f32(&[1.0, -2.0, 3.0]);
    let end = good.len() - 12;
    for cut in [6, 7, 8, 9, 10, 11, 40, end - 1] {
        refused("npy", &good[..cut], "", "it ends within its header");
    }
    for cut in [0, 1, 5] {
        refused("npy", &good[..cut], "", "no .npy header");
    }
    refused("npy", b"PK\x03\x04 some other format", "", "no .npy header");
    refused(
        "npy",
        b"\x93NUMPY\x04\0\x10\0 of the future ",
        "",
        "version 4.0",
    );

    let dict = |text: &str| npy_with(1, text, &[]);
    for bracket in ["(", "[", "{"] {
        for depth in [5, 9000] {
            refused("npy", &dict(&bracket.repeat(depth)), "", "no .npy header");
        }
    }
    refused(
        "npy",
        &dict(&" ".repeat(20_000)),
        "",
        "claims to be 20000 bytes long",
    );
    refused(
        "npy",
        &dict("{'descr': '<f4', 'shape': (3,)}"),
        "",
        "fortran_order",
    );
    refused(
        "npy",
        b"\x93NUMPY\x02\0\xff\xff\xff\xff{'descr'",
        "",
        "claims to be 4294967295 bytes long",
    );

    let shape = |shape| npy(1, "'<f4'", false, shape, &[0; 4]);
    for bad in ["(-1,)", "(1.5,)", "(18446744073709551616,)", "('1',)"] {
        refused("npy", &shape(bad), "", "whole numbers");
    }
    for bad in ["1", "[1]", "None"] {
        refused("npy", &shape(bad), "", "no tuple");
    }
    let deep = format!("({})", "1, ".repeat(65));
    refused("npy", &shape(&deep), "", "more than 64 dimensions");
    for huge in [
        "(4611686018427387904,)",
        "(2305843009213693952,)",
        "(4294967296, 4294967296)",
        "(4294967296, 4294967296, 0)",
        "(0, 4294967296, 4294967296)",
    ] {
        refused("npy", &shape(huge), "", "larger than any file");
    }
    refused(
        "npy",
        &dict("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}"),
        "",
        "keys besides",
    );
}

#[test]
fn data_of_another_length_than_the_header_says() {
    let good = npy_f32(&[1.0, -2.0, 3.0]);
    for cut in 1..=12 {
        let have = format!("promises 12 bytes of data and {} are there", 12 - cut);
        refused("npy", &good[..good.len() - cut], "", &have);
    }
    for more in [&[0][..], &good] {
        refused(
            "npy",
            &[&good, more].concat(),
            "",
            "more data follows the 12 bytes",
        );
    }
    // Found only in the second chunk, when there is a temporary file already.
    let long = npy_f32(&vec![1.0; (5 << 20) / 4]);
    refused(
        "npy",
        &long[..long.len() - 1],
        "",
        "promises 5242880 bytes of data and 5242879",
    );
    refused("npy", &[&long[..], &[0]].concat(), "", "more data follows");
}

/// What cannot be taken back is not begun.
#[test]
fn a_file_of_the_wrong_length_sends_nothing_to_standard_output() {
    let folder = Folder::new();
    let good = npy_f32(&[1.0, -2.0, 3.0]);
    for bad in [&good[..good.len() - 1], &[&good[..], &[0]].concat()] {
        folder.write("x.npy", bad);
        let output = folder.relu(["x.npy", "-o", "-"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn options_that_do_not_fit_the_file() {
    let good = npy_f32(&[1.0]);
    refused("npy", &good, " --dtype f32", "leave --dtype out");
    refused("bin", &[0; 8], "", "--dtype f32, for example");
    refused(
        "bin",
        &[0; 7],
        " --dtype f32",
        "7 bytes are not a whole number of f32",
    );
}

/// A header would be taken for elements, and come out destroyed.
#[test]
fn other_formats_under_another_name() {
    let json = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let safetensors = safetensors_with(json, &[0; 8]);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.resize(64, 0);
    for options in ["", " --dtype i8"] {
        for extension in ["bin", "npy2"] {
            let npy = npy_f32(&[-1.0; 16]);
            refused(extension, &npy, options, "rename it to end in .npy");
            let remedy = "rename it to end in .safetensors";
            refused(extension, &safetensors, options, remedy);
            refused(extension, &zip, options, "rename it and unzip it");
        }
    }
    // What only looks like it is raw.
    let folder = Folder::new();
    let mut longer = safetensors.clone();
    longer[1] = 1;
    let mut binary = safetensors.clone();
    binary[12] = 0;
    let nothing = 0u64.to_le_bytes();
    for raw in [
        &longer,
        &binary,
        &safetensors[1..],
        &b"PK\x03"[..],
        &nothing,
        b"\x93NUMP",
    ] {
        folder.write("x.bin", raw);
        folder.succeed("x.bin -o y.bin --dtype i8");
        assert_eq!(folder.read("y.bin"), relu(Dtype::I8, raw));
    }
}

#[test]
fn damaged_safetensors() {
    let tensor = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let good = safetensors_with(tensor, &[0; 8]);
    for cut in [0, 3, 8, 20] {
        refused("safetensors", &good[..cut], "", "it ends within its header");
    }
    refused(
        "safetensors",
        &good[..good.len() - 1],
        "",
        "promises 8 bytes of data and 7",
    );
    refused(
        "safetensors",
        &[&good[..], &[1]].concat(),
        "",
        "more data follows",
    );
    refused(
        "safetensors",
        b"hello, I am a text file",
        "",
        "no .safetensors, or damaged",
    );
    refused(
        "safetensors",
        &safetensors_with("{\"a\":", &[]),
        "",
        "its header is damaged",
    );
    let gap = tensor.replace("[0,8]", "[4,12]");
    refused(
        "safetensors",
        &safetensors_with(&gap, &[0; 12]),
        "",
        "invalid offset for tensor `a`",
    );
    let shape = tensor.replace("[2]", "[3]");
    refused(
        "safetensors",
        &safetensors_with(&shape, &[0; 8]),
        "",
        "its header is damaged",
    );
}

#[test]
fn paths_that_lead_nowhere() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0]));
    std::fs::create_dir(folder.path("sub")).unwrap();
    let cases = [
        (
            "missing.npy -o y.npy",
            "missing.npy: No such file",
            "check the path",
        ),
        (
            "sub -o y.npy",
            "sub: it is a directory",
            "name a file in it",
        ),
        (
            "x.npy -o sub",
            "sub: it is a directory",
            "name a file in it",
        ),
        (
            "x.npy -o no/y.npy",
            "no/y.npy: there is no folder no;",
            "create that folder first",
        ),
        ("x.npy -o x.npy/y.npy", "x.npy/y.npy: ", "check the path"),
        (
            "x.npy -o y.safetensors",
            "y.safetensors: the result has the format of x.npy",
            "same ending",
        ),
    ];
    for (args, names, remedy) in cases {
        let said = folder.fail(1, args);
        assert!(
            said.contains(names) && said.contains(remedy),
            "{args}: {said}"
        );
        assert_eq!(folder.names(), ["sub", "x.npy"], "{args}");
        assert_eq!(folder.read("x.npy"), npy_f32(&[-1.0]), "{args}");
    }
}

#[test]
fn misuse_is_explained_with_status_2() {
    let folder = Folder::new();
    let x = npy_f32(&[-1.0]);
    folder.write("x.npy", &x);
    let cases = [
        ("x.npy", "-o OUT"),
        ("x.npy", "--in-place"),
        ("- --in-place", "-o -"),
        ("x.npy --in-place -o y.npy", "cannot be used with"),
        ("x.npy --in-place --tensor a", "--tensor"),
        ("x.npy --in-place --threads 0", "--threads"),
        ("x.npy --in-place --dtype f31", "possible values: f32"),
    ];
    for (args, reason) in cases {
        let said = folder.fail(2, args);
        assert!(said.contains(reason), "{args}: {said}");
        assert_eq!(folder.read("x.npy"), x, "{args}");
    }
    let mut rleu = std::process::Command::new(env!("CARGO_BIN_EXE_halfwave"));
    let output = rleu
        .args(["apply", "rleu", "x.npy", "--in-place"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("the operations are: relu"));
}

#[test]
fn an_unknown_backend_is_refused_before_any_work() {
    let folder = Folder::new();
    let x = npy_f32(&[-1.0]);
    folder.write("x.npy", &x);
    let mut command = folder.relu(["x.npy", "--in-place"]);
    let output = command.env("HALFWAVE_ISA", "sse9").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("HALFWAVE_ISA=\"sse9\"") && said.contains("portable"),
        "{said}"
    );
    assert_eq!(folder.read("x.npy"), x);

    let mut command = folder.relu(["x.npy", "--in-place"]);
    let output = command.env("HALFWAVE_ISA", "portable").output().unwrap();
    assert!(stderr(&output).contains(", portable, "));
    assert_eq!(folder.read_f32("x.npy"), [0.0]);
}
