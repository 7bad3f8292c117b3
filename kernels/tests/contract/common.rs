//! What the kernel tests share: the instruction sets this CPU runs, their kernels without the types of their
//! operations, and dtypes as bits.

use std::fmt;

use halfwave_kernels::loops::{self, ArithmeticFn, Scalar};
use halfwave_kernels::*;

#[path = "../shared/isas.rs"]
mod shared;
pub use shared::isas;

/// A kernel with its operation inside: so that a test is compiled once for a dtype and not for each
/// of its kernels.
pub struct Case<F: ?Sized> {
    /// `avx2 leaky_relu`.
    pub name: String,
    pub run: Box<F>,
}

impl<F: ?Sized> fmt::Display for Case<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// `(src, dst, len, stream)`, as `MapFn`. Whoever calls it vouches for what `MapFn` asks but the CPU.
pub type Map<E> = Case<dyn Fn(*const E, *mut E, usize, bool)>;
/// `([a, b], dst, len, stream)`, as `Zip`.
pub type Pair<E> = Case<dyn Fn([*const E; 2], *mut E, usize, bool)>;

pub fn map_case<O: Copy + 'static, E: Element>(name: String, f: MapFn<O, E>, op: O) -> Map<E> {
    // SAFETY: this CPU runs the instruction sets that the tests take `f` from; for the rest see `Map`.
    let run = move |src, dst, len, stream| unsafe { f(op, src, dst, len, stream) };
    let run = Box::new(run);
    Case { name, run }
}

pub fn pair_case<O: Copy + 'static, E: Element>(name: String, f: ZipFn<O, E>, op: O) -> Pair<E> {
    let run = move |[a, b]: [*const E; 2], dst, len, stream| {
        let zip = Zip {
            op,
            a,
            b,
            dst,
            len,
            stream,
        };
        // SAFETY: as above.
        unsafe { f(zip) }
    };
    let run = Box::new(run);
    Case { name, run }
}

macro_rules! rows {
    ($($name:ident: $Op:ident in $Row:ident;)*) => {
        /// Every operation that takes `E`, with its default parameters, on every instruction set.
        pub fn operations<E: Bits>() -> Vec<Map<E>> {
            fn add<O: BuiltinOp, E: Bits>(all: &mut Vec<Map<E>>, isa: Isa) {
                if let Some(kernels) = O::kernels::<E>(isa) {
                    let name = format!("{isa} {} {}", O::NAME, E::DTYPE);
                    all.push(map_case(name, kernels.map, O::DEFAULT));
                }
            }
            let mut all = vec![];
            for isa in isas() {
                $(add::<$Op, E>(&mut all, isa);)*
            }
            all
        }

        /// Every derivative, from the input and from the output, on every instruction set.
        pub fn derivatives<E: Bits + Float>() -> Vec<Pair<E>> {
            fn add<O: BuiltinOp, E: Float>(all: &mut Vec<Pair<E>>, isa: Isa) {
                let kernels = O::kernels::<E>(isa).unwrap();
                let (op, name) = (O::DEFAULT, format!("{isa} {} {}", O::NAME, E::DTYPE));
                all.extend(kernels.from_output.map(|f| {
                    pair_case(format!("{name} backward from output"), f, BackwardFromOutput(op))
                }));
                let backward = kernels.backward.unwrap();
                all.push(pair_case(format!("{name} backward"), backward, Backward(op)));
            }
            let mut all = vec![];
            for isa in isas() {
                $(add::<$Op, E>(&mut all, isa);)*
            }
            all
        }
    };
}
for_each_op!(rows);

/// A form by its name: of two arrays, and of an array and each of some numbers.
pub type Form<E> = (&'static str, Pair<E>, Vec<Map<E>>);

/// The forms that are no operation's.
pub fn forms<E: Float>(isa: Isa, scalars: &[E]) -> Vec<Form<E>> {
    fn both<B: Copy + 'static, E: Float>(
        isa: Isa,
        name: &'static str,
        of: &ArithmeticFn<B, E>,
        form: B,
        scalars: &[E],
    ) -> Form<E> {
        let title = format!("{isa} {name} {}", E::DTYPE);
        let scalar = |&b: &E| {
            let title = format!("{title} scalar {}", b.to_f64());
            map_case(title, of.scalar, Scalar(form, b))
        };
        let scalars = scalars.iter().map(scalar).collect();
        (name, pair_case(title, of.zip, form), scalars)
    }
    macro_rules! forms {
        ($($kernels:ident.$field:ident $name:ident $Form:ident)*) => {
            vec![$(both(isa, stringify!($name), &$kernels.$field, loops::$Form, scalars)),*]
        };
    }
    let (arithmetic, prelu) = (table::arithmetic::<E>(isa), table::prelu::<E>(isa));
    forms! {
        arithmetic.add add Add
        arithmetic.mul mul Mul
        arithmetic.scale_gradient scale_gradient ScaleGradient
        prelu.prelu prelu Prelu
        prelu.slope prelu_slope PreluSlope
        prelu.slope_gradient prelu_slope_gradient PreluSlopeGradient
    }
}

