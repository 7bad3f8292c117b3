//! NumPy's .npy, versions 1.0 to 3.0, read by NumPy's own rules.
//!
//! `npyz` reads headers too, but trusts them: it allocates what they claim, and multiplies their
//! dimensions unchecked. Its parser of Python literals and its dtypes serve here, and its writer
//! in `array`.

use std::path::Path;

use anyhow::{Error, Result, anyhow, bail};
use halfwave::{Dtype, Op};
use npyz::{Endianness, Order, TypeChar, TypeStr};
use py_literal::Value;

use super::array::{Array, header};
use super::compact::Compact;
use super::input::Input;
use super::plan::{Plan, Segment, check_dtype, names};

/// NumPy itself refuses longer headers, in bytes.
const LONGEST_HEADER: usize = 10_000;

/// NumPy itself refuses more dimensions.
const MOST_DIMENSIONS: usize = 64;

/// The parser tries what may be a list or a dictionary two or three ways, at each level: its time
/// is exponential in their depth. A plain array has a dictionary and a tuple, and `<M8[s]` a
/// bracket more.
const MOST_BRACKETS: usize = 6;

/// `dtype` is what the user says it is, which only counts where the header says nothing.
pub fn plan(input: &mut Input, op: Op, dtype: Option<Dtype>) -> Result<Plan> {
    let (text, header_read) = read_header(input)?;
    let Header {
        descr,
        order,
        shape,
    } = parse(input, &text)?;
    let (dtype, big_endian) = interpret(input, op, &descr, dtype)?;
    check_dtype(input, op, dtype)?;
    let Some(elements) = elements(&shape, dtype) else {
        bail!("{input}: its shape {shape:?} is larger than any file; it is damaged");
    };

    let descr: TypeStr = descr.to_string().replace('>', "<").parse()?;
    Ok(Plan {
        header: header(descr.clone(), &shape, order)?,
        header_read,
        segments: vec![Segment::Apply {
            dtype,
            elements,
            big_endian,
        }],
        array: Some(Array {
            descr,
            order,
            shape,
            elements,
        }),
        notes: Vec::new(),
    })
}

/// The place for the non-zero elements of what `plan` makes.
pub fn compact(input: &Input, plan: &Plan, path: &Path) -> Result<Compact> {
    let array = plan.array.clone().expect("a .npy is an array");
    if array.order == Order::Fortran && array.shape.len() > 1 {
        bail!(
            "{input}: it is in Fortran order, and --compact counts in C order; save it as \
             np.ascontiguousarray(a)"
        );
    }
    Compact::create(path, array)
}

/// The header's text, and how many bytes stand before the data.
fn read_header(input: &mut Input) -> Result<(String, u64)> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    let mut start = [0; 8];
    let have = input.fill(&mut start)?;
    if !start[..have].starts_with(MAGIC) {
        return Err(no_header(input, "it does not begin as one"));
    }
    let ends = |input: &Input| anyhow!("{input}: it ends within its header; copy or save it again");
    if have < start.len() {
        return Err(ends(input));
    }
    let length_bytes = match start[6..] {
        [1, 0] => 2,
        [2 | 3, 0] => 4,
        [major, minor] => {
            let reason = format!("its format has version {major}.{minor}, not 1.0, 2.0 or 3.0");
            return Err(no_header(input, &reason));
        }
        _ => unreachable!("two of eight bytes"),
    };
    let mut length = [0; 4];
    if input.fill(&mut length[..length_bytes])? < length_bytes {
        return Err(ends(input));
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST_HEADER {
        bail!(
            "{input}: its header claims to be {length} bytes long, longer than the \
             {LONGEST_HEADER} that NumPy reads; it is damaged: save it again"
        );
    }
    let mut text = vec![0; length];
    if input.fill(&mut text)? < length {
        return Err(ends(input));
    }
    let text = match start[6] {
        3 => String::from_utf8(text).map_err(|_| no_header(input, "it is no UTF-8"))?,
        _ => text.into_iter().map(char::from).collect(), // Latin-1
    };
    Ok((text, (start.len() + length_bytes + length) as u64))
}

struct Header {
    descr: TypeStr,
    order: Order,
    shape: Vec<u64>,
}

