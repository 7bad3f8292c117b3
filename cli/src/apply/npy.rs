//! NumPy's .npy: header by `npyz`, versions 1.0 to 3.0.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result, anyhow, bail};
use halfwave::{Dtype, Op};
use npyz::{DType, Endianness, NpyHeader, TypeChar, TypeStr, WriteOptions, WriterBuilder};

use super::input::Input;
use super::plan::{Plan, Segment, check_dtype, names};

/// NumPy itself refuses longer headers. The limit also keeps garbage that looks like a header from
/// costing memory.
const LONGEST_HEADER: u64 = 10_000;

/// `dtype` is what the user says it is, which only counts where the header says nothing.
pub fn plan(input: &mut Input, op: Op, dtype: Option<Dtype>) -> Result<Plan> {
    let (header, header_read) = read_header(input)?;
    let descr = header.dtype();
    let (dtype, big_endian) = interpret(input, op, &descr, dtype)?;
    check_dtype(input, op, dtype)?;

    let shape = header.shape();
    let elements = elements(shape)
        .filter(|n| n.checked_mul(dtype.size() as u64).is_some())
        .with_context(|| {
            format!("{input}: its shape {shape:?} is larger than any file; it is damaged")
        })?;

    let written: TypeStr = match &descr {
        DType::Plain(descr) => descr.to_string().replace('>', "<").parse()?,
        _ => unreachable!("only plain dtypes are interpreted"),
    };
    let header = WriteOptions::new_header_only()
        .dtype(DType::Plain(written))
        .shape(shape)
        .order(header.order())
        .writer(Vec::new())
        .write_header_only()?;
    Ok(Plan {
        header,
        header_read,
        segments: vec![Segment::Apply {
            dtype,
            elements,
            big_endian,
        }],
        notes: Vec::new(),
    })
}

/// The header, and how many bytes it took.
fn read_header(input: &mut Input) -> Result<(NpyHeader, u64)> {
    let mut limited = input.reader().take(LONGEST_HEADER);
    let header = NpyHeader::from_reader(&mut limited);
    let left = limited.limit();
    match header {
        Ok(header) => Ok((header, LONGEST_HEADER - left)),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof && left == 0 => bail!(
            "{input}: its header is longer than {LONGEST_HEADER} bytes, which NumPy refuses too; \
             it is damaged: save it again"
        ),
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => {
            bail!("{input}: it ends within its header; copy or save it again")
        }
        Err(e) if e.kind() == ErrorKind::InvalidData => bail!(
            "{input}: it has no .npy header that can be understood ({}); check that np.load \
             reads it, or, if it is raw data, rename it and say --dtype",
            // The parser goes on to quote the header, however long.
            e.to_string().lines().next().unwrap_or_default()
        ),
        Err(e) => Err(input.unreadable(e)),
    }
}

/// The dtype that `descr` means, and whether it is big-endian.
fn interpret(input: &Input, op: Op, descr: &DType, told: Option<Dtype>) -> Result<(Dtype, bool)> {
    let unsupported = |what: &str| {
        anyhow!(
            "{input}: {what} (dtype {}) cannot be transformed; {op} takes {}: convert it first, \
             for example by a.astype('float32')",
            descr.descr(),
            names(op)
        )
    };
    let DType::Plain(plain) = descr else {
        return Err(unsupported("a structured array"));
    };
    let dtype = match (plain.type_char(), plain.size_field()) {
        // What ml_dtypes' bfloat16 is saved as, but also any other two bytes.
        (TypeChar::RawData, 2) if plain.endianness() != Endianness::Big => match told {
            Some(Dtype::Bf16) => return Ok((Dtype::Bf16, false)),
            _ => bail!(
                "{input}: its header says only that an element has two bytes (dtype {}); if they \
                 are bfloat16, as ml_dtypes saves them, say --dtype bf16",
                descr.descr()
            ),
        },
        (TypeChar::Float, 4) => Dtype::F32,
        (TypeChar::Float, 8) => Dtype::F64,
        (TypeChar::Float, 2) => Dtype::F16,
        (TypeChar::Int, 1) => Dtype::I8,
        (TypeChar::Int, 2) => Dtype::I16,
        (TypeChar::Int, 4) => Dtype::I32,
        (TypeChar::Int, 8) => Dtype::I64,
        (char, _) => {
            return Err(unsupported(match char {
                TypeChar::Object => "an array of Python objects",
                TypeChar::Complex => "a complex array",
                TypeChar::Uint => "an unsigned array",
                TypeChar::Bool => "a boolean array",
                _ => "this array",
            }));
        }
    };
    if told.is_some() {
        bail!(
            "{input}: its header says what it holds (dtype {}); leave --dtype out",
            descr.descr()
        );
    }
    let big_endian = plain.endianness() == Endianness::Big && dtype.size() > 1;
    Ok((dtype, big_endian))
}

/// The product of the dimensions, if it can be had.
fn elements(shape: &[u64]) -> Option<u64> {
    if shape.contains(&0) {
        return Some(0);
    }
    shape.iter().try_fold(1, |n: u64, &dim| n.checked_mul(dim))
}
