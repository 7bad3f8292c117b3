//! Hashes of every result, to prove that a change moves none.
//!
//! Every operation, with its defaults and with odd parameters, goes through every form, dtype and
//! backend, on inputs that are a function of the dtype alone: all edges, and all bits or 2^20 random
//! ones. Each outcome is a line of six words: the operation, the form, the dtype, the backend, the hash
//! of the bits, and that of the numbers, in which every NaN is the same. Run at two commits on one
//! machine, what moved is what `diff` shows:
//!
//! ```sh
//! HALFWAVE_HASHES=/tmp/before cargo test --release --test hashes -- --ignored
//! ```

mod bits;
mod bytes;
mod fused;
mod inputs;
mod lines;
mod names;
mod operations;
mod plain;
mod slopes;
mod sparse;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bits::Bits;
use inputs::{Few, Pairs};
use lines::{Forms, Line};
use names::*;
use operations::{Form, Setting, settings, with_float_type, with_int_type};

/// Operations that are correct to the last bit on no float dtype but `f16` and `bf16`, so that a backend
/// without a fused multiplication and addition may give other bits than those that have one.
const SMOOTH: &[&str] = &[
    "sigmoid",
    "log_sigmoid",
    "tanh",
    "tanh_shrink",
    "softplus",
    "elu",
    "celu",
    "selu",
    "silu",
    "gelu",
    "gelu_tanh",
    "quick_gelu",
    "mish",
];

/// What a new operation needs to be hashed, in `operations.rs`: two odd settings, if it has parameters, and
/// its type in the list of floats, and in that of integers if it takes them.
#[test]
fn every_operation_is_listed() {
    struct Nothing;
    impl<E: Element> Form<E> for Nothing {
        fn run<O: Operation<E>>(self, _: O) {}
    }
    for Setting { op, .. } in settings() {
        assert!(with_float_type::<f32>(op, Nothing), "{op} on floats");
        let takes_integers = op.dtypes().contains(&i8::DTYPE);
        assert_eq!(
            with_int_type::<i8>(op, Nothing),
            takes_integers,
            "{op} on integers"
        );
    }
}

