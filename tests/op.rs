//! `Op`, structured inputs, and the choice of a backend by the environment.

use std::process::Command;

use halfwave::*;
use proptest::prelude::*;

/// A dtype as bits, so that NaNs can be compared.
trait Bits: Element {
    fn from_bits(bits: u64) -> Self;
    fn bits(self) -> u64;
}

macro_rules! bits {
    ($($E:ident $U:ident: $from:expr, $to:expr;)*) => {$(
        impl Bits for $E {
            fn from_bits(bits: u64) -> Self {
                $from(bits as $U)
            }
            fn bits(self) -> u64 {
                $U::from($to(self)).into()
            }
        }
    )*};
}
bits! {
    f32 u32: f32::from_bits, f32::to_bits;
    f64 u64: f64::from_bits, f64::to_bits;
    f16 u16: f16::from_bits, f16::to_bits;
    bf16 u16: bf16::from_bits, bf16::to_bits;
    i8 u8: u8::cast_signed, i8::cast_unsigned;
    i16 u16: u16::cast_signed, i16::cast_unsigned;
    i32 u32: u32::cast_signed, i32::cast_unsigned;
    i64 u64: u64::cast_signed, i64::cast_unsigned;
    u8 u8: u8::from, u8::from;
    u16 u16: u16::from, u16::from;
    u32 u32: u32::from, u32::from;
    u64 u64: u64::from, u64::from;
}

fn random<E: Bits>(seed: u64) -> Vec<E> {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // From the top: the low bits have short periods.
        E::from_bits(state >> (64 - 8 * size_of::<E>()))
    };
    (0..500).map(|_| next()).collect()
}

/// Names of the calls, in the order of the functions below.
const CALLS: [&str; 5] = [
    "Apply",
    "ApplyInPlace",
    "Backward",
    "BackwardInPlace",
    "BackwardFromOutput",
];

/// What each call makes of `x`, `dy` and of `x` as an output, by `Op::run`.
fn by_run<E: Bits>(op: Op, b: Backend, x: &[E], dy: &[E]) -> [Result<Vec<E>, OpError>; 5] {
    fn made<E: Clone>(
        y: &[E],
        f: impl FnOnce(&mut [E]) -> Result<(), OpError>,
    ) -> Result<Vec<E>, OpError> {
        let mut y = y.to_vec();
        f(&mut y).map(|()| y)
    }
    [
        made(dy, |y| op.run(b, Call::Apply(x, y))),
        made(x, |y| op.run(b, Call::ApplyInPlace(y))),
        made(x, |dx| op.run(b, Call::Backward(x, dy, dx))),
        made(dy, |dx| op.run(b, Call::BackwardInPlace(x, dx))),
        made(x, |dx| op.run(b, Call::BackwardFromOutput(x, dy, dx))),
    ]
}

/// The same by the methods that know the types, as far as the dtype has them.
type Typed<E> = [Option<Vec<E>>; 5];

fn typed_map<O: Operation<E>, E: Bits>(op: O, b: Backend, x: &[E]) -> Vec<E> {
    let mut y = x.to_vec();
    b.apply(op, x, &mut y);
    y
}

fn typed<O: Operation<E>, E: Bits + Float>(op: O, b: Backend, x: &[E], dy: &[E]) -> Typed<E> {
    let (y, mut dx) = (typed_map(op, b, x), x.to_vec());
    b.backward(op, x, dy, &mut dx);
    let from_output = op.has_backward_from_output::<E>().then(|| {
        let mut dx = x.to_vec();
        b.backward_from_output(op, x, dy, &mut dx);
        dx
    });
    [
        Some(y.clone()),
        Some(y),
        Some(dx.clone()),
        Some(dx),
        from_output,
    ]
}

/// What the typed methods make of x and dy. It is no type of its own, so that the compiler has one `assert_runs` for a
/// dtype rather than one for each operation as well.
type Want<'a, E> = &'a dyn Fn(Backend, &[E], &[E]) -> Typed<E>;

