//! What to do with an input's bytes.

use anyhow::{Result, bail};
use halfwave::{Dtype, Op};

use super::header::Header;
use super::input::Input;

/// What a header asks for. The input stands behind its header.
pub struct Plan {
    /// What the output begins with.
    pub header: Vec<u8>,
    /// How long the input's own header was; its length may differ from the output's.
    pub header_read: u64,
    /// The rest of the input, in the order it comes.
    pub segments: Vec<Segment>,
    /// What it is an array of, if it is one.
    pub array: Option<Array>,
    /// What the user should know about it.
    pub notes: Vec<String>,
}

/// What the input is an array of.
#[derive(Clone)]
pub struct Array {
    /// The header of the result.
    pub header: Header,
    pub elements: u64,
}

/// A piece of the input.
pub enum Segment {
    /// To be passed on as it is.
    Copy { bytes: u64 },
    /// To be transformed.
    Apply {
        dtype: Dtype,
        elements: u64,
        big_endian: bool,
    },
}

impl Segment {
    /// How many bytes it has, in the input as in the output.
    pub fn bytes(&self) -> u64 {
        match *self {
            Self::Copy { bytes } => bytes,
            Self::Apply {
                dtype, elements, ..
            } => elements * dtype.size() as u64,
        }
    }
}

impl Plan {
    /// How many bytes of data there are, in the input as in the output.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(Segment::bytes).sum()
    }

    /// The dtypes of what is transformed, in the order they come.
    pub fn dtypes(&self) -> Vec<Dtype> {
        let mut dtypes = Vec::new();
        for segment in &self.segments {
            if let Segment::Apply { dtype, .. } = *segment
                && !dtypes.contains(&dtype)
            {
                dtypes.push(dtype);
            }
        }
        dtypes
    }

    /// Refuses a file that is too short or too long for its header before any work is done.
    pub fn check_size(&self, input: &Input) -> Result<()> {
        let Some(size) = input.size() else {
            return Ok(());
        };
        let want = self.bytes();
        let have = size.saturating_sub(self.header_read);
        if have < want {
            return Err(input.short(want, have));
        }
        if have > want {
            return Err(input.trailing(want));
        }
        Ok(())
    }
}

/// Refuses a dtype that `op` does not take.
pub fn check_dtype(input: &Input, op: Op, dtype: Dtype) -> Result<()> {
    if !op.dtypes().contains(&dtype) {
        bail!("{input}: {}", halfwave::OpError::Dtype(op, dtype));
    }
    Ok(())
}

/// The dtypes `op` takes, for messages.
pub fn names(op: Op) -> String {
    let names: Vec<_> = op.dtypes().iter().map(|dtype| dtype.name()).collect();
    names.join(" ")
}
