//! The operations with the parameters they are tried with.

use crate::names::*;

/// Odd parameters of every operation that has some: far from the defaults, of the other sign, at the
/// ends of what is accepted, and such that `f16` or `f32` cannot hold.
const SETTINGS: &[&str] = &[
    "celu(alpha=0.3)",
    "celu(alpha=65537)",
    "celu(alpha=1e-30)",
    "celu(alpha=1e30)",
    "celu(alpha=-0.3)",
    "celu(alpha=-1e30)",
    "clip(min=-inf,max=inf)",
    "clip(min=-0.1,max=0.3)",
    "clip(min=-0,max=6)",
    "clip(min=3,max=3)",
    "clip(min=5,max=-2)",
    "clip(min=-1e300,max=1e300)",
    "clip(min=-100.5,max=1000.25)",
    "elu(alpha=0.3)",
    "elu(alpha=-2.5)",
    "elu(alpha=0)",
    "elu(alpha=1e-30)",
    "elu(alpha=1e30)",
    "hard_shrink(lambd=0.1)",
    "hard_shrink(lambd=-0.5)",
    "hard_shrink(lambd=0)",
    "hard_shrink(lambd=1e-310)",
    "hard_shrink(lambd=1e39)",
    "hard_sigmoid(alpha=0.2,beta=0.5)",
    "hard_sigmoid(alpha=0.3,beta=-0.7)",
    "hard_sigmoid(alpha=1e-30,beta=-1e30)",
    "hard_sigmoid(alpha=1e30,beta=0.1)",
    "leaky_relu(slope=0.2)",
    "leaky_relu(slope=-0.5)",
    "leaky_relu(slope=0)",
    "leaky_relu(slope=-0)",
    "leaky_relu(slope=1)",
    "leaky_relu(slope=3.1)",
    "leaky_relu(slope=1e-310)",
    "leaky_relu(slope=-1e300)",
    "relu_n(ceiling=0.1)",
    "relu_n(ceiling=6)",
    "relu_n(ceiling=1e-310)",
    "relu_n(ceiling=1e300)",
    "rrelu(lower=-0.5,upper=0.7)",
    "rrelu(lower=0.1,upper=0.1)",
    "rrelu(lower=-1e300,upper=-1e30)",
    "shrink(lambd=0.3,bias=0.1)",
    "shrink(lambd=-0.3,bias=0.1)",
    "shrink(lambd=1.5,bias=1.5)",
    "shrink(lambd=0.1,bias=-1e30)",
    "silu(beta=1.702)",
    "silu(beta=-0.5)",
    "silu(beta=0)",
    "silu(beta=1e-30)",
    "silu(beta=1e30)",
    "soft_shrink(lambd=0.1)",
    "soft_shrink(lambd=0)",
    "soft_shrink(lambd=1e30)",
    "softplus(beta=0.1)",
    "softplus(beta=20)",
    "softplus(beta=1e-30)",
    "softplus(beta=1e30)",
    "threshold(threshold=0.1,value=-20)",
    "threshold(threshold=-0,value=-0)",
    "threshold(threshold=-inf,value=inf)",
    "threshold(threshold=inf,value=1e300)",
    "thresholded_relu(alpha=0.1)",
    "thresholded_relu(alpha=-1.5)",
    "thresholded_relu(alpha=-inf)",
    "thresholded_relu(alpha=inf)",
];

/// An operation with its parameters.
pub struct Setting {
    /// As lines name it: the name alone for the defaults, else as it is written above, however the library
    /// prints it.
    pub word: &'static str,
    pub op: Op,
}

impl Setting {
    fn parse(word: &'static str) -> Self {
        let op = word.parse().unwrap_or_else(|error| panic!("{error}"));
        Self { word, op }
    }

    pub fn is_default(&self) -> bool {
        self.word == self.op.name()
    }
}

/// Every operation with its defaults, and then with the odd parameters.
///
/// # Panics
/// If an operation with parameters has fewer than two odd settings.
pub fn settings() -> Vec<Setting> {
    let names = Op::all().iter().map(|op| op.name());
    let words = names.chain(SETTINGS.iter().copied());
    let all: Vec<_> = words.map(Setting::parse).collect();
    for op in Op::all() {
        let of_op = all.iter().filter(|setting| setting.op.name() == op.name());
        let needed = if op.parameters().is_empty() { 1 } else { 3 };
        assert!(of_op.count() >= needed, "{op} is missing in SETTINGS");
    }
    all
}

/// Something to do with an operation's own type.
pub trait Form<E: Element> {
    fn run<O: Operation<E>>(self, op: O);
}

macro_rules! typed {
    ($($name:ident: $($bound:ident)+, ($($Op:ident)*);)*) => {$(
        /// Does `form` with the type of `op`, or returns false if it has none for these dtypes.
        #[must_use]
        pub fn $name<E: $($bound +)+>(op: Op, form: impl Form<E>) -> bool
        where
            $(halfwave::$Op: Operation<E>,)*
        {
            match op {
                $(Op::$Op(op) => form.run(op),)*
                _ => return false,
            }
            true
        }
    )*};
}
typed! {
    with_float_type: Float, (
        Celu Clip Elu Gelu GeluTanh HardShrink HardSigmoid HardSwish LeakyRelu LogSigmoid Mish
        QuickGelu Relu Relu6 ReluN ReluSquared Rrelu Selu Shrink Sigmoid Silu SoftShrink Softplus Softsign
        Step Tanh TanhShrink Threshold ThresholdedRelu
    );
    with_int_type: Element, (Relu Relu6 ReluN Clip);
}
