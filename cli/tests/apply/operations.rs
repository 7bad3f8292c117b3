//! Every operation, by name and with parameters; and those that a file's dtype is not for.

use halfwave::{Dtype, Op};

use crate::support::{Folder, apply, elements, npy, safetensors_with, stderr};

#[track_caller]
fn succeed(folder: &Folder, op: &str, args: &str) -> String {
    let output = folder.apply(op).args(args.split(' ')).output().unwrap();
    let said = stderr(&output);
    assert!(output.status.success(), "{op} {args}: {said}");
    said
}

#[track_caller]
fn fail(folder: &Folder, op: &str, args: &str, code: i32) -> String {
    let output = folder.apply(op).args(args.split(' ')).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{op} {args}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn every_operation_on_every_dtype_it_takes_and_on_no_other() {
    let folder = Folder::new();
    for &op in Op::all() {
        for &dtype in Dtype::ALL {
            let x = elements(dtype, 333);
            folder.write("x.bin", &x);
            folder.write("y.bin", b"precious");
            let args = format!("x.bin -o y.bin --dtype {dtype}");
            if op.dtypes().contains(&dtype) {
                succeed(&folder, op.name(), &args);
                assert_eq!(folder.read("y.bin"), apply(op, dtype, &x), "{op} {dtype}");
            } else {
                let said = fail(&folder, op.name(), &args, 1);
                let reason = format!("halfwave: x.bin: {op} is not defined on {dtype}; it takes: ");
                assert!(
                    said.starts_with(&reason) && said.contains(" f32 f64"),
                    "{said}"
                );
                assert_eq!(folder.read("y.bin"), b"precious");
                assert_eq!(folder.names(), ["x.bin", "y.bin"]);
            }
        }
    }
}

#[test]
fn parameters_are_the_ones_given() {
    let folder = Folder::new();
    let x = elements(Dtype::F32, 1000);
    folder.write("x.npy", &npy(1, "'<f4'", false, "(10, 100)", &x));
    for text in [
        "leaky_relu(slope=0.2)",
        "leaky_relu( slope = 2e-1 )",
        "clip(min=0, max=6)",
        "clip(max=6,min=0)",
        "clip(max=inf)",
        "relu6",
    ] {
        succeed(&folder, text, "x.npy -o y.npy");
        let y = folder.read("y.npy");
        let op: Op = text.parse().unwrap();
        assert_eq!(y[y.len() - x.len()..], apply(op, Dtype::F32, &x), "{text}");
    }
    let by_default = apply("leaky_relu".parse().unwrap(), Dtype::F32, &x);
    assert_ne!(
        by_default,
        apply("leaky_relu(slope=0.2)".parse().unwrap(), Dtype::F32, &x)
    );
}

/// An `f64` would make 9007199254740992 of 2^53 + 1, and nothing of a type's own bound.
#[test]
fn bounds_on_integers_are_exact() {
    let folder = Folder::new();
    let ends = [0, i64::MIN, i64::MAX].map(i64::to_le_bytes).concat();
    folder.write("x.npy", &npy(1, "'<i8'", false, "(3,)", &ends));
    for (op, want) in [
        (
            "clip(min=9007199254740993, max=inf)",
            [9007199254740993, 9007199254740993, i64::MAX],
        ),
        (
            "clip(min=-inf, max=-9223372036854775807)",
            [-i64::MAX, i64::MIN, -i64::MAX],
        ),
        (
            "clip(min=9223372036854775807, max=18446744073709551615)",
            [i64::MAX; 3],
        ),
    ] {
        succeed(&folder, op, "x.npy -o y.npy");
        let y = folder.read("y.npy");
        assert_eq!(
            y[y.len() - 24..],
            want.map(i64::to_le_bytes).concat(),
            "{op}"
        );
        // The bound itself is in what it prints.
        let said = fail(&folder, op, "x.npy", 2);
        assert!(said.contains(&format!("apply '{op}' x.npy")), "{said}");
    }
    folder.write("x.npy", &npy(1, "'<u8'", false, "(3,)", &ends));
    succeed(
        &folder,
        "clip(min=1, max=9223372036854775809)",
        "x.npy -o y.npy",
    );
    let (y, want) = (folder.read("y.npy"), [1, i64::MIN as u64, i64::MAX as u64]);
    assert_eq!(y[y.len() - 24..], want.map(u64::to_le_bytes).concat());
    succeed(
        &folder,
        "clip(min=18446744073709551615, max=inf)",
        "x.npy -o y.npy",
    );
    let y = folder.read("y.npy");
    assert_eq!(y[y.len() - 24..], [255; 24]);
}

#[test]
fn parameters_that_cannot_be_meant() {
    let folder = Folder::new();
    folder.write("x.npy", &npy(1, "'<f4'", false, "(1,)", &[0; 4]));
    for (op, reasons) in [
        ("leaky_relu(slop=1)", ["\"slop\"", "it has: slope"]),
        ("leaky_relu(slope=x)", ["slope is \"x\"", "not a number"]),
        ("leaky_relu(slope=inf)", ["slope is inf", "finite"]),
        ("clip(min=nan)", ["min is NaN", "a number"]),
        ("clip(0, 6)", ["not an operation", "clip(min=-1, max=1)"]),
        ("relu(x=1)", ["relu", "none"]),
    ] {
        let said = fail(&folder, op, "x.npy -o y.npy", 2);
        assert!(
            reasons.iter().all(|reason| said.contains(reason)),
            "{op}: {said}"
        );
        assert_eq!(folder.names(), ["x.npy"]);
    }
}

/// What it tells the user to type, a shell must not take apart.
#[test]
fn the_advice_for_an_operation_with_parameters_is_quoted() {
    let folder = Folder::new();
    let said = fail(&folder, "leaky_relu", "x.npy", 2);
    assert!(
        said.contains("halfwave apply 'leaky_relu(slope=0.01)' x.npy --in-place"),
        "{said}"
    );
    let said = fail(&folder, "relu", "x.npy", 2);
    assert!(
        said.contains("halfwave apply relu x.npy --in-place"),
        "{said}"
    );
}

#[test]
fn a_npy_of_a_dtype_it_does_not_take_is_refused() {
    let folder = Folder::new();
    let x = npy(1, "'>i4'", false, "(2,)", &elements(Dtype::I32, 2));
    folder.write("x.npy", &x);
    for args in [
        "x.npy --in-place",
        "x.npy -o y.npy",
        "x.npy -o -",
        "x.npy --stats",
    ] {
        let said = fail(&folder, "leaky_relu(slope=0.5)", args, 1);
        let want = "halfwave: x.npy: leaky_relu(slope=0.5) is not defined on i32; \
                    it takes: f32 f64 f16 bf16\n";
        assert_eq!(said, want);
    }
    assert_eq!(folder.read("x.npy"), x);
    assert_eq!(folder.names(), ["x.npy"]);
}

/// As a model's: weights, and positions that are numbers too.
#[test]
fn of_mixed_tensors_those_it_takes() {
    let folder = Folder::new();
    let header = r#"{"ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[2],"data_offsets":[16,24]}}"#;
    let (ids, w) = (elements(Dtype::I64, 2), elements(Dtype::F32, 2));
    let x = safetensors_with(header, &[&ids[..], &w].concat());
    folder.write("x.safetensors", &x);

    let op = "leaky_relu(slope=0.5)";
    let said = succeed(&folder, op, "x.safetensors -o y.safetensors");
    assert!(
        said.starts_with("copied unchanged: ids (I64)\n2 f32 in "),
        "{said}"
    );
    let y = [ids.clone(), apply(op.parse().unwrap(), Dtype::F32, &w)].concat();
    assert_eq!(folder.read("y.safetensors"), safetensors_with(header, &y));

    let said = fail(
        &folder,
        op,
        "x.safetensors --in-place --tensor w --tensor ids",
        1,
    );
    let want = "x.safetensors: tensor \"ids\" is I64; leaky_relu(slope=0.5) takes f32 f64 f16 bf16";
    assert!(
        said.contains(want) && said.contains("leave that --tensor out"),
        "{said}"
    );
    assert_eq!(folder.read("x.safetensors"), x);

    let header = r#"{"ids":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}"#;
    folder.write("x.safetensors", &safetensors_with(header, &ids));
    let said = fail(&folder, op, "x.safetensors --in-place", 1);
    assert!(
        said.contains("only ids (I64); leaky_relu(slope=0.5) takes f32"),
        "{said}"
    );
    assert_eq!(folder.read("x.safetensors"), safetensors_with(header, &ids));
}
