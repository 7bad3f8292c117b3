//! .safetensors: what is transformed, and that nothing else changes.

use halfwave::Dtype;
use safetensors::SafeTensors;

use crate::support::{Folder, elements, relu};

/// Name, dtype in the file, dtype here, how many elements.
type Tensor = (&'static str, &'static str, Option<Dtype>, usize);

/// The first tensor has three bytes, so that the others lie at odd places; and they are not in the
/// order of their names.
const TENSORS: [Tensor; 15] = [
    ("z.mask", "BOOL", None, 3),
    ("w.f32", "F32", Some(Dtype::F32), 1001),
    ("w.f64", "F64", Some(Dtype::F64), 77),
    ("a.bool", "BOOL", None, 1),
    ("w.f16", "F16", Some(Dtype::F16), 33),
    ("w.bf16", "BF16", Some(Dtype::Bf16), 35),
    ("w.i8", "I8", Some(Dtype::I8), 5),
    ("w.i16", "I16", Some(Dtype::I16), 21),
    ("w.i32", "I32", Some(Dtype::I32), 22),
    ("w.i64", "I64", Some(Dtype::I64), 0),
    ("w.u8", "U8", Some(Dtype::U8), 7),
    ("w.u16", "U16", Some(Dtype::U16), 8),
    ("w.u32", "U32", Some(Dtype::U32), 9),
    ("w.u64", "U64", Some(Dtype::U64), 10),
    ("scalar", "F32", Some(Dtype::F32), 1),
];

/// A file of [`TENSORS`], and what its data should become if those that `chosen` says are
/// transformed.
fn file(chosen: impl Fn(&str) -> bool) -> (Vec<u8>, Vec<u8>) {
    let mut header = r#"{"__metadata__":{"format":"pt","note":"kept \u2603"}"#.to_string();
    let (mut data, mut want) = (Vec::<u8>::new(), Vec::<u8>::new());
    for (name, stored, dtype, n) in TENSORS {
        let x = match dtype {
            Some(dtype) => elements(dtype, n),
            None => vec![0x80; n],
        };
        let (start, end) = (data.len(), data.len() + x.len());
        let shape = if name == "scalar" {
            String::new()
        } else {
            n.to_string()
        };
        header += &format!(
            r#","{name}":{{"dtype":"{stored}","shape":[{shape}],"data_offsets":[{start},{end}]}}"#
        );
        data.extend(&x);
        want.extend(match dtype {
            Some(dtype) if chosen(name) => relu(dtype, &x),
            _ => x,
        });
    }
    header += "}   ";
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let mut result = file.clone();
    file.extend(data);
    result.extend(want);
    (file, result)
}

#[test]
fn every_tensor_the_operation_takes_and_nothing_else() {
    let folder = Folder::new();
    let (x, y) = file(|_| true);
    assert!(SafeTensors::deserialize(&x).is_ok() && x != y);
    folder.write("x.safetensors", &x);
    let said = folder.succeed("x.safetensors -o y.safetensors");
    assert_eq!(folder.read("y.safetensors"), y);
    let mut lines = said.lines();
    assert_eq!(
        lines.next(),
        Some("copied unchanged: z.mask (BOOL), a.bool (BOOL)")
    );
    let summary = lines.next().unwrap();
    assert!(
        summary.starts_with("1,229 f32+f64+f16+bf16+i8+i16+i32+i64+u8+u16+u32+u64 in "),
        "{said}"
    );
    assert_eq!(lines.next(), None);
}

#[test]
fn only_the_tensors_asked_for() {
    let folder = Folder::new();
    let (x, y) = file(|name| ["w.f16", "w.i32"].contains(&name));
    folder.write("x.safetensors", &x);
    let said = folder.succeed("x.safetensors --in-place --tensor w.i32 --tensor w.f16");
    assert_eq!(folder.read("x.safetensors"), y);
    assert!(said.contains("z.mask (BOOL), w.f32 (F32),"), "{said}");
    assert!(said.contains(" and 5 more\n55 f16+i32 in "), "{said}");
}

#[test]
fn tensors_that_cannot_be_meant() {
    let folder = Folder::new();
    let (x, _) = file(|_| true);
    folder.write("x.safetensors", &x);
    let said = folder.fail(1, "x.safetensors --in-place --tensor w.f61");
    assert!(
        said.contains("x.safetensors: it has no tensor \"w.f61\"; it has z.mask, w.f32"),
        "{said}"
    );
    let said = folder.fail(1, "x.safetensors --in-place --tensor z.mask");
    assert!(
        said.contains("tensor \"z.mask\" is BOOL; relu takes f32 f64"),
        "{said}"
    );
    folder.fail(2, "x.safetensors --in-place --dtype f32");
    assert_eq!(folder.read("x.safetensors"), x);
    assert_eq!(folder.names(), ["x.safetensors"]);
}

#[test]
fn a_file_without_tensors_is_copied_and_one_without_any_to_transform_is_refused() {
    let folder = Folder::new();
    let empty = b"\x02\0\0\0\0\0\0\0{}";
    folder.write("x.safetensors", empty);
    folder.succeed("x.safetensors -o y.safetensors");
    assert_eq!(folder.read("y.safetensors"), empty);

    let json = br#"{"m":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}"#;
    let mut only_bools = (json.len() as u64).to_le_bytes().to_vec();
    only_bools.extend(json);
    only_bools.extend([1, 0]);
    folder.write("x.safetensors", &only_bools);
    let said = folder.fail(1, "x.safetensors -o y.safetensors");
    assert!(
        said.contains("no tensor to transform, only m (BOOL); relu takes"),
        "{said}"
    );
    assert_eq!(folder.read("y.safetensors"), empty);
}
