//! What stands beside an array in a form: as many elements, or fewer that are broadcast.

use core::cell::Cell;
use core::ops::Range;

use super::walk::block_len;
use super::{Block, Room, Src, Walk};
use crate::rows::{Rows, View};

/// One element for each row of a matrix, or one for each column: what a bias, a scale or the slopes of
/// [`Prelu`](crate::Prelu) are.
///
/// In a matrix of `batch × features`, a layer's bias is [`PerColumn`](Broadcast::PerColumn); in one of
/// `channels × pixels`, a convolution's is [`PerRow`](Broadcast::PerRow).
///
/// ```
/// use halfwave::{Broadcast, Fused, Relu, Rows, RowsMut};
///
/// let x = [1.0f32, -2.0, 3.0, -4.0]; // 2 rows of 2
/// let mut y = [0.0; 4];
/// Relu.bias(Rows::new(&x, 2, 2), Broadcast::PerRow(&[0.5, 10.0]), RowsMut::new(&mut y, 2, 2));
/// assert_eq!(y, [1.5, 0.0, 13.0, 6.0]);
/// Relu.bias(Rows::new(&x, 2, 2), Broadcast::PerColumn(&[0.5, 10.0]), RowsMut::new(&mut y, 2, 2));
/// assert_eq!(y, [1.5, 8.0, 3.5, 6.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Broadcast<'a, E> {
    /// As many elements as there are rows: element `i` goes with all of row `i`.
    PerRow(&'a [E]),
    /// As many elements as there are columns: element `j` goes with all of column `j`.
    PerColumn(&'a [E]),
}

/// The second operand of a form.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a, E> {
    /// An element for each.
    Each(Rows<'a, E>),
    /// An element for each row; after the last, the first again.
    PerRow(&'a [E]),
    /// An element for each column.
    PerColumn(&'a [E]),
}

/// What an operand is on a block.
#[derive(Clone, Copy)]
pub(crate) enum Value<'b, E> {
    One(E),
    Each(Src<'b, E>),
}

impl<'a, E: Copy + Send + Sync> Broadcast<'a, E> {
    /// Panics, saying both numbers, unless it fits `x`.
    #[track_caller]
    pub(crate) fn operand<T>(self, name: &str, x: &View<T>) -> Operand<'a, E> {
        let (given, needed, what) = match self {
            Broadcast::PerRow(each) => (each.len(), x.rows, "row"),
            Broadcast::PerColumn(each) => (each.len(), x.cols, "column"),
        };
        assert!(
            given == needed,
            "{name} has {given} elements, which must be one for each {what} of x: {needed}"
        );
        match self {
            Broadcast::PerRow(each) => Operand::PerRow(each),
            Broadcast::PerColumn(each) => Operand::PerColumn(each),
        }
    }
}

impl<'a, E: Copy + Send + Sync> Operand<'a, E> {
    /// Whether it is an array of its own, as large as the others.
    pub(crate) fn is_each(&self) -> bool {
        matches!(self, Self::Each(_))
    }

    /// Makes it ready for the blocks of `range`: if rows are so short that a block holds many, what
    /// repeats is written out once, if `room` has the space for it and a block more.
    #[inline]
    pub(crate) fn on<'b>(
        self,
        walk: &Walk<E>,
        cols: usize,
        range: &Range<usize>,
        room: Room<'b, E>,
    ) -> Ready<'b, E>
    where
        'a: 'b,
    {
        let most = block_len::<E>();
        let period = match self {
            Self::Each(_) => usize::MAX,
            Self::PerRow(each) => each.len().saturating_mul(cols),
            Self::PerColumn(_) => cols,
        };
        // A row of columns is always worth it; of rows, as many as repeat.
        let repeats = match self {
            Self::PerRow(_) => range.len() / 2 > period,
            _ => true,
        };
        let len = period.saturating_add(range.len().min(most));
        let tile = (walk.joins_rows() && repeats && len <= room.capacity())
            .then(|| self.tile(cols, period, len, room));
        Ready {
            operand: self,
            tile,
            cols,
            before: Cell::new(0),
        }
    }

    /// The first `len` elements of what it is for all of the array, where that repeats after `period`.
    fn tile<'b>(self, cols: usize, period: usize, len: usize, room: Room<'b, E>) -> Src<'b, E> {
        let to = room.dst(len);
        match self {
            Self::Each(_) => unreachable!("an array of its own does not repeat"),
            Self::PerRow(each) => {
                for (row, &value) in each.iter().enumerate() {
                    to.part(row * cols, cols).fill(value);
                }
            }
            Self::PerColumn(each) => to.part(0, cols).copy_from(Src::of(each)),
        }
        // Doubling what is there, so that no copy is short for long.
        let mut done = period;
        while done < len {
            let n = done.min(len - done);
            to.part(done, n).copy_from(to.written().part(0, n));
            done += n;
        }
        to.written()
    }
}

/// An operand that is ready for the blocks of a range.
pub(crate) struct Ready<'b, E> {
    operand: Operand<'b, E>,
    /// What repeats, long enough for any block that starts in its first period.
    tile: Option<Src<'b, E>>,
    cols: usize,
    /// The rows before the last one at which the elements for rows began anew.
    before: Cell<usize>,
}

impl<'b, E: Copy + Send + Sync> Ready<'b, E> {
    /// What it is on a block: where it lies, or written out to `room`.
    #[inline(always)]
    pub(crate) fn at(&self, block: &Block, room: Room<'b, E>) -> Value<'b, E> {
        let joins = block.joins_rows(self.cols);
        match self.operand {
            Operand::PerRow(each) if !joins => {
                Value::One(each[self.wrapped(block.row, each.len())])
            }
            Operand::PerColumn(each) if !joins => {
                Value::Each(Src::of(each).part(block.col, block.len))
            }
            Operand::Each(rows) => Value::Each(rows.gather(block, room)),
            Operand::PerRow(_) | Operand::PerColumn(_) => Value::Each(self.joined(block, room)),
        }
    }

    /// The elements of a block that holds several rows.
    fn joined(&self, block: &Block, room: Room<'b, E>) -> Src<'b, E> {
        if let Some(tile) = self.tile {
            let row = match self.operand {
                Operand::PerRow(each) => self.wrapped(block.row, each.len()),
                _ => 0,
            };
            return tile.part(row * self.cols + block.col, block.len);
        }
        let to = room.dst(block.len);
        match self.operand {
            Operand::PerRow(each) => {
                let mut i = self.wrapped(block.row, each.len());
                block.each_row(self.cols, |_, _, n, done| {
                    to.part(done, n).fill(each[i]);
                    i = if i + 1 < each.len() { i + 1 } else { 0 };
                });
            }
            Operand::PerColumn(each) => block.each_row(self.cols, |_, col, n, done| {
                to.part(done, n).copy_from(Src::of(each).part(col, n));
            }),
            Operand::Each(_) => unreachable!("an array of its own is gathered"),
        }
        to.written()
    }

    /// `row % len`, of rows that come in order.
    #[inline]
    fn wrapped(&self, row: usize, len: usize) -> usize {
        let mut i = row - self.before.get();
        if i >= len {
            i %= len;
            self.before.set(row - i);
        }
        i
    }
}
