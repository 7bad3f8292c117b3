//! .npy and raw files: the right elements, under the right header.

use halfwave::Dtype;
use npyz::{NpyHeader, Order};

use crate::support::{Folder, elements, npy, npy_f32, relu, stderr};

/// The dtypes NumPy has a name for.
const NPY: [(Dtype, &str); 11] = [
    (Dtype::F32, "f4"),
    (Dtype::F64, "f8"),
    (Dtype::F16, "f2"),
    (Dtype::I8, "i1"),
    (Dtype::I16, "i2"),
    (Dtype::I32, "i4"),
    (Dtype::I64, "i8"),
    (Dtype::U8, "u1"),
    (Dtype::U16, "u2"),
    (Dtype::U32, "u4"),
    (Dtype::U64, "u8"),
];

/// Header and data of a .npy, the header read by a library that NumPy's readers agree with.
#[track_caller]
fn split(file: &[u8]) -> (NpyHeader, &[u8]) {
    let mut rest = file;
    let header = NpyHeader::from_reader(&mut rest).unwrap();
    (header, rest)
}

fn big_endian(dtype: Dtype, bytes: &[u8]) -> Vec<u8> {
    let elements = bytes.chunks(dtype.size());
    elements.flat_map(|x| x.iter().rev().copied()).collect()
}

#[test]
fn every_dtype_comes_out_as_the_library_computes_it() {
    let folder = Folder::new();
    let layouts = [
        (1, false, "(2, 5, 7)", &[2, 5, 7][..]),
        (2, true, "(7, 10)", &[7, 10]),
        (3, false, "(70,)", &[70]),
    ];
    for (dtype, code) in NPY {
        let x = elements(dtype, 70);
        let y = relu(dtype, &x);
        let little = if dtype.size() == 1 { '|' } else { '<' };
        for (version, fortran, shape, dims) in layouts {
            for (order, x) in [(little, x.clone()), ('>', big_endian(dtype, &x))] {
                let descr = format!("'{order}{code}'");
                let what = format!("{descr} version {version} {shape}");
                folder.write("x.npy", &npy(version, &descr, fortran, shape, &x));
                let said = folder.succeed("x.npy -o y.npy");

                let out = folder.read("y.npy");
                let (header, data) = split(&out);
                assert_eq!(data, y, "{what}");
                assert_eq!(header.shape(), dims, "{what}");
                assert_eq!(header.order() == Order::Fortran, fortran, "{what}");
                if dtype.size() > 1 {
                    let written = header.dtype().descr();
                    assert_eq!(written, format!("'<{code}'"), "{what}");
                    assert_eq!(said.contains("big-endian"), order == '>', "{what}: {said}");
                }
                assert!(said.starts_with(&format!("70 {dtype}")), "{what}: {said}");
            }
        }
    }
}

#[test]
fn the_articles_numbers() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-10.0, -5.0, 0.0, 5.0, 10.0, -0.0]));
    let said = folder.succeed("x.npy -o y.npy");
    let y = folder.read_f32("y.npy");
    assert_eq!(y, [0.0, 0.0, 0.0, 5.0, 10.0, -0.0]);
    assert!(y[5].is_sign_negative());
    assert!(said.ends_with(" 66.7 % zeros\n"), "{said}");
}

#[test]
fn a_scalar_and_empty_arrays_keep_their_shape() {
    let folder = Folder::new();
    let shapes = [
        ("()", &[][..], &[-2.5f32][..], &[0.0f32][..]),
        ("(0,)", &[0], &[], &[]),
        ("(3, 0, 2)", &[3, 0, 2], &[], &[]),
        ("(1, 1, 1)", &[1, 1, 1], &[2.5], &[2.5]),
    ];
    for (shape, dims, x, y) in shapes {
        for fortran in [false, true] {
            let x = bytemuck::cast_slice(x);
            folder.write("x.npy", &npy(1, "'<f4'", fortran, shape, x));
            folder.succeed("x.npy -o y.npy");
            let out = folder.read("y.npy");
            let (header, data) = split(&out);
            assert_eq!(header.shape(), dims);
            assert_eq!(header.order() == Order::Fortran, fortran, "{shape}");
            assert_eq!(data, bytemuck::cast_slice::<f32, u8>(y), "{shape}");
        }
    }
}