/// Asserts that each call gives what the typed method does, or the error that says why there is none.
fn assert_runs<E: Bits>(op: Op, want: Want<E>) {
    let (x, dy) = (random::<E>(1), random::<E>(2));
    for b in backends() {
        for b in [*b, b.par()] {
            let typed = want(b, &x, &dy);
            for ((call, got), want) in CALLS.iter().zip(by_run(op, b, &x, &dy)).zip(typed) {
                let context = format!("{op} {} {b:?} {call}", E::DTYPE);
                match (got, want) {
                    (Ok(got), Some(want)) => {
                        let bits = |y: &[E]| y.iter().map(|y| y.bits()).collect::<Vec<_>>();
                        assert_eq!(bits(&got), bits(&want), "{context}");
                    }
                    (Err(OpError::FromOutput(of)), None) => {
                        assert_eq!((of, *call), (op, "BackwardFromOutput"));
                        assert!(!op.has_backward_from_output::<E>(), "{context}");
                    }
                    (Err(OpError::Dtype(of, dtype)), None) => {
                        assert_eq!((of, dtype), (op, E::DTYPE), "{context}");
                        let maps = call.starts_with("Apply");
                        assert!(!maps || !op.dtypes().contains(&dtype), "{context}");
                        assert!(maps || !Dtype::FLOATS.contains(&dtype), "{context}");
                    }
                    (got, want) => panic!("{context}: {} and {}", got.is_ok(), want.is_some()),
                }
            }
        }
    }
}

macro_rules! runs {
    ($($name:ident: $Op:ident in $Row:ident;)*) => {
        /// `Op` makes every call as the operation it names does, on every dtype, or says why not.
        #[test]
        fn every_op_is_the_operation_it_names() {
            $({
                let op = $Op::default();
                assert_eq!(stringify!($name).parse(), Ok(Op::$Op(op)));
                runs!(@floats $Op op: f32 f64 f16 bf16);
                runs!(@ints $Row $Op op: i8 i16 i32 i64 u8 u16 u32 u64);
            })*
        }
    };
    (@floats $Op:ident $op:ident: $($E:ident)*) => {$(
        assert_runs::<$E>(Op::$Op($op), &|b, x, dy| typed($op, b, x, dy));
    )*};
    (@ints All $Op:ident $op:ident: $($E:ident)*) => {$(
        assert_runs::<$E>(Op::$Op($op), &|b, x, _| {
            let y = typed_map($op, b, x);
            [Some(y.clone()), Some(y), None, None, None]
        });
    )*};
    (@ints Floats $Op:ident $op:ident: $($E:ident)*) => {$(
        assert_runs::<$E>(Op::$Op($op), &|_, _, _| [const { None }; 5]);
    )*};
}
halfwave_kernels::for_each_op!(runs);

/// The methods of `Op` are its calls on the backend of choice.
#[test]
fn the_methods_of_an_op_are_its_calls() {
    let op: Op = "leaky_relu(slope=0.25)".parse().unwrap();
    let (x, dy) = ([-1.0f32, 0.0, 2.0], [4.0; 3]);
    let mut y = [9.0; 3];
    op.apply(&x, &mut y).unwrap();
    assert_eq!(y, [-0.25, 0.0, 2.0]);
    op.apply_in_place(&mut y).unwrap();
    assert_eq!(y, [-0.0625, 0.0, 2.0]);
    op.par_apply_in_place(&mut y).unwrap();
    assert_eq!(y, [-0.015625, 0.0, 2.0]);
    op.par_apply(&x, &mut y).unwrap();
    assert_eq!(y, [-0.25, 0.0, 2.0]);
    let mut dx = [9.0; 3];
    op.backward(&x, &dy, &mut dx).unwrap();
    assert_eq!(dx, [1.0, 1.0, 4.0]);
    dx = [9.0; 3];
    op.backward_from_output(&y, &dy, &mut dx).unwrap();
    assert_eq!(dx, [1.0, 1.0, 4.0]);

    let mut ints = [1i8, -1];
    let error = op.apply_in_place(&mut ints).unwrap_err();
    assert_eq!(error, OpError::Dtype(op, Dtype::I8));
    assert_eq!(ints, [1, -1]);
    let error = error.to_string();
    assert!(
        error.contains("i8") && error.contains("f32 f64 f16 bf16"),
        "{error}"
    );
    let error = Op::Relu(Relu)
        .backward(&[1i8], &[1], &mut [0])
        .unwrap_err()
        .to_string();
    assert!(error.contains("no derivative on i8"), "{error}");
}

/// The bounds of clip are what the user wrote, by every way to write them.
#[test]
fn clip_keeps_integers_that_f64_does_not_have() {
    const ODD: i64 = 9007199254740993; // 2^53 + 1
    let clip = Clip::exact(ODD, i64::MAX).unwrap();
    let op: Op = "clip(min=9007199254740993, max=9223372036854775807)"
        .parse()
        .unwrap();
    assert_eq!(op, Op::Clip(clip));
    for b in backends() {
        let x = [0, ODD - 1, ODD, ODD + 1, i64::MIN, i64::MAX];
        let want = [ODD, ODD, ODD, ODD + 1, ODD, i64::MAX];
        let mut y = [0; 6];
        b.apply(clip, &x, &mut y);
        assert_eq!(y, want, "{b:?}");
        y = [0; 6];
        op.on(*b).apply(&x, &mut y).unwrap();
        assert_eq!(y, want, "{b:?}");
    }
    assert_eq!(Clip::exact(0, u64::MAX).unwrap().eval(u64::MAX), u64::MAX);
    assert_eq!(
        Clip::exact(u64::MAX, u64::MAX).unwrap().eval(7u64),
        u64::MAX
    );
    assert_eq!(Clip::exact(i64::MIN, i64::MIN).unwrap().eval(0), i64::MIN);
    // A float takes the nearest number that it has.
    assert_eq!(clip.eval(0.0), 9007199254740992.0);
}

