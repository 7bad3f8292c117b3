//! Files that are nothing but elements.

use anyhow::{Result, bail};
use halfwave::{Dtype, Op};

use super::header::MAGIC;
use super::input::Input;
use super::plan::{Plan, Segment, check_dtype};

/// How much of a file is looked at to tell what it is.
const HEAD: usize = 64;

pub fn plan(input: &mut Input, op: Op, dtype: Option<Dtype>) -> Result<Plan> {
    let Some(bytes) = input.size() else {
        bail!("{input}: it is no regular file, so its size is unknown; pipe a .npy into - instead");
    };
    if let Some(mistake) = mistake(&input.peek(HEAD)?, bytes) {
        bail!("{input}: {mistake}");
    }
    let Some(dtype) = dtype else {
        bail!(
            "{input}: it is neither .npy nor .safetensors, so say what it holds, little-endian and \
             nothing else: --dtype f32, for example"
        );
    };
    check_dtype(input, op, dtype)?;
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
        array: None,
        notes: Vec::new(),
    })
}

/// What a file of `size` bytes that begins with `head` plainly is, other than raw, and the remedy.
/// Its header would be taken for elements and come out destroyed.
fn mistake(head: &[u8], size: u64) -> Option<&'static str> {
    if head.starts_with(MAGIC) {
        Some("it is a .npy under another name; rename it to end in .npy")
    } else if head.starts_with(b"PK\x03\x04") {
        Some(
            "it is a zip archive, as .npz and PyTorch's files are, not raw elements; save the \
             array as a .npy, or, if it is a .npz under another name, rename it and unzip it",
        )
    } else if is_safetensors(head, size) {
        Some("it is a .safetensors under another name; rename it to end in .safetensors")
    } else {
        None
    }
}

/// A length that the file has room for, then the beginning of a JSON object without binary data.
fn is_safetensors(head: &[u8], size: u64) -> bool {
    let Some((length, json)) = head.split_first_chunk::<8>() else {
        return false;
    };
    let length = u64::from_le_bytes(*length);
    let json = &json[..json.len().min(length as usize)];
    length <= size.saturating_sub(8)
        && json.starts_with(b"{\"")
        && json.iter().all(|&byte| byte >= b' ')
}