/// Every kernel of one array, on every instruction set.
pub fn maps<E: Bits>() -> Vec<Map<E>> {
    let mut all = operations();
    all.extend(E::scalar_forms());
    all
}

/// Every kernel of two arrays, on every instruction set.
pub fn pairs<E: Bits + Float>() -> Vec<Pair<E>> {
    let mut all = derivatives();
    for isa in isas() {
        all.extend(forms::<E>(isa, &[]).into_iter().map(|(_, pair, _)| pair));
    }
    all
}

impl<E: Bits> Map<E> {
    /// The elements of `x`, each in a call of its own.
    pub fn alone(&self, x: &[E]) -> Vec<E> {
        let mut y = vec![E::default(); x.len()];
        for (x, y) in x.iter().zip(&mut y) {
            (self.run)(x, y, 1, false);
        }
        y
    }

    /// `x` in one call.
    pub fn together(&self, x: &[E]) -> Vec<E> {
        let mut y = vec![E::default(); x.len()];
        (self.run)(x.as_ptr(), y.as_mut_ptr(), x.len(), false);
        y
    }
}

impl<E: Bits> Pair<E> {
    /// The pairs of `a` and `b`, each in a call of its own.
    pub fn alone(&self, a: &[E], b: &[E]) -> Vec<E> {
        let mut y = vec![E::default(); a.len()];
        for ((a, b), y) in a.iter().zip(b).zip(&mut y) {
            (self.run)([a, b], y, 1, false);
        }
        y
    }

    /// `a` and `b` in one call.
    pub fn together(&self, a: &[E], b: &[E]) -> Vec<E> {
        assert_eq!(a.len(), b.len());
        let mut y = vec![E::default(); a.len()];
        (self.run)([a.as_ptr(), b.as_ptr()], y.as_mut_ptr(), a.len(), false);
        y
    }
}

/// An element whose bits can be compared.
pub trait Bits: Element {
    /// Every bit pattern, zero-extended.
    fn bits(self) -> u64;
    /// The element with the low bits of `bits`.
    fn from_bits(bits: u64) -> Self;
    /// Relu, written as plainly as can be: `x < 0 ? 0 : x`.
    fn relu(self) -> Self;
    /// What the contract names: zeros, infinities, NaNs of both kinds and signs, subnormals, ends.
    fn edges() -> Vec<Self>;
    /// The forms of an array and one element; none of an integer.
    fn scalar_forms() -> Vec<Map<Self>> {
        vec![]
    }
}

macro_rules! float {
    ($($E:ident $U:ident zero $zero:expr, mantissa $mantissa:literal;)*) => {$(
        impl Bits for $E {
            fn bits(self) -> u64 {
                self.to_bits().into()
            }
            fn from_bits(bits: u64) -> Self {
                $E::from_bits(bits as $U)
            }
            fn relu(self) -> Self {
                if self < $zero { $zero } else { self }
            }
            fn edges() -> Vec<Self> {
                let infinity = $E::INFINITY.to_bits();
                let quiet = infinity | 1 << ($mantissa - 1);
                let one = $E::from_bits(infinity >> 1 & infinity).to_bits();
                let positive = [
                    0,                          // zero
                    1, 2,                       // the smallest subnormals
                    (1 << $mantissa) - 1,       // the largest subnormal
                    1 << $mantissa,             // the smallest normal
                    one, one + 1,
                    infinity - 1,               // the largest finite
                    infinity,
                    quiet, quiet | 1, quiet | 5, // quiet NaN, with payloads
                    infinity | 1, infinity | 5, // signalling NaN, with payloads
                    $U::MAX >> 1,               // NaN with every payload bit
                ];
                let sign = 1 << ($U::BITS - 1);
                positive.iter().flat_map(|&b| [b, b | sign]).map($E::from_bits).collect()
            }
            fn scalar_forms() -> Vec<Map<Self>> {
                let scalars = [$E::from_f64(-1.25)];
                let forms = isas().into_iter().flat_map(|isa| forms(isa, &scalars));
                forms.flat_map(|(_, _, maps)| maps).collect()
            }
        }
    )*};
}
float! {
    f32 u32 zero 0.0, mantissa 23;
    f64 u64 zero 0.0, mantissa 52;
    f16 u16 zero f16::ZERO, mantissa 10;
    bf16 u16 zero bf16::ZERO, mantissa 7;
}