/// So is the ceiling of relu_n.
#[test]
fn relu_n_keeps_an_integer_that_f64_does_not_have() {
    const ODD: i64 = 9007199254740993; // 2^53 + 1
    let relu_n = ReluN::exact(ODD).unwrap();
    let op: Op = "relu_n(ceiling=9007199254740993)".parse().unwrap();
    assert_eq!(op, Op::ReluN(relu_n));
    assert_eq!(op.to_string().parse(), Ok(op));
    for b in backends() {
        let x = [i64::MIN, -1, 0, 1, ODD - 1, ODD, ODD + 1, i64::MAX];
        let want = [0, 0, 0, 1, ODD - 1, ODD, ODD, ODD];
        let mut y = [0; 8];
        b.apply(relu_n, &x, &mut y);
        assert_eq!(y, want, "{b:?}");
        y = [0; 8];
        op.on(*b).apply(&x, &mut y).unwrap();
        assert_eq!(y, want, "{b:?}");
    }
    // Other integers round it down, and take their largest for what they do not hold.
    assert_eq!(ReluN::new(2.75).unwrap().eval(9u8), 2);
    assert_eq!(ReluN::new(0.5).unwrap().eval(9i32), 0);
    assert_eq!(ReluN::new(1e300).unwrap().eval(i8::MAX), i8::MAX);
    assert_eq!(ReluN::exact(u64::MAX).unwrap().eval(u64::MAX), u64::MAX);
    // A float takes the nearest number that it has.
    assert_eq!(relu_n.eval(1e300), 9007199254740992.0);
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

fn bits(op: Op) -> impl Iterator<Item = u64> {
    op.values().map(|value| value.to_f64().to_bits())
}

/// Any operation with any numbers for its parameters, most of them allowed.
fn op_and_values() -> impl Strategy<Value = (Op, Vec<f64>)> {
    let op = prop::sample::select(Op::all());
    op.prop_flat_map(|op| {
        let number = prop_oneof![-10.0..10.0, any::<f64>(), Just(f64::INFINITY), Just(-0.0)];
        let values = prop::collection::vec(number, op.parameters().len());
        (Just(op), values)
    })
}

proptest! {
    /// Any string either parses to what prints and parses the same, or is an error that quotes its
    /// name, or says whose parameters are wrong.
    #[test]
    fn parsing_never_panics(s in prop_oneof!["\\PC*", "[ (]?re?lu[6 )]?", "clip\\([maxin=01,.() -]*"]) {
        match s.parse::<Op>() {
            Ok(op) => prop_assert_eq!(op.to_string().parse(), Ok(op)),
            Err(error) => {
                let name = s.split('(').next().unwrap();
                let known = Op::all().iter().any(|op| op.name() == name);
                let said = if known { name.into() } else { format!("{name:?}") };
                prop_assert!(error.to_string().contains(&said), "{}", error);
            }
        }
    }

    /// Parameters come back from print to the bit, or are refused for what they are.
    #[test]
    fn parameters_survive_printing((op, values) in op_and_values()) {
        let given = op.parameters().iter().zip(&values);
        let given: Vec<_> = given.map(|(p, value)| format!("{}={value:?}", p.name)).collect();
        let text = match &given[..] {
            [] => op.name().into(),
            _ => format!("{}({})", op.name(), given.join(",")),
        };
        match text.parse::<Op>() {
            Ok(parsed) => {
                let same = bits(parsed).eq(values.iter().map(|x| x.to_bits()));
                prop_assert!(same && parsed.name() == op.name(), "{} is not {}", parsed, text);
                let again: Op = parsed.to_string().parse().unwrap();
                prop_assert!(bits(again).eq(bits(parsed)));
            }
            Err(OpError::Parameter(_, ParameterError::Range(parameter, value))) => {
                prop_assert!(parameter.check(value).is_err());
                let message = text.parse::<Op>().unwrap_err().to_string();
                prop_assert!(message.contains(parameter.name), "{}", message);
            }
            // They do not go together.
            Err(OpError::Parameter(..)) => prop_assert!(values.len() > 1),
            Err(error) => prop_assert!(false, "{}: {}", text, error),
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
