//! Numbers as people read them, and standard output as pipes want it.

use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

/// `32 KiB`, `1.5 MiB`: to two digits after the point.
pub fn bytes(n: usize) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let power = (n.checked_ilog2().unwrap_or(0) / 10).min(4);
    let scaled = n as f64 / f64::powi(1024.0, power as i32);
    let scaled = (scaled * 100.0).round() / 100.0;
    format!("{scaled} {}", units[power as usize])
}

/// Writes to standard output. A reader that has seen enough is no error.
pub fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// Columns as wide as their widest cell, the first `left` of them flush left, the rest right.
pub fn table(rows: &[Vec<String>], left: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |i: usize| {
        let cells = rows.iter().filter_map(|row| row.get(i));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate();
        let cells: Vec<String> = cells
            .map(|(i, (cell, &width))| {
                if i < left {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            })
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_the_largest_unit_that_leaves_a_whole() {
        let texts = [0, 1, 1023, 1024, 1536, 32 << 20, (1 << 30) + (1 << 28)].map(bytes);
        let want = [
            "0 bytes",
            "1 bytes",
            "1023 bytes",
            "1 KiB",
            "1.5 KiB",
            "32 MiB",
            "1.25 GiB",
        ];
        assert_eq!(texts, want);
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a", "10", "x"], ["bcd", "9", ""]].map(|row| row.map(String::from).to_vec());
        assert_eq!(table(&rows, 1), "a    10  x\nbcd   9\n");
    }
}
