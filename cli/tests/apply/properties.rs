//! Any header at all: taken exactly if NumPy's, or safetensors', rules allow it, and never a panic
//! or a changed file.

use halfwave::Dtype;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Folder, elements, npy_with, relu, safetensors_with, stderr};

/// Runs it on `file` as `x.EXTENSION`. Returns the result, if it is taken.
fn run(extension: &str, file: &[u8]) -> Result<Option<Vec<u8>>, TestCaseError> {
    let folder = Folder::new();
    let (x, y) = (format!("x.{extension}"), format!("y.{extension}"));
    folder.write(&x, file);
    folder.write(&y, b"precious");
    let output = folder.relu([&x, "-o", &y]).output().unwrap();
    let said = stderr(&output);
    prop_assert!(!said.contains("panicked"), "{}", said);
    prop_assert_eq!(folder.read(&x), file);
    prop_assert_eq!(folder.names(), [x.as_str(), &y]);
    let after = folder.read(&y);
    if output.status.success() {
        return Ok(Some(after));
    }
    prop_assert_eq!(output.status.code(), Some(1), "{}", said);
    prop_assert!(said.starts_with(&format!("halfwave: {x}: ")), "{}", said);
    prop_assert!(said.len() < 2000, "{}", said);
    prop_assert_eq!(after, b"precious");
    Ok(None)
}