macro_rules! int {
    ($($E:ident $U:ident $relu:expr;)*) => {$(
        impl Bits for $E {
            fn bits(self) -> u64 {
                (self as $U).into()
            }
            fn from_bits(bits: u64) -> Self {
                bits as $E
            }
            fn relu(self) -> Self {
                $relu(self)
            }
            fn edges() -> Vec<Self> {
                let near_ends = [$E::MAX, $E::MIN, $E::MAX - 1, $E::MIN + 1, $E::MAX / 2, $E::MAX / 2 + 1];
                let small = [0, 1, 5, 6, 7, 100].into_iter().flat_map(|x: $E| [x, x.wrapping_neg()]);
                small.chain(near_ends).collect()
            }
        }
    )*};
}
int! {
    i8 u8 |x| if x < 0 { 0 } else { x };
    i16 u16 |x| if x < 0 { 0 } else { x };
    i32 u32 |x| if x < 0 { 0 } else { x };
    i64 u64 |x| if x < 0 { 0 } else { x };
    u8 u8 |x| x;
    u16 u16 |x| x;
    u32 u32 |x| x;
    u64 u64 |x| x;
}

/// `len` elements in which edges and plain values of both signs alternate without a short period.
pub fn mixed<E: Bits>(seed: u64, len: usize) -> Vec<E> {
    let edges = E::edges();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ seed;
    (0..len)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            if i % 3 == 0 {
                edges[(state >> 40) as usize % edges.len()]
            } else {
                E::from_bits(state >> 11)
            }
        })
        .collect()
}

/// Two arrays to go together, in which no two NaNs meet: which of them a sum or product gives is not
/// told, because compilers and processors swap its operands as they like.
pub fn two_arrays<E: Bits + Float>(seed: u64, len: usize) -> (Vec<E>, Vec<E>) {
    let (a, mut b) = (mixed::<E>(seed, len), mixed::<E>(!seed, len));
    for (a, b) in a.iter().zip(&mut b) {
        if is_nan(*a) && is_nan(*b) {
            *b = E::from_f64(1.0);
        }
    }
    (a, b)
}

/// Every edge with every edge.
pub fn every_two_edges<E: Bits + Float>() -> (Vec<E>, Vec<E>) {
    let edges = E::edges();
    let pairs = edges
        .iter()
        .flat_map(|&a| edges.iter().map(move |&b| (a, b)));
    pairs.unzip()
}

pub fn is_nan<E: Float>(x: E) -> bool {
    x.to_f64().is_nan()
}

#[path = "../shared/sampled.rs"]
mod sampled;
pub use sampled::one_in;

/// A NaN as arithmetic hands it on, with its quiet bit set; any other number as it is.
pub fn quieted<E: Bits + Float>(x: E) -> E {
    let infinity = E::from_f64(f64::INFINITY).bits();
    let lowest_of_exponent = infinity & infinity.wrapping_neg();
    if is_nan(x) {
        E::from_bits(x.bits() | lowest_of_exponent >> 1)
    } else {
        x
    }
}

/// Asserts that two slices have the same bits.
#[track_caller]
pub fn assert_same<E: Bits>(got: &[E], want: &[E], context: impl fmt::Display) {
    assert_eq!(got.len(), want.len(), "{context}");
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let (got, want) = (got.bits(), want.bits());
        assert!(
            got == want,
            "{context}: element {i} is {got:#x}, not {want:#x}"
        );
    }
}

/// Asserts that `got` is relu of `x`, by bits.
#[track_caller]
pub fn assert_relu<E: Bits>(x: &[E], got: &[E], context: impl fmt::Display) {
    let want: Vec<E> = x.iter().map(|x| x.relu()).collect();
    assert_same(got, &want, context);
}

/// Runs `$test::<E>()` for every dtype.
macro_rules! for_each_dtype {
    ($test:ident) => {
        for_each_float!($test);
        $test::<i8>();
        $test::<i16>();
        $test::<i32>();
        $test::<i64>();
        $test::<u8>();
        $test::<u16>();
        $test::<u32>();
        $test::<u64>();
    };
}
pub(crate) use for_each_dtype;

/// Runs `$test::<E>()` for every float dtype.
macro_rules! for_each_float {
    ($test:ident) => {
        $test::<f32>();
        $test::<f64>();
        $test::<halfwave_kernels::f16>();
        $test::<halfwave_kernels::bf16>();
    };
}
pub(crate) use for_each_float;
