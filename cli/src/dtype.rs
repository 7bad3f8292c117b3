//! dtypes: from the command line, and on to the element types they name.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use halfwave::Dtype;

/// Reads a dtype's name; `--help` lists them all.
pub fn parser() -> impl TypedValueParser<Value = Dtype> {
    let names = Dtype::ALL.iter().map(|dtype| dtype.name());
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Dtype>())
}

/// `with_element!(dtype, E => f::<E>(x))`: the expression, where `E` is the element type of
/// `dtype`.
macro_rules! with_element {
    ($dtype:expr, $E:ident => $body:expr) => {
        $crate::dtype::with_element!(@
            $dtype, $E, $body,
            F32 f32, F64 f64, F16 halfwave::f16, Bf16 halfwave::bf16,
            I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64
        )
    };
    (@ $dtype:expr, $E:ident, $body:expr, $($Variant:ident $T:ty),*) => {
        match $dtype {
            $(halfwave::Dtype::$Variant => {
                type $E = $T;
                $body
            })*
        }
    };
}
pub(crate) use with_element;
