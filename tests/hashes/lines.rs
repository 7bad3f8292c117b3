//! What the tool prints: a line for each operation, form, dtype and backend.

use std::collections::BTreeMap;
use std::fmt;

use crate::bits::{Bits, Digest, Hash};
use crate::names::Backend;

/// What was computed, and what came out.
pub struct Line {
    /// The operation with its parameters, or what else there is in its place.
    pub what: String,
    pub form: String,
    pub dtype: &'static str,
    pub backend: &'static str,
    pub digest: Digest,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            form,
            dtype,
            backend,
            digest: Digest { bits, numbers },
        } = self;
        write!(
            f,
            "{what} {form} {dtype} {backend} {bits:016x} {numbers:016x}"
        )
    }
}

/// The hashes of one operation's forms, of one dtype on one backend.
pub struct Forms<'a> {
    lines: &'a mut Vec<Line>,
    what: String,
    dtype: &'static str,
    backend: Backend,
    hashes: BTreeMap<String, Hash>,
}

impl<'a> Forms<'a> {
    pub fn new<E: Bits>(
        lines: &'a mut Vec<Line>,
        what: impl Into<String>,
        backend: Backend,
    ) -> Self {
        Self {
            lines,
            what: what.into(),
            dtype: E::LABEL,
            backend,
            hashes: BTreeMap::new(),
        }
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Adds an output to the hash of `form`.
    pub fn add<T: Bits>(&mut self, form: &str, output: &[T]) {
        match self.hashes.get_mut(form) {
            Some(hash) => hash.add(output),
            None => self.hashes.entry(form.into()).or_default().add(output),
        }
    }
}

impl Drop for Forms<'_> {
    /// Each form becomes a line.
    fn drop(&mut self) {
        for (form, hash) in std::mem::take(&mut self.hashes) {
            self.lines.push(Line {
                what: self.what.clone(),
                form,
                dtype: self.dtype,
                backend: self.backend.name(),
                digest: hash.digest(),
            });
        }
    }
}

/// An array to be written: what stays of this pattern was not.
pub fn blank<T: Bits>(len: usize) -> Vec<T> {
    vec![T::from_bits(0x2A55_2A55_2A55_2A55); len]
}

/// What `write` makes of a blank array.
pub fn made<T: Bits>(len: usize, write: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut to = blank(len);
    write(&mut to);
    to
}

/// What `write` makes of a copy.
pub fn changed<T: Bits>(from: &[T], write: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut to = from.to_vec();
    write(&mut to);
    to
}
