//! `--compact`: the non-zero elements and where they were.

use halfwave::Dtype;
use npyz::Order;

use crate::support::{Folder, elements, npy, npy_f32, npz, relu, safetensors_with, stderr};

/// Checks that `y.npz` has what is not zero in `y`, elements of `dtype` as `descr` says.
#[track_caller]
fn assert_compacted(folder: &Folder, dtype: Dtype, descr: &str, shape: &[u64], y: &[u8]) {
    let all = y.chunks(dtype.size()).enumerate();
    let sign = if Dtype::FLOATS.contains(&dtype) {
        0x7f
    } else {
        0xff
    };
    let kept: Vec<(usize, &[u8])> = all
        .filter(|(_, y)| y[..y.len() - 1].iter().any(|&y| y != 0) || y[y.len() - 1] & sign != 0)
        .collect();
    let arrays = npz(&folder.read("y.npz"));
    let names: Vec<&str> = arrays.iter().map(|(name, ..)| &**name).collect();
    assert_eq!(names, ["indices.npy", "values.npy", "shape.npy"]);
    let [
        (_, header, indices),
        (_, of_values, values),
        (_, of_shape, dims),
    ] = &arrays[..]
    else {
        panic!("three arrays")
    };
    for header in [header, of_values] {
        assert_eq!(header.shape(), [kept.len() as u64]);
        assert_eq!(header.order(), Order::C);
    }
    assert_eq!(header.dtype().descr(), "'<u4'");
    assert_eq!(of_values.dtype().descr(), descr);
    assert_eq!(of_shape.dtype().descr(), "'<i8'");
    let want: Vec<u8> = kept
        .iter()
        .flat_map(|(i, _)| (*i as u32).to_le_bytes())
        .collect();
    assert!(*indices == want);
    assert!(
        *values
            == kept
                .iter()
                .flat_map(|(_, y)| y.to_vec())
                .collect::<Vec<_>>()
    );
    assert_eq!(of_shape.shape(), [shape.len() as u64]);
    assert_eq!(
        *dims,
        shape
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect::<Vec<_>>()
    );
}

#[test]
fn every_dtype() {
    let folder = Folder::new();
    for (dtype, descr) in [
        (Dtype::F32, "<f4"),
        (Dtype::F64, "<f8"),
        (Dtype::F16, "<f2"),
        (Dtype::Bf16, "|V2"),
        (Dtype::I8, "|i1"),
        (Dtype::I16, "<i2"),
        (Dtype::I32, "<i4"),
        (Dtype::I64, "<i8"),
        (Dtype::U8, "|u1"),
        (Dtype::U16, "<u2"),
        (Dtype::U32, "<u4"),
        (Dtype::U64, "<u8"),
    ] {
        let x = elements(dtype, 70);
        let descr = format!("'{descr}'");
        folder.write("x.npy", &npy(1, &descr, false, "(2, 5, 7)", &x));
        let told = if dtype == Dtype::Bf16 {
            " --dtype bf16"
        } else {
            ""
        };
        folder.succeed(&format!("x.npy --compact y.npz{told}"));
        assert_compacted(&folder, dtype, &descr, &[2, 5, 7], &relu(dtype, &x));
        assert_eq!(folder.names(), ["x.npy", "y.npz"]);
    }
}

#[test]
fn beside_the_result_itself_from_a_big_endian_file_of_several_chunks() {
    let folder = Folder::new();
    let n = (9 << 20) / 4 + 13;
    let x = elements(Dtype::F32, n);
    let swapped: Vec<u8> = x.chunks(4).flat_map(|x| x.iter().rev().copied()).collect();
    folder.write(
        "x.npy",
        &npy(1, "'>f4'", false, &format!("({n},)"), &swapped),
    );
    let y = relu(Dtype::F32, &x);
    for threads in [1, 3] {
        folder.succeed(&format!(
            "x.npy -o y.npy --compact y.npz --threads {threads}"
        ));
        assert_compacted(&folder, Dtype::F32, "'<f4'", &[n as u64], &y);
        let dense = folder.read("y.npy");
        assert!(dense[dense.len() - y.len()..] == y);
        assert_eq!(folder.names(), ["x.npy", "y.npy", "y.npz"]);
    }
}

#[test]
fn nothing_kept_and_nothing_there() {
    let folder = Folder::new();
    for (shape, dims, x) in [
        ("(3,)", &[3][..], &[-1.0f32, -0.0, 0.0][..]),
        ("(2, 0)", &[2, 0], &[]),
        ("()", &[], &[4.0]),
    ] {
        let x = bytemuck::cast_slice(x);
        folder.write("x.npy", &npy(1, "'<f4'", false, shape, x));
        folder.succeed("x.npy --compact y.npz");
        assert_compacted(&folder, Dtype::F32, "'<f4'", dims, &relu(Dtype::F32, x));
    }
}

#[test]
fn from_standard_input() {
    let folder = Folder::new();
    let x = elements(Dtype::F64, 50);
    let output = folder.pipe("- --compact y.npz", &npy(1, "'<f8'", false, "(50,)", &x));
    assert!(
        output.status.success() && output.stdout.is_empty(),
        "{}",
        stderr(&output)
    );
    assert_compacted(&folder, Dtype::F64, "'<f8'", &[50], &relu(Dtype::F64, &x));
}

#[test]
fn what_it_cannot_do_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let good = npy_f32(&[1.0, -2.0, 3.0]);
    folder.write("x.npy", &good);
    folder.write("short.npy", &good[..good.len() - 1]);
    folder.write("f.npy", &npy(1, "'<f4'", true, "(2, 2)", &[0; 16]));
    folder.write("x.bin", &[0; 8]);
    folder.write("x.safetensors", &safetensors_with("{}", &[]));
    for kept in ["y.npz", "y.npy"] {
        folder.write(kept, b"precious");
    }
    let before = folder.names();
    for (args, code, reasons) in [
        (
            "x.bin --dtype f32 --compact y.npz",
            2,
            ["a .npy, which x.bin is not", "save"],
        ),
        (
            "x.safetensors --compact y.npz",
            2,
            ["a .npy, which x.safetensors is not", "save"],
        ),
        ("x.npy --compact y.npy", 2, ["y.npy", "in .npz"]),
        ("x.npy -o y.npz --compact y.npz", 2, ["y.npz", "two names"]),
        (
            "f.npy --compact y.npz",
            1,
            ["f.npy: it is in Fortran order", "ascontiguousarray"],
        ),
        (
            "short.npy -o y.npy --compact y.npz",
            1,
            ["short.npy: it is cut short", "12 bytes"],
        ),
        (
            "x.npy -o y.npy --compact no/y.npz",
            1,
            ["no/y.npz: there is no folder no", "create"],
        ),
    ] {
        let said = folder.fail(code, args);
        assert!(
            reasons.iter().all(|reason| said.contains(reason)),
            "{args}: {said}"
        );
        assert_eq!(folder.names(), before, "{args}");
        for kept in ["y.npz", "y.npy"] {
            assert_eq!(folder.read(kept), b"precious", "{args}");
        }
    }
}
