//! `--stats`: the right numbers, in the right place.

use halfwave::Dtype;

use crate::support::{Folder, apply, elements, npy, npy_f32, safetensors_with, stderr};

/// Runs relu, expects success, and returns standard output: each line's words.
#[track_caller]
fn stats(folder: &Folder, args: &str) -> Vec<Vec<String>> {
    let output = folder.relu(args.split(' ')).output().unwrap();
    assert!(output.status.success(), "{args}: {}", stderr(&output));
    lines(&String::from_utf8(output.stdout).unwrap())
}

fn lines(text: &str) -> Vec<Vec<String>> {
    text.lines()
        .map(|line| line.split_whitespace().map(String::from).collect())
        .collect()
}

#[track_caller]
fn assert_stats(said: &[Vec<String>], want: [&str; 7]) {
    let names = [
        "elements",
        "non-zeros",
        "NaNs",
        "infinities",
        "min",
        "max",
        "mean",
    ];
    let want: Vec<String> = names
        .iter()
        .zip(want)
        .map(|(name, want)| format!("{name} {want}"))
        .collect();
    let said: Vec<String> = said.iter().map(|line| line.join(" ")).collect();
    assert_eq!(said, want);
}

#[test]
fn numbers_of_every_kind() {
    let folder = Folder::new();
    let x = [
        -1.0,
        0.1,
        -0.0,
        2.5,
        f32::NAN,
        -f32::NAN,
        f32::NEG_INFINITY,
        3.0,
    ];
    folder.write("x.npy", &npy_f32(&x));
    let said = stats(&folder, "x.npy -o y.npy --stats");
    assert_stats(
        &said,
        ["8", "5 62.5 %", "2", "0", "0.0", "3.0", "0.9333333"],
    );

    folder.write("x.npy", &npy_f32(&[f32::INFINITY, 1.0]));
    let said = stats(&folder, "x.npy --stats");
    assert_stats(&said, ["2", "2 100.0 %", "0", "1", "1.0", "inf", "inf"]);
}

#[test]
fn there_may_be_no_numbers() {
    let folder = Folder::new();
    for (x, elements, nonzeros) in [(&[][..], "0", "0 0.0 %"), (&[f32::NAN], "1", "1 100.0 %")] {
        folder.write("x.npy", &npy_f32(x));
        let said = stats(&folder, "x.npy --stats");
        assert_stats(&said, [elements, nonzeros, elements, "0", "-", "-", "-"]);
    }
}

#[test]
fn every_dtype_and_shortest_numbers() {
    let folder = Folder::new();
    for (dtype, x, max) in [
        (
            Dtype::F16,
            &[0x2e66u16.to_le_bytes(), 0xbc00u16.to_le_bytes()].concat()[..],
            "0.099976",
        ),
        (
            Dtype::Bf16,
            &[0x3dcdu16.to_le_bytes(), 0xbf80u16.to_le_bytes()].concat(),
            "0.1001",
        ),
        (
            Dtype::F64,
            &[0.1f64.to_le_bytes(), (-1f64).to_le_bytes()].concat(),
            "0.1",
        ),
        (Dtype::I8, &[127, 128], "127"),
        (
            Dtype::I64,
            &[1234567890i64.to_le_bytes(), (-5i64).to_le_bytes()].concat(),
            "1234567890",
        ),
        (Dtype::U8, &[0, 255], "255"),
        (Dtype::U32, &[[0; 4], [255; 4]].concat(), "4294967295"),
    ] {
        folder.write("x.bin", x);
        let said = stats(&folder, &format!("x.bin --dtype {dtype} --stats"));
        assert_eq!(said[5], ["max", max], "{dtype}");
        let zero = if Dtype::FLOATS.contains(&dtype) {
            "0.0"
        } else {
            "0"
        };
        assert_eq!(said[4], ["min", zero], "{dtype}");
        assert_eq!(said[1], ["non-zeros", "1", "50.0", "%"], "{dtype}");
    }
}

/// Of many chunks and pieces: the numbers a plain loop gives, on any number of threads.
#[test]
fn a_large_array() {
    let folder = Folder::new();
    let n = (9 << 20) / 4 + 13;
    let x = elements(Dtype::F32, n);
    folder.write("x.npy", &npy(1, "'<f4'", false, &format!("({n},)"), &x));
    let y = apply("relu6".parse().unwrap(), Dtype::F32, &x);
    let y = y
        .chunks(4)
        .map(|y| f32::from_le_bytes(y.try_into().unwrap()));
    let numbers: Vec<f64> = y.clone().filter(|y| !y.is_nan()).map(f64::from).collect();
    let nonzeros = y.clone().filter(|&y| y != 0.0).count();
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let mut before = None;
    for threads in [1, 2, 5] {
        let mut command = folder.apply("relu6");
        command.args([
            "x.npy",
            "--stats",
            "--quiet",
            "--threads",
            &threads.to_string(),
        ]);
        let output = command.output().unwrap();
        assert_eq!(stderr(&output), "");
        let said = lines(&String::from_utf8(output.stdout).unwrap());
        let counted = |i: usize| said[i][1].replace(',', "").parse::<usize>().unwrap();
        assert_eq!((counted(0), counted(1)), (n, nonzeros));
        assert_eq!(counted(2), n - numbers.len());
        assert_eq!(
            (&*said[3][1], &*said[4][1], &*said[5][1]),
            ("0", "0.0", "6.0")
        );
        let off = said[6][1].parse::<f64>().unwrap() / mean - 1.0;
        assert!(off.abs() < 1e-6, "{said:?} {mean}");
        assert!(before.is_none_or(|before| before == said));
        before = Some(said);
    }
    assert_eq!(folder.names(), ["x.npy"]);
}

#[test]
fn of_tensors_only_those_that_are_transformed() {
    let folder = Folder::new();
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I8","shape":[2],"data_offsets":[8,10]}}"#;
    let data = [&2.5f32.to_le_bytes()[..], &(-1f32).to_le_bytes(), &[7, 0]].concat();
    folder.write("x.safetensors", &safetensors_with(header, &data));
    let said = stats(&folder, "x.safetensors --stats");
    assert_stats(&said, ["4", "2 50.0 %", "0", "0", "0.0", "7.0", "2.375"]);
    let said = stats(&folder, "x.safetensors --stats --tensor b");
    assert_stats(&said, ["2", "1 50.0 %", "0", "0", "0", "7", "3.5"]);
}

#[test]
fn the_result_on_standard_output_is_not_mixed_with_them() {
    let folder = Folder::new();
    folder.write("x.npy", &npy_f32(&[-1.0, 1.0]));
    let output = folder
        .relu(["x.npy", "-o", "-", "--stats", "--quiet"])
        .output()
        .unwrap();
    let y = npyz::NpyFile::new(&output.stdout[..]).unwrap();
    assert_eq!(y.into_vec::<f32>().unwrap(), [0.0, 1.0]);
    let said = lines(&stderr(&output));
    assert_stats(&said, ["2", "1 50.0 %", "0", "0", "0.0", "1.0", "0.5"]);
}
