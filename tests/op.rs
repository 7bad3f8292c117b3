//! `Op`, structured inputs, and the choice of a backend by the environment.

use std::process::Command;

use halfwave::{Activation, Dtype, Element, Op, Operation, Relu, backends, bf16, f16};
use proptest::prelude::*;

/// `Op` gives the bits of the operation it names, in all its forms, on every dtype it lists.
#[test]
fn an_op_is_the_operation_it_names() {
    fn test<E: Element + std::fmt::Debug>(op: Op, make: impl Fn(i32) -> E)
    where
        Relu: Operation<E>,
    {
        assert!(op.dtypes().contains(&E::DTYPE));
        let x: Vec<E> = (-500..500).map(|i| make(i * 7919)).collect();
        let want = Relu.apply_to_vec(&x);
        let mut y = vec![E::default(); x.len()];
        op.apply(&x, &mut y).unwrap();
        assert_eq!(y, want);
        y.fill(E::default());
        op.par_apply(&x, &mut y).unwrap();
        assert_eq!(y, want);
        y.copy_from_slice(&x);
        op.apply_in_place(&mut y).unwrap();
        assert_eq!(y, want);
        y.copy_from_slice(&x);
        op.par_apply_in_place(&mut y).unwrap();
        assert_eq!(y, want);
    }
    let op: Op = "relu".parse().unwrap();
    assert_eq!(op, Op::Relu(Relu));
    assert_eq!(op.dtypes(), Dtype::ALL);
    test(op, |i| i as f32);
    test(op, f64::from);
    test(op, |i| f16::from_f32(i as f32 / 1e3));
    test(op, |i| bf16::from_f32(i as f32));
    test(op, |i| i as i8);
    test(op, |i| i as i16);
    test(op, |i| i);
    test(op, i64::from);
}

#[test]
fn dtypes_parse_from_what_they_print() {
    for &dtype in Dtype::ALL {
        assert_eq!(dtype.to_string().parse(), Ok(dtype));
    }
    let error = "F32".parse::<Dtype>().unwrap_err().to_string();
    assert!(error.contains(" f32") && error.contains(" i64"), "{error}");
}

#[test]
fn names_are_unique_and_listed() {
    let mut names: Vec<_> = Op::all().iter().map(|op| op.name()).collect();
    assert!(names.contains(&"relu"));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Op::all().len());
}

proptest! {
    /// Any string either parses to what prints and parses the same, or is an error that quotes it or
    /// its name.
    #[test]
    fn parsing_never_panics(s in prop_oneof!["\\PC*", "[ (]?re?lu[6 )]?", "clip\\([maxin=01,.() -]*"]) {
        match s.parse::<Op>() {
            Ok(op) => prop_assert_eq!(op.to_string().parse(), Ok(op)),
            Err(error) => {
                let name = s.split('(').next().unwrap();
                let error = error.to_string();
                prop_assert!(error.contains(&format!("{name:?}")) || error.contains(name), "{}", error);
            }
        }
    }

    /// Any slice of any vector: the bits of the definition, whatever surrounds it.
    #[test]
    fn any_slice(bits in prop::collection::vec(any::<u32>(), 0..400), skip in 0usize..40) {
        let x: Vec<f32> = bits.iter().map(|&b| f32::from_bits(b)).collect();
        let x = &x[skip.min(x.len())..];
        for b in backends() {
            let mut y = vec![f32::NAN; x.len()];
            b.apply(Relu, x, &mut y);
            for (&x, y) in x.iter().zip(y) {
                let want = if x < 0.0 { 0.0 } else { x };
                prop_assert_eq!(y.to_bits(), want.to_bits());
            }
        }
    }
}

/// `HALFWAVE_ISA` is read once, so each value takes a process of its own: this test, run again.
#[test]
fn the_environment_overrides_the_backend() {
    const CHILD: &str = "HALFWAVE_TEST_PRINT_BACKEND";
    if std::env::var_os(CHILD).is_some() {
        match halfwave::backend() {
            Ok(backend) => println!("chose <{}>", backend.name()),
            Err(error) => {
                println!("error <{error}>");
                Relu.eval(1.0f32);
            }
        }
        return;
    }
    let run = |isa: Option<&str>| {
        let mut child = this_program();
        child.args([
            "--exact",
            "the_environment_overrides_the_backend",
            "--nocapture",
        ]);
        match isa {
            Some(isa) => child.env("HALFWAVE_ISA", isa),
            None => child.env_remove("HALFWAVE_ISA"),
        };
        let output = child.env(CHILD, "1").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout) + &text(output.stderr),
        )
    };

    let (ok, text) = run(None);
    assert!(ok && text.contains("chose <"), "{text}");
    for b in backends() {
        let (ok, text) = run(Some(b.name()));
        assert!(
            ok && text.contains(&format!("chose <{}>", b.name())),
            "{text}"
        );
    }
    for wrong in ["", "avx9", "AVX2"] {
        let (ok, text) = run(Some(wrong));
        assert!(
            !ok,
            "an unknown backend must be an error, and a panic where none can be returned"
        );
        assert!(
            text.contains("error <HALFWAVE_ISA=") && text.contains("panicked"),
            "{text}"
        );
        assert!(backends().iter().all(|b| text.contains(b.name())), "{text}");
    }
}

/// This test program, to be run again: under an emulator, by the command that `.ci/aarch64` names.
fn this_program() -> Command {
    let program = std::env::current_exe().unwrap();
    let Ok(runner) = std::env::var("HALFWAVE_TEST_RUNNER") else {
        return Command::new(program);
    };
    let mut words = runner.split_whitespace();
    let mut command = Command::new(words.next().unwrap());
    command.args(words).arg(program);
    command
}
