//! Whatever floating-point environment the caller has, and whatever the threads of the pool have, the bits
//! are those of the default, and the environment is what it was.
#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

#[path = "../floats/mod.rs"]
mod floats;
mod forms;
mod register;

use floats::Plain;
use forms::{Inputs, Log};
use halfwave::*;

/// Parameters beside the defaults: such as are subnormal, and such as have to be rounded.
const SETTINGS: &[&str] = &[
    "celu(alpha=0.3)",
    "clip(min=-1e-40,max=1e-40)",
    "elu(alpha=0.3)",
    "elu(alpha=1e-39)",
    "elu(alpha=-1e-310)",
    "elu(alpha=65519.9999)", // the f32 beside it is 65520, from where on f16 is infinite
    "hard_shrink(lambd=1e-40)",
    "hard_sigmoid(alpha=0.3,beta=-0.7)",
    "leaky_relu(slope=1e-40)",
    "leaky_relu(slope=0.1)",
    "relu_n(ceiling=0.1)",
    "rrelu(lower=-0.5,upper=0.7)",
    "shrink(lambd=0.3,bias=0.1)",
    "silu(beta=1.702)",
    "soft_shrink(lambd=1e-310)",
    "softplus(beta=0.1)",
    "threshold(threshold=1e-40,value=-1e-40)",
];

fn operations() -> Vec<Op> {
    let odd = SETTINGS.iter().map(|text| text.parse().unwrap());
    Op::all().iter().copied().chain(odd).collect()
}

/// Everything on one dtype and backend, by the name of the operation.
struct Cases<E> {
    operations: Vec<Op>,
    inputs: Inputs<E>,
    rrelu: RreluTraining,
    run: fn(&Self, Option<Op>, Backend, &mut Log),
}

impl<E: Plain> Cases<E> {
    fn new(run: fn(&Self, Option<Op>, Backend, &mut Log)) -> Self {
        Self {
            operations: operations(),
            inputs: Inputs::new(),
            rrelu: RreluTraining::new(0.1, 0.3, 42).unwrap(),
            run,
        }
    }

    /// What all of it makes here and now, of every operation and then of those forms that have none.
    fn log(&self, backend: Backend) -> Vec<Log> {
        let operations = self.operations.iter().map(|op| Some(*op));
        let mut logs = vec![];
        for op in operations.chain([None]) {
            let mut log = Log::new();
            (self.run)(self, op, backend, &mut log);
            logs.push(log);
        }
        logs
    }

