//! An array as NumPy describes it, and the header that says so.

use std::io;

use npyz::{DType, Order, TypeStr, WriteOptions, WriterBuilder};

/// What the header of the result says.
#[derive(Clone)]
pub struct Array {
    pub descr: TypeStr,
    pub order: Order,
    pub shape: Vec<u64>,
    pub elements: u64,
}

/// A header as NumPy writes it.
pub fn header(descr: TypeStr, shape: &[u64], order: Order) -> io::Result<Vec<u8>> {
    let options = WriteOptions::new_header_only().dtype(DType::Plain(descr));
    let writer = options.shape(shape).order(order).writer(Vec::new());
    writer.write_header_only()
}