fn parse(input: &Input, text: &str) -> Result<Header> {
    let no_header = |reason: &str| no_header(input, reason);
    if text.matches(['(', '[', '{']).count() > MOST_BRACKETS {
        bail!(
            "{input}: its header has more brackets than any plain array's; it is a structured \
             array, which cannot be transformed (save a field by itself, as a['field']), or it is \
             damaged"
        );
    }
    let dict = match text.trim().parse() {
        Ok(Value::Dict(dict)) => dict,
        Ok(_) => return Err(no_header("it is no Python dictionary")),
        Err(e) => {
            // The parser goes on to quote the header, however long.
            let reason = e.to_string();
            return Err(no_header(reason.lines().next().unwrap_or_default()));
        }
    };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    for (key, value) in dict {
        *match key.as_string().map(String::as_str) {
            Some("descr") => &mut descr,
            Some("fortran_order") => &mut fortran_order,
            Some("shape") => &mut shape,
            _ => {
                return Err(no_header(
                    "it has keys besides descr, fortran_order and shape",
                ));
            }
        } = Some(value);
    }
    let descr = match descr {
        Some(Value::String(descr)) => descr
            .parse()
            .map_err(|e| no_header(&format!("its descr is unknown: {e}")))?,
        Some(Value::List(_)) => bail!(
            "{input}: it is a structured array, which cannot be transformed; save a field by \
             itself, as a['field']"
        ),
        _ => return Err(no_header("it has no descr, or one that is no string")),
    };
    let order = match fortran_order {
        Some(Value::Boolean(true)) => Order::Fortran,
        Some(Value::Boolean(false)) => Order::C,
        _ => return Err(no_header("it has no fortran_order of True or False")),
    };
    let Some(Value::Tuple(shape)) = shape else {
        return Err(no_header("it has no shape, or one that is no tuple"));
    };
    let shape = shape.iter().map(|n| u64::try_from(n.as_integer()?).ok());
    let Some(shape) = shape.collect::<Option<Vec<u64>>>() else {
        return Err(no_header(
            "its shape is not of whole numbers from 0 to 2^64",
        ));
    };
    if shape.len() > MOST_DIMENSIONS {
        return Err(no_header(&format!(
            "it has more than {MOST_DIMENSIONS} dimensions"
        )));
    }
    Ok(Header {
        descr,
        order,
        shape,
    })
}

fn no_header(input: &Input, reason: &str) -> Error {
    let raw = if input.is_stdin() {
        "raw data cannot be piped: name its file, and say --dtype"
    } else {
        "if it is raw data, rename it, not to end in .npy, and say --dtype"
    };
    anyhow!(
        "{input}: it has no .npy header that can be understood ({reason}); check that np.load \
         reads it; {raw}"
    )
}

/// The dtype that `descr` means, and whether it is big-endian.
fn interpret(input: &Input, op: Op, descr: &TypeStr, told: Option<Dtype>) -> Result<(Dtype, bool)> {
    let dtype = match (descr.type_char(), descr.size_field()) {
        // What ml_dtypes' bfloat16 is saved as, but also any other two bytes.
        (TypeChar::RawData, 2) if descr.endianness() != Endianness::Big => match told {
            Some(Dtype::Bf16) => return Ok((Dtype::Bf16, false)),
            _ => bail!(
                "{input}: its header says only that an element has two bytes (dtype '{descr}'); if \
                 they are bfloat16, as ml_dtypes saves them, say --dtype bf16"
            ),
        },
        (TypeChar::Float, 4) => Dtype::F32,
        (TypeChar::Float, 8) => Dtype::F64,
        (TypeChar::Float, 2) => Dtype::F16,
        (TypeChar::Int, 1) => Dtype::I8,
        (TypeChar::Int, 2) => Dtype::I16,
        (TypeChar::Int, 4) => Dtype::I32,
        (TypeChar::Int, 8) => Dtype::I64,
        (TypeChar::Uint, 1) => Dtype::U8,
        (TypeChar::Uint, 2) => Dtype::U16,
        (TypeChar::Uint, 4) => Dtype::U32,
        (TypeChar::Uint, 8) => Dtype::U64,
        (char, _) => {
            let what = match char {
                TypeChar::Object => "an array of Python objects",
                TypeChar::Complex => "a complex array",
                TypeChar::Bool => "a boolean array",
                _ => "this array",
            };
            bail!(
                "{input}: {what} (dtype '{descr}') cannot be transformed; {op} takes {}: convert \
                 it first, for example by a.astype('float32')",
                names(op)
            );
        }
    };
    if told.is_some() {
        bail!("{input}: its header says what it holds (dtype '{descr}'); leave --dtype out");
    }
    let big_endian = descr.endianness() == Endianness::Big && dtype.size() > 1;
    Ok((dtype, big_endian))
}

/// The product of the dimensions, if NumPy can address that many: it leaves zeros out of this check,
/// so that an empty array may not be of any size either.
fn elements(shape: &[u64], dtype: Dtype) -> Option<u64> {
    let mut sizes = shape.iter().filter(|&&dim| dim != 0);
    let size = sizes.try_fold(dtype.size() as u64, |n, &dim| n.checked_mul(dim))?;
    let empty = shape.contains(&0);
    (size <= i64::MAX as u64).then_some(if empty { 0 } else { size / dtype.size() as u64 })
}