#[test]
fn bfloat16_under_numpys_header_of_two_bytes() {
    let folder = Folder::new();
    let x = elements(Dtype::Bf16, 100);
    for descr in ["'<V2'", "'|V2'"] {
        folder.write("x.npy", &npy(1, descr, false, "(100,)", &x));
        let said = folder.fail(1, "x.npy -o y.npy");
        assert!(said.contains("--dtype bf16"), "{said}");
        folder.fail(1, "x.npy -o y.npy --dtype f16");

        folder.succeed("x.npy -o y.npy --dtype bf16");
        let out = folder.read("y.npy");
        let (header, data) = split(&out);
        assert_eq!(data, relu(Dtype::Bf16, &x));
        assert_eq!(header.dtype().descr(), descr);
        std::fs::remove_file(folder.path("y.npy")).unwrap();
    }
}

#[test]
fn a_file_of_several_chunks_comes_out_whole_on_any_number_of_threads() {
    let folder = Folder::new();
    // Two chunks of 4 MiB and a part that is no multiple of anything.
    let n = (9 << 20) / 4 + 13;
    let x = elements(Dtype::F32, n);
    let y = relu(Dtype::F32, &x);
    let shape = format!("({n},)");
    folder.write("x.npy", &npy(1, "'<f4'", false, &shape, &x));
    let swapped = big_endian(Dtype::F32, &x);
    folder.write("b.npy", &npy(1, "'>f4'", false, &shape, &swapped));
    for threads in [1, 2, 5] {
        for name in ["x.npy", "b.npy"] {
            let said = folder.succeed(&format!("{name} -o y.npy --threads {threads}"));
            let out = folder.read("y.npy");
            assert!(split(&out).1 == y, "{name}, {threads} threads");
            let s = if threads == 1 { "" } else { "s" };
            assert!(said.contains(&format!(" {threads} thread{s}, ")), "{said}");
        }
    }
    let zeros = y.chunks(4).filter(|y| y[..3] == [0; 3] && y[3] & 0x7f == 0);
    let share = format!(" {:.1} % zeros\n", 100.0 * zeros.count() as f64 / n as f64);
    let said = folder.succeed("x.npy -o y.npy");
    assert!(said.ends_with(&share), "{said} {share}");
}

#[test]
fn standard_input_and_output() {
    let folder = Folder::new();
    let x = elements(Dtype::F16, 3 << 20);
    let shape = format!("({}, 3)", 1 << 20);
    let file = npy(1, "'<f2'", true, &shape, &x);
    folder.write("x.npy", &file);

    let through = folder.pipe("- -o -", &file);
    assert!(through.status.success(), "{}", stderr(&through));
    let (header, data) = split(&through.stdout);
    assert!(data == relu(Dtype::F16, &x));
    assert_eq!(header.shape(), [1 << 20, 3]);
    assert!(stderr(&through).starts_with("3,145,728 f16 in "));

    let into = folder.pipe("- -o y.npy", &file);
    assert!(into.status.success() && into.stdout.is_empty());
    assert!(folder.read("y.npy") == through.stdout);

    let from = folder.relu(["x.npy", "-o", "-"]).output().unwrap();
    assert!(from.stdout == through.stdout);
}

#[test]
fn raw_files_of_every_dtype() {
    let folder = Folder::new();
    for &dtype in Dtype::ALL {
        let x = elements(dtype, 1001);
        folder.write("x.bin", &x);
        folder.succeed(&format!("x.bin -o y.bin --dtype {dtype}"));
        assert_eq!(folder.read("y.bin"), relu(dtype, &x), "{dtype}");
    }
    folder.write("x.bin", &[]);
    folder.succeed("x.bin -o y.bin --dtype f64");
    assert!(folder.read("y.bin").is_empty());
}

#[test]
fn one_line_says_what_was_done_and_quiet_says_nothing() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&vec![-1.0; 1 << 20]));
    let said = folder.succeed("x.npy -o y.npy --threads 2");
    // No bar either: standard error is no terminal here.
    assert_eq!(said.lines().count(), 1, "{said}");
    let backend = halfwave::backend().unwrap().name();
    let end = format!(" GB/s, 2 threads, {backend}, 100.0 % zeros\n");
    assert!(said.starts_with("1,048,576 f32 in "), "{said}");
    assert!(said.ends_with(&end), "{said}");

    assert_eq!(folder.succeed("x.npy -o y.npy --quiet"), "");
    assert_eq!(folder.names(), ["x.npy", "y.npy"]);
}

#[test]
fn help_teaches() {
    let folder = Folder::new();
    let help = folder.relu(["--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for text in [
        "Examples:",
        "--in-place",
        "model.safetensors",
        "HALFWAVE_ISA",
        "zcat",
        "'leaky_relu(slope=0.2)'",
        "--stats",
        "--compact y.npz",
    ] {
        assert!(help.contains(text), "{text}");
    }
}