    /// Compares what it makes in the place where `here` runs it with what it makes here.
    fn compare(
        &self,
        place: &str,
        failed: &mut Failed,
        here: impl Fn(&(dyn Fn() -> Vec<Log> + Sync)) -> Vec<Log>,
    ) {
        for &backend in backends() {
            let want = self.log(backend);
            for on in [backend, backend.par()] {
                let got = here(&|| self.log(on));
                for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                    let op = self
                        .operations
                        .get(i)
                        .map_or(String::new(), |op| op.to_string());
                    if got.made.len() != want.made.len() {
                        failed.say(format!(
                            "other forms of {op} {} on {on:?}, {place}",
                            E::DTYPE
                        ));
                    }
                    for ((form, got), (_, want)) in got.made.iter().zip(&want.made) {
                        failed.cases += 1;
                        if got != want {
                            failed.say(format!("{form} of {op} {} on {on:?}, {place}", E::DTYPE));
                        }
                    }
                    for form in &got.changed {
                        failed.say(format!("{form} of {op} on {on:?} changes: {place}"));
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Failed {
    cases: usize,
    messages: Vec<String>,
}

impl Failed {
    fn say(&mut self, message: String) {
        self.messages.push(message);
    }

    #[track_caller]
    fn check(self) {
        let Self { cases, messages } = self;
        let first = messages.iter().take(20).map(|m| format!("\n{m}"));
        let first = first.collect::<String>();
        assert!(
            messages.is_empty(),
            "{} of {cases} cases failed:{first}",
            messages.len()
        );
    }
}

/// Calls `compare` for every dtype.
fn compare_all(
    place: &str,
    failed: &mut Failed,
    here: impl Fn(&(dyn Fn() -> Vec<Log> + Sync)) -> Vec<Log> + Copy,
) {
    fn floats<E: Plain>(cases: &Cases<E>, op: Option<Op>, backend: Backend, log: &mut Log) {
        match op {
            Some(op) => forms::of_operation(log, op, backend, &cases.inputs),
            None => forms::others(log, backend, &cases.inputs, cases.rrelu),
        }
    }
    fn quantizable<E: Plain + Quantizable>(
        cases: &Cases<E>,
        op: Option<Op>,
        backend: Backend,
        log: &mut Log,
    ) {
        floats(cases, op, backend, log);
        match op {
            Some(op) => forms::to_bytes(log, op, backend, &cases.inputs),
            None => forms::bytes(log, backend, &cases.inputs),
        }
    }
    // Pieces of few elements.
    parallel::set_break_even(1);
    Cases::<f32>::new(quantizable).compare(place, failed, here);
    Cases::<f64>::new(floats).compare(place, failed, here);
    Cases::<f16>::new(quantizable).compare(place, failed, here);
    Cases::<bf16>::new(quantizable).compare(place, failed, here);
}

#[test]
fn the_callers_environment_changes_no_result() {
    let mut failed = Failed::default();
    for (name, environment) in register::CHANGED {
        compare_all(name, &mut failed, |log| register::under(*environment, log));
    }
    failed.check();
}

#[test]
fn the_environment_of_the_pools_threads_changes_no_result() {
    let mut failed = Failed::default();
    for &(name, environment) in register::CHANGED {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .start_handler(move |_| register::set(environment))
            .build()
            .unwrap();
        compare_all(&format!("{name} in the pool"), &mut failed, |log| {
            pool.install(log)
        });
        for control in pool.broadcast(|_| register::control()) {
            assert_eq!(control, environment, "{name}");
        }
    }
    failed.check();
}

/// Integers know nothing of it, but bounds are numbers that become integers.
#[test]
fn integers_have_the_same_bounds_in_every_environment() {
    fn check<E: Element + PartialEq + std::fmt::Debug>(x: &[E]) {
        for text in [
            "relu",
            "relu6",
            "relu_n(ceiling=2.5)",
            "clip(min=-1e-310,max=2.5)",
            "clip(min=1e-310,max=9.007199254740993e15)",
            "clip(min=-1.2e18,max=9.223372036854775e18)",
        ] {
            let op: Op = text.parse().unwrap();
            for backend in backends() {
                let apply = || op.on(*backend).apply_to_vec(x).unwrap();
                let want = apply();
                for (name, environment) in register::CHANGED {
                    let got = register::under(*environment, apply);
                    assert_eq!(got, want, "{op} {} on {backend:?}, {name}", E::DTYPE);
                }
            }
        }
    }
    check::<i8>(&[-128, -1, 0, 1, 2, 3, 7, 127]);
    check::<u32>(&[0, 1, 2, 3, 7, u32::MAX]);
    check::<i64>(&[
        i64::MIN,
        -1,
        0,
        1,
        2,
        3,
        7,
        1 << 53,
        (1 << 53) + 3,
        i64::MAX,
    ]);
    check::<u64>(&[0, 1, 2, 3, 7, 1 << 53, (1 << 53) + 3, u64::MAX]);
}

/// A function of the caller's own, from which a table is made, runs in the caller's environment.
#[test]
fn the_callers_function_has_the_callers_environment() {
    let grid = Quantization::<i8>::new(0.5, 0).unwrap();
    for &(name, environment) in register::CHANGED {
        let mut seen = 0;
        register::under(environment, || {
            Lut8::from_fn(
                |x| {
                    seen = register::control();
                    x
                },
                grid,
                grid,
            );
        });
        assert_eq!(seen, environment, "{name}");
    }
}

/// Lengths that differ are found before anything is computed, an output that does not suffice while it is.
#[test]
fn a_call_that_panics_leaves_the_environment_as_it_was() {
    let falls = LeakyRelu::new(-0.5).unwrap();
    let calls: [&dyn Fn(Backend); 2] = [&|on| on.apply(Gelu, &[1.0f32; 3], &mut [0.0; 4]), &|on| {
        on.backward_from_output(falls, &[1.0f32; 3], &[1.0; 3], &mut [0.0; 3])
    }];
    for &(name, environment) in register::CHANGED {
        for on in backends().iter().flat_map(|b| [*b, b.par()]) {
            for call in calls {
                let after = register::under(environment, || {
                    let call = std::panic::AssertUnwindSafe(|| call(on));
                    let panics = std::panic::catch_unwind(call).is_err();
                    (panics, register::control())
                });
                assert_eq!(after, (true, environment), "{name} on {on:?}");
            }
        }
    }
}