#[test]
#[ignore = "takes minutes: to compare two commits, or what a backend gives with what another does"]
fn hashes() {
    let mut lines = vec![];
    ints::<i8>(&mut lines);
    ints::<i16>(&mut lines);
    ints::<i32>(&mut lines);
    ints::<i64>(&mut lines);
    ints::<u8>(&mut lines);
    ints::<u16>(&mut lines);
    ints::<u32>(&mut lines);
    ints::<u64>(&mut lines);
    floats::<f32>(&mut lines);
    floats::<f64>(&mut lines);
    floats::<f16>(&mut lines);
    floats::<bf16>(&mut lines);
    to_bytes::<f32>(&mut lines);
    to_bytes::<f16>(&mut lines);
    to_bytes::<bf16>(&mut lines);
    tables(&mut lines);

    let text: Vec<_> = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = text.concat();
    print!("{text}");
    if let Some(path) = std::env::var_os("HALFWAVE_HASHES").map(PathBuf::from) {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    assert_backends_agree(&lines);
}

fn ints<E: Bits + Element>(lines: &mut Vec<Line>)
where
    halfwave::Relu: Operation<E>,
    halfwave::Relu6: Operation<E>,
    halfwave::ReluN: Operation<E>,
    halfwave::Clip: Operation<E>,
{
    let pairs = inputs::<E>(lines);
    for Setting { word, op } in settings() {
        for &b in backends() {
            let forms = &mut Forms::new::<E>(lines, word, b);
            let has = with_int_type(
                op,
                plain::Map {
                    forms,
                    pairs: &pairs,
                },
            );
            assert_eq!(has, op.dtypes().contains(&E::DTYPE), "{op} {}", E::LABEL);
        }
    }
}

/// The inputs, as a line of their own.
fn inputs<E: Bits>(lines: &mut Vec<Line>) -> Pairs<E> {
    let pairs = Pairs::all();
    let mut forms = Forms::new::<E>(lines, "inputs", backend().expect("a backend"));
    forms.add("pairs", &pairs.x);
    forms.add("pairs", &pairs.dy);
    let few = Few::<E>::new();
    for of in [few.a, few.b, few.c] {
        forms.add("few", &of);
    }
    pairs
}

fn floats<E: Bits + Float>(lines: &mut Vec<Line>) {
    let (pairs, few) = (&inputs::<E>(lines), &Few::<E>::new());
    for setting in settings() {
        let Setting { word, op } = setting;
        for &b in backends() {
            let forms = &mut Forms::new::<E>(lines, word, b);
            let mut done = with_float_type(op, plain::Map { forms, pairs });
            let from_output = op.has_backward_from_output::<E>();
            let derivative = plain::Derivative {
                forms,
                pairs,
                from_output,
            };
            done &= with_float_type(op, derivative);
            if setting.is_default() {
                done &= with_float_type(op, fused::Affine { forms, few });
                done &= with_float_type(op, fused::Gate { forms, few });
            }
            assert!(done, "{op} is missing in the list of types");
        }
    }
    let chosen = backend().expect("a backend");
    fused::named_gates(&mut Forms::new::<E>(lines, "named_gates", chosen), few);
    for &b in backends() {
        {
            let forms = &mut Forms::new::<E>(lines, "bilinear", b);
            fused::Gate { forms, few }.run(BILINEAR);
        }
        sparse::sparse(&mut Forms::new::<E>(lines, "sparsity", b), pairs);
        slopes::prelu(&mut Forms::new::<E>(lines, "prelu", b), pairs);
        for bounds in slopes::BOUNDS {
            let [lower, upper] = bounds;
            let what = format!("rrelu_training(lower={lower:?},upper={upper:?})");
            slopes::rrelu(&mut Forms::new::<E>(lines, what, b), pairs, bounds);
        }
    }
}

fn to_bytes<E: Bits + Quantizable>(lines: &mut Vec<Line>) {
    let (pairs, few) = (&Pairs::<E>::all(), &Few::<E>::new());
    for &b in backends() {
        for &op in Op::all() {
            let forms = &mut Forms::new::<E>(lines, op.name(), b);
            let done = with_float_type(op, bytes::ToBytes { forms, few });
            assert!(done, "{op} is missing in the list of types");
        }
        let forms = &mut Forms::new::<E>(lines, "numbers", b);
        bytes::quantize::<E, i8>(forms, pairs);
        bytes::quantize::<E, u8>(forms, pairs);
    }
}

fn tables(lines: &mut Vec<Line>) {
    for Setting { word, op } in settings() {
        let forms = &mut Forms::new::<u8>(lines, word, backend().expect("a backend"));
        bytes::table::<i8, i8>(forms, op, "lut8_i8_i8");
        bytes::table::<i8, u8>(forms, op, "lut8_i8_u8");
        bytes::table::<u8, i8>(forms, op, "lut8_u8_i8");
        bytes::table::<u8, u8>(forms, op, "lut8_u8_u8");
    }
    for &b in backends() {
        let forms = &mut Forms::new::<u8>(lines, "lookup", b);
        bytes::lookup::<i8, i8>(forms, "lut8_i8_i8");
        bytes::lookup::<i8, u8>(forms, "lut8_i8_u8");
        bytes::lookup::<u8, i8>(forms, "lut8_u8_i8");
        bytes::lookup::<u8, u8>(forms, "lut8_u8_u8");
    }
}

/// Panics unless the backends agree as far as they must.
fn assert_backends_agree(lines: &[Line]) {
    let mut by_form = BTreeMap::<_, Vec<&Line>>::new();
    for line in lines {
        let key = (&line.what, &line.form, line.dtype);
        by_form.entry(key).or_default().push(line);
    }
    let mut differ = vec![];
    for of_form in by_form.values() {
        let (first, rest) = of_form.split_first().expect("a line");
        let disagrees = |line: &&&Line| match agreement(line) {
            Agreement::Bits => line.digest != first.digest,
            Agreement::Numbers => line.digest.numbers != first.digest.numbers,
            Agreement::None => false,
        };
        let disagree = rest.iter().filter(disagrees);
        differ.extend(disagree.map(|line| format!("{line}, but {first}")));
    }
    assert!(
        differ.is_empty(),
        "{} lines differ:\n{differ:#?}",
        differ.len()
    );
}

/// What a backend's line must have in common with that of the widest backend.
enum Agreement {
    Bits,
    /// All but which NaN it is.
    Numbers,
    None,
}

fn agreement(line: &Line) -> Agreement {
    let name = line.what.split('(').next().expect("a name");
    let half = [f16::LABEL, bf16::LABEL].contains(&line.dtype);
    match line.backend {
        "portable" if SMOOTH.contains(&name) => match half && line.form.starts_with("apply") {
            true => Agreement::Numbers,
            false => Agreement::None,
        },
        _ => Agreement::Bits,
    }
}
