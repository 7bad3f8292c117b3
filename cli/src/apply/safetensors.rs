//! .safetensors: every tensor the operation takes is transformed where it lies.

use std::io::Read;

use anyhow::{Result, anyhow, bail};
use halfwave::{Dtype, Op};
use safetensors::Dtype as Stored;
use safetensors::tensor::Metadata;

use super::input::Input;
use super::plan::{Plan, Segment, names};

/// The reference implementation refuses longer headers.
const LONGEST_HEADER: u64 = 100_000_000;

/// How many names a message lists.
const LISTED: usize = 8;

/// `only` names the tensors to transform; none means all.
pub fn plan(input: &mut Input, op: Op, only: &[String]) -> Result<Plan> {
    let header = read_header(input)?;
    let metadata: Metadata = serde_json::from_slice(&header[8..])
        .map_err(|e| anyhow!("{input}: its header is damaged ({e}); copy or save it again"))?;
    let tensors = metadata.offset_keys();
    let unknown = only.iter().find(|name| !tensors.contains(name));
    if let Some(unknown) = unknown {
        bail!(
            "{input}: it has no tensor {unknown:?}; it has {}",
            list(&tensors)
        );
    }

    let mut segments = Vec::with_capacity(tensors.len());
    let mut copied = Vec::new();
    for name in &tensors {
        let info = metadata.info(name).expect("a name from the same header");
        let bytes = (info.data_offsets.1 - info.data_offsets.0) as u64;
        let dtype = dtype(info.dtype).filter(|dtype| op.dtypes().contains(dtype));
        let asked = only.is_empty() || only.contains(name);
        segments.push(match dtype {
            Some(dtype) if asked => Segment::Apply {
                dtype,
                elements: bytes / dtype.size() as u64,
                big_endian: false,
            },
            None if asked && !only.is_empty() => bail!(
                "{input}: tensor {name:?} is {:?}; {op} takes {}: leave that --tensor out",
                info.dtype,
                names(op)
            ),
            _ => {
                copied.push(format!("{name} ({:?})", info.dtype));
                Segment::Copy { bytes }
            }
        });
    }
    if !tensors.is_empty() && copied.len() == tensors.len() {
        bail!(
            "{input}: it has no tensor to transform, only {}; {op} takes {}",
            list(&copied),
            names(op)
        );
    }
    let mut notes = Vec::new();
    if !copied.is_empty() {
        notes.push(format!("copied unchanged: {}", list(&copied)));
    }
    Ok(Plan {
        header_read: header.len() as u64,
        header,
        segments,
        array: None,
        notes,
    })
}

/// The length and the JSON behind it, as they stand in the file.
fn read_header(input: &mut Input) -> Result<Vec<u8>> {
    let mut header = vec![0; 8];
    let mut have = input.fill(&mut header)?;
    if have == 8 {
        let length = u64::from_le_bytes(header[..].try_into().expect("eight bytes"));
        if length > LONGEST_HEADER {
            bail!(
                "{input}: its header claims to be {length} bytes long, and {LONGEST_HEADER} are \
                 allowed; it is no .safetensors, or damaged"
            );
        }
        let json = input.reader().take(length).read_to_end(&mut header);
        let json = json.map_err(|e| input.unreadable(e))?;
        have = if json as u64 == length {
            header.len()
        } else {
            0
        };
    }
    if have != header.len() {
        bail!("{input}: it ends within its header; copy or save it again");
    }
    Ok(header)
}

fn dtype(stored: Stored) -> Option<Dtype> {
    Some(match stored {
        Stored::F32 => Dtype::F32,
        Stored::F64 => Dtype::F64,
        Stored::F16 => Dtype::F16,
        Stored::BF16 => Dtype::Bf16,
        Stored::I8 => Dtype::I8,
        Stored::I16 => Dtype::I16,
        Stored::I32 => Dtype::I32,
        Stored::I64 => Dtype::I64,
        Stored::U8 => Dtype::U8,
        Stored::U16 => Dtype::U16,
        Stored::U32 => Dtype::U32,
        Stored::U64 => Dtype::U64,
        _ => return None,
    })
}

fn list(names: &[String]) -> String {
    let mut text = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED {
        text += &format!(" and {} more", names.len() - LISTED);
    }
    text
}
