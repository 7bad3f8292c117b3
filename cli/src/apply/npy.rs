//! NumPy's .npy, versions 1.0 to 3.0, read by NumPy's own rules. What a header claims is not believed: nothing is
//! allocated for it, and its dimensions are multiplied with a check.

use std::path::Path;

use anyhow::{Error, Result, anyhow, bail};
use halfwave::{Dtype, Op};

use super::compact::Compact;
use super::header::{Fault, Header, MAGIC, Order};
use super::input::Input;
use super::plan::{Array, Plan, Segment, check_dtype, names};

/// NumPy itself refuses longer headers, in bytes.
const LONGEST_HEADER: usize = 10_000;

/// NumPy itself refuses more dimensions.
const MOST_DIMENSIONS: usize = 64;

/// `dtype` is what the user says it is, which only counts where the header says nothing.
pub fn plan(input: &mut Input, op: Op, dtype: Option<Dtype>) -> Result<Plan> {
    let (text, header_read) = read_header(input)?;
    let mut header = parse(input, &text)?;
    let (dtype, big_endian) = interpret(input, op, &header.descr, dtype)?;
    check_dtype(input, op, dtype)?;
    let Some(elements) = elements(&header.shape, dtype) else {
        bail!(
            "{input}: its shape {:?} is larger than any file; it is damaged",
            header.shape
        );
    };
    header.descr = header.descr.replace('>', "<");
    Ok(Plan {
        header: header.to_bytes(),
        header_read,
        segments: vec![Segment::Apply {
            dtype,
            elements,
            big_endian,
        }],
        array: Some(Array { header, elements }),
        notes: Vec::new(),
    })
}

/// The place for the non-zero elements of what `plan` makes.
pub fn compact(input: &Input, plan: &Plan, path: &Path) -> Result<Compact> {
    let array = plan.array.clone().expect("a .npy is an array");
    if array.header.order == Order::Fortran && array.header.shape.len() > 1 {
        bail!(
            "{input}: it is in Fortran order, and --compact counts in C order; save it as \
             np.ascontiguousarray(a)"
        );
    }
    Compact::create(path, array)
}

/// The header's text, and how many bytes stand before the data.
fn read_header(input: &mut Input) -> Result<(String, u64)> {
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

fn parse(input: &Input, text: &str) -> Result<Header> {
    let header = Header::parse(text).map_err(|fault| match fault {
        Fault::Structured => anyhow!(
            "{input}: it is a structured array, which cannot be transformed; save a field by \
             itself, as a['field']"
        ),
        Fault::Unreadable(reason) => no_header(input, reason),
    })?;
    if header.shape.len() > MOST_DIMENSIONS {
        let reason = format!("it has more than {MOST_DIMENSIONS} dimensions");
        return Err(no_header(input, &reason));
    }
    Ok(header)
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
fn interpret(input: &Input, op: Op, descr: &str, told: Option<Dtype>) -> Result<(Dtype, bool)> {
    let big_endian = descr.starts_with('>');
    let code = &descr[1..];
    let dtype = match code {
        // What ml_dtypes' bfloat16 is saved as, but also any other two bytes.
        "V2" if !big_endian => match told {
            Some(Dtype::Bf16) => return Ok((Dtype::Bf16, false)),
            _ => bail!(
                "{input}: its header says only that an element has two bytes (dtype '{descr}'); if \
                 they are bfloat16, as ml_dtypes saves them, say --dtype bf16"
            ),
        },
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        "i1" => Dtype::I8,
        "i2" => Dtype::I16,
        "i4" => Dtype::I32,
        "i8" => Dtype::I64,
        "u1" => Dtype::U8,
        "u2" => Dtype::U16,
        "u4" => Dtype::U32,
        "u8" => Dtype::U64,
        _ => {
            let what = match code.as_bytes()[0] {
                b'O' => "an array of Python objects",
                b'c' => "a complex array",
                b'b' => "a boolean array",
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
    Ok((dtype, big_endian && dtype.size() > 1))
}

/// The product of the dimensions, if NumPy can address that many: it leaves zeros out of this check,
/// so that an empty array may not be of any size either.
fn elements(shape: &[u64], dtype: Dtype) -> Option<u64> {
    let mut sizes = shape.iter().filter(|&&dim| dim != 0);
    let size = sizes.try_fold(dtype.size() as u64, |n, &dim| n.checked_mul(dim))?;
    let empty = shape.contains(&0);
    (size <= i64::MAX as u64).then_some(if empty { 0 } else { size / dtype.size() as u64 })
}
