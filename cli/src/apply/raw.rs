//! Files that are nothing but elements.

use anyhow::{Result, bail};
use halfwave::{Dtype, Op};

use super::input::Input;
use super::plan::{Plan, Segment, check_dtype};

pub fn plan(input: &Input, op: Op, dtype: Option<Dtype>) -> Result<Plan> {
    let Some(dtype) = dtype else {
        bail!(
            "{input}: it is neither .npy nor .safetensors, so say what it holds, little-endian and \
             nothing else: --dtype f32, for example"
        );
    };
    check_dtype(input, op, dtype)?;
    let Some(bytes) = input.size() else {
        bail!("{input}: it is no regular file, so its size is unknown; pipe a .npy into - instead");
    };
    let size = dtype.size() as u64;
    if bytes % size != 0 {
        bail!(
            "{input}: its {bytes} bytes are not a whole number of {dtype} elements of {size} bytes \
             each; check --dtype, and that the file is complete"
        );
    }
    Ok(Plan {
        header: Vec::new(),
        header_read: 0,
        segments: vec![Segment::Apply {
            dtype,
            elements: bytes / size,
            big_endian: false,
        }],
        notes: Vec::new(),
    })
}