/// What a .npy header says: for each part a Python expression, and what it stands for if NumPy takes
/// it there and relu takes it from there.
#[derive(Clone, Debug)]
struct Header {
    version: (u8, bool),
    descr: (&'static str, Option<Dtype>),
    fortran_order: (&'static str, bool),
    shape: (String, Option<u64>),
    /// More keys and values, before the others.
    more: (&'static str, bool),
}

impl Header {
    fn text(&self) -> String {
        let (descr, fortran_order) = (self.descr.0, self.fortran_order.0);
        let (shape, more) = (&self.shape.0, self.more.0);
        format!("{{{more}'descr': {descr}, 'fortran_order': {fortran_order}, 'shape': {shape}}}\n")
    }

    fn is_good(&self) -> bool {
        let known = self.descr.1.is_some() && self.shape.1.is_some();
        known && self.version.1 && self.fortran_order.1 && self.more.1
    }
}

prop_compose! {
    fn header()(
        version in select(vec![(1, true), (2, true), (3, true), (4, false)]),
        descr in prop_oneof![
            4 => select(vec![
                ("'<f4'", Some(Dtype::F32)),
                ("'>f4'", Some(Dtype::F32)),
                ("'<f8'", Some(Dtype::F64)),
                ("'>f2'", Some(Dtype::F16)),
                ("'|i1'", Some(Dtype::I8)),
                ("'>i2'", Some(Dtype::I16)),
                ("\"<i4\"", Some(Dtype::I32)),
                ("'<i8'", Some(Dtype::I64)),
                ("'|u1'", Some(Dtype::U8)),
                ("'>u4'", Some(Dtype::U32)),
            ]),
            1 => select(vec![
                "'<u3'", "'<f16'", "'|V2'", "'|O'", "'<M8[s]'", "'<f3'", "'<f'", "''", "'é'", "4",
                "[('a', '<f4')]", "{}", "None", "<f4", "'<f99999999999999999999'",
            ])
            .prop_map(|descr| (descr, None)),
        ],
        fortran_order in prop_oneof![
            6 => select(vec![("True", true), ("False", true)]),
            1 => select(vec!["0", "None", "'True'", "true"]).prop_map(|text| (text, false)),
        ],
        shape in prop_oneof![
            6 => prop::collection::vec(0..5u64, 0..4).prop_map(|dims| {
                let tuple: String = dims.iter().map(|dim| format!("{dim}, ")).collect();
                (format!("({tuple})"), Some(dims.iter().product()))
            }),
            1 => select(vec![
                "(-1,)", "3", "[3]", "('3',)", "(2.0,)", "(9223372036854775807, 3)", "", "(,)",
            ])
            .prop_map(|shape| (shape.into(), None)),
        ],
        more in prop_oneof![
            // Of two, the last counts.
            6 => select(vec![("", true), (" ", true), ("'shape': (7,), ", true)]),
            1 => select(vec!["'x': 1, ", "1: 1, ", ","]).prop_map(|text| (text, false)),
        ],
    ) -> Header {
        Header { version, descr, fortran_order, shape, more }
    }
}

/// One tensor of a .safetensors: dtype, dimensions, and the dtype if it is one to transform.
type Tensor = ((&'static str, usize, Option<Dtype>), Vec<usize>);

fn tensor() -> impl Strategy<Value = Tensor> {
    let dtypes = vec![
        ("F32", 4, Some(Dtype::F32)),
        ("BF16", 2, Some(Dtype::Bf16)),
        ("I64", 8, Some(Dtype::I64)),
        ("I8", 1, Some(Dtype::I8)),
        ("U8", 1, Some(Dtype::U8)),
        ("U32", 4, Some(Dtype::U32)),
        ("BOOL", 1, None),
    ];
    (select(dtypes), prop::collection::vec(0..4usize, 0..4))
}

/// What is wrong with a .safetensors.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A tensor lies where it should not.
    Offset,
    /// A shape does not fit its bytes.
    Shape,
    /// A dtype that nobody knows.
    Dtype,
    /// Bytes more or less than the header says.
    Excess(i64),
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Offset),
        1 => Just(Fault::Shape),
        1 => Just(Fault::Dtype),
        1 => (-9..9i64).prop_map(Fault::Excess),
    ]
}

fn resized(data: &[u8], excess: i64) -> Vec<u8> {
    let mut data = data.to_vec();
    data.resize((data.len() as i64 + excess).max(0) as usize, 0);
    data
}

/// No file is kept of what failed: it is printed.
fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(200)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn npy_headers(header in header(), excess in prop_oneof![6 => Just(0), 1 => -9..9i64]) {
        // As much as it says, so that it is not refused for that.
        let dtype = header.descr.1.unwrap_or(Dtype::F32);
        let mut data = elements(dtype, header.shape.1.unwrap_or(1) as usize);
        let sent = resized(&data, excess);
        let taken = header.is_good() && sent == data;
        let y = run("npy", &npy_with(header.version.0, &header.text(), &sent))?;
        prop_assert_eq!(y.is_some(), taken, "{}", header.text());
        if let Some(y) = y {
            if header.descr.0.contains('>') {
                data.chunks_mut(dtype.size()).for_each(<[u8]>::reverse);
            }
            prop_assert_eq!(&y[y.len() - data.len()..], relu(dtype, &data));
        }
    }

    #[test]
    fn npy_files_that_are_damaged(
        header in header(),
        changes in prop::collection::vec((0..100usize, any::<u8>()), 0..4),
        length in 0..200usize,
    ) {
        let mut file = npy_with(header.version.0, &header.text(), &[0x80; 64]);
        for (at, byte) in changes {
            let at = at % file.len();
            file[at] = byte;
        }
        file.truncate(length);
        if let Some(y) = run("npy", &file)? {
            prop_assert!(npyz::NpyHeader::from_reader(&y[..]).is_ok());
        }
    }

    #[test]
    fn safetensors_headers(
        tensors in prop::collection::vec(tensor(), 0..5),
        fault in fault(),
        at in any::<prop::sample::Index>(),
    ) {
        let faulty = (!tensors.is_empty()).then(|| at.index(tensors.len().max(1)));
        let (mut json, mut data, mut want) = (Vec::new(), Vec::new(), Vec::new());
        for (i, ((name, size, dtype), mut shape)) in tensors.iter().cloned().enumerate() {
            let bytes = size * shape.iter().product::<usize>();
            let (mut begin, mut end) = (data.len(), data.len() + bytes);
            let x = elements(dtype.unwrap_or(Dtype::I8), bytes / size);
            want.extend(dtype.map_or(x.clone(), |dtype| relu(dtype, &x)));
            data.extend(x);
            let mut name = name;
            if faulty == Some(i) {
                match fault {
                    Fault::Offset => (begin, end) = (begin + 5000, end + 5000),
                    Fault::Shape if bytes > 0 => shape.push(2),
                    Fault::Shape => shape = vec![1],
                    Fault::Dtype => name = "F31",
                    Fault::None | Fault::Excess(_) => {}
                }
            }
            json.push(format!(
                r#""t{i}":{{"dtype":"{name}","shape":{shape:?},"data_offsets":[{begin},{end}]}}"#
            ));
        }
        json.reverse(); // an object has no order
        let header = format!("{{{}}}", json.join(","));
        let sent = match fault {
            Fault::Excess(excess) => resized(&data, excess),
            _ => data.clone(),
        };
        let sound = matches!(fault, Fault::None | Fault::Excess(_)) || tensors.is_empty();
        let to_transform = tensors.is_empty() || tensors.iter().any(|((_, _, dtype), _)| dtype.is_some());
        let y = run("safetensors", &safetensors_with(&header, &sent))?;
        prop_assert_eq!(y.is_some(), sound && to_transform && sent == data, "{}", header);
        if let Some(y) = y {
            prop_assert_eq!(y, safetensors_with(&header, &want));
        }
    }

    #[test]
    fn safetensors_files_that_are_damaged(
        length in prop_oneof![0..100u64, any::<u64>()],
        json in "[{}\\[\\]\",:a0-9]{0,40}",
    ) {
        let mut file = length.to_le_bytes().to_vec();
        file.extend(json.as_bytes());
        run("safetensors", &file)?;
    }
}
