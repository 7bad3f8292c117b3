//! The non-zero elements of a result, as an .npz.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use anyhow::Result;
use indicatif::ProgressBar;
use rawzip::ZipArchiveWriter;

use super::header::{Header, Order};
use super::plan::Array;
use super::stats::Scalar;
use crate::output::Output;

/// The .npz as it comes to be. An array's header says how long the array is, which is known when all
/// of it has passed: so the arrays wait in files without a name, and memory does not grow.
pub struct Compact {
    output: Output,
    array: Array,
    values: File,
    indices: File,
    kept: u64,
    /// The index of the next element.
    next: u64,
}

impl Compact {
    /// The non-zero elements of `array`, in an .npz at `path`.
    pub fn create(path: &Path, array: Array) -> Result<Self> {
        let output = Output::create(path)?;
        Ok(Self {
            values: output.spool()?,
            indices: output.spool()?,
            output,
            array,
            kept: 0,
            next: 0,
        })
    }

    /// Takes in the elements that come next.
    pub fn add<E: Scalar>(&mut self, elements: &[E]) -> Result<()> {
        let (indices, values) = E::compact(elements);
        let indices = indices.into_iter().map(|i| self.next + u64::from(i));
        let indices: Vec<u8> = if self.wide() {
            indices.flat_map(u64::to_le_bytes).collect()
        } else {
            indices.flat_map(|i| (i as u32).to_le_bytes()).collect()
        };
        self.next += elements.len() as u64;
        self.kept += values.len() as u64;
        let written = self.values.write_all(bytemuck::cast_slice(&values));
        let written = written.and_then(|()| self.indices.write_all(&indices));
        written.map_err(|e| self.output.failed(e))
    }

    /// Whether an index may not fit a u32.
    fn wide(&self) -> bool {
        self.array.elements > 1 << 32
    }

    /// Puts the .npz together. Returns it, and how many bytes of data are in it.
    pub fn finish(mut self, bar: &ProgressBar) -> Result<(Output, u64)> {
        let written = self.assemble(bar).map_err(|e| self.output.failed(e))?;
        Ok((self.output, written))
    }

    fn assemble(&mut self, bar: &ProgressBar) -> io::Result<u64> {
        let Header { descr, shape, .. } = self.array.header.clone();
        let index = if self.wide() { "<u8" } else { "<u4" };
        let sizes: Vec<u8> = shape.iter().flat_map(|n| n.to_le_bytes()).collect();
        let arrays: [(&str, &str, u64, &mut dyn Read); 3] = [
            (
                "indices.npy",
                index,
                self.kept,
                rewound(&mut self.indices, bar)?,
            ),
            (
                "values.npy",
                &descr,
                self.kept,
                rewound(&mut self.values, bar)?,
            ),
            ("shape.npy", "<i8", shape.len() as u64, &mut &sizes[..]),
        ];
        let mut written = 0;
        let mut zip = ZipArchiveWriter::new(&mut self.output);
        for (name, descr, length, data) in arrays {
            let header = Header {
                descr: descr.into(),
                order: Order::C,
                shape: vec![length],
            };
            let (mut entry, config) = zip.new_file(name).start().map_err(io::Error::other)?;
            let mut writer = config.wrap(&mut entry);
            writer.write_all(&header.to_bytes())?;
            written += io::copy(&mut bar.wrap_read(data), &mut writer)?;
            let (_, descriptor) = writer.finish().map_err(io::Error::other)?;
            entry.finish(descriptor).map_err(io::Error::other)?;
        }
        zip.finish().map_err(io::Error::other)?;
        Ok(written)
    }
}

/// `file` from its beginning, with as much more for `bar` to do.
fn rewound<'a>(file: &'a mut File, bar: &ProgressBar) -> io::Result<&'a mut File> {
    bar.inc_length(file.stream_position()?);
    file.rewind()?;
    Ok(file)
}
