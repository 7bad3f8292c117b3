//! How arrays are cut into blocks, and who works on which.

use core::ops::Range;

use halfwave_kernels::fence;

use super::{BLOCK, Dst, LINE, Room, Src};
use crate::float_env::DefaultEnv;
use crate::memory;
use crate::rows::{Rows, RowsMut, View};

/// Who does the work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The caller.
    One,
    /// Rayon's current pool, and the caller.
    #[cfg(feature = "parallel")]
    Pool,
}

impl Threads {
    /// Runs `work` on ranges that cover `0..len`; together they touch `bytes`.
    #[inline]
    pub(crate) fn split(self, bytes: usize, len: usize, work: impl Fn(Range<usize>) + Sync) {
        match self {
            Threads::One => {
                let _env = DefaultEnv::enter();
                work(0..len);
            }
            #[cfg(feature = "parallel")]
            Threads::Pool => crate::parallel::split(bytes, len, &work),
        }
        #[cfg(not(feature = "parallel"))]
        let _ = bytes;
    }
}

/// How many elements of `E` make a block.
#[inline]
pub(crate) const fn block_len<E>() -> usize {
    BLOCK / size_of::<E>()
}

/// Some elements of every array of a walk, in the order of rows.
pub(crate) struct Block {
    /// Where the first is.
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) len: usize,
    /// Whether the destination's elements are to be stored past the caches.
    stream: bool,
}

impl Block {
    /// The elements' numbers, where there is only one row.
    #[inline]
    pub(crate) fn range(&self) -> Range<usize> {
        self.col..self.col + self.len
    }

    /// Whether it has elements of more than one row of `cols`.
    #[inline]
    pub(super) fn joins_rows(&self, cols: usize) -> bool {
        self.len > cols - self.col
    }

    /// What the block has of each row: the row, the column, how many elements, and how many before.
    pub(super) fn each_row(&self, cols: usize, mut work: impl FnMut(usize, usize, usize, usize)) {
        let (mut row, mut col, mut done) = (self.row, self.col, 0);
        while done < self.len {
            let n = (cols - col).min(self.len - done);
            work(row, col, n, done);
            (row, col, done) = (row + 1, 0, done + n);
        }
    }
}

/// A walk over arrays of one shape, in the order of the elements.
#[derive(Clone, Copy)]
pub(crate) struct Walk<T: Copy> {
    to: View<T>,
    /// Whether a block may go on from row to row.
    joined: bool,
    /// Whether to store past the caches.
    stream: bool,
    /// The most elements a block may have.
    most: usize,
    /// The bytes that a call touches for each element.
    bytes: usize,
    /// Whether the work computes with floats, so that their environment counts.
    floats: bool,
}

impl<T: Copy + Send + Sync> Walk<T> {
    /// For a destination, which may be stored to past the caches unless it is a source too: in place, the
    /// line to overwrite has just been read, so that there is nothing to save. `arrays` is how many arrays
    /// of its size a call touches.
    #[inline(always)]
    pub(crate) fn to(to: &RowsMut<'_, T>, in_place: bool, arrays: usize) -> Self {
        let to = to.view;
        let bytes = to.len().saturating_mul(size_of::<T>());
        Self {
            to,
            joined: to.is_contiguous(),
            stream: !in_place && memory::streams(bytes) && to.at(0, 0).is_aligned(),
            most: block_len::<T>(),
            bytes: arrays * size_of::<T>(),
            floats: true,
        }
    }

    /// For conversions between `T`, the destination's, and `E`, which is larger or smaller.
    #[inline]
    pub(crate) fn converting<E>(to: &RowsMut<'_, T>) -> Self {
        let (to, bytes) = (to.view, size_of::<T>() + size_of::<E>());
        Self {
            to,
            joined: to.is_contiguous(),
            stream: memory::streams(to.len().saturating_mul(bytes) / 2),
            most: block_len::<T>().min(block_len::<E>()),
            bytes,
            floats: true,
        }
    }

    /// With another array that a block must find in one run, if it joins rows.
    #[inline(always)]
    pub(crate) fn with<U>(self, other: &View<U>) -> Self {
        let joined = self.joined && other.is_contiguous();
        Self { joined, ..self }
    }

    /// In blocks of any length, for a form that needs no scratch: rows that are joined are one block.
    #[inline(always)]
    pub(crate) fn whole(self) -> Self {
        let most = usize::MAX;
        Self { most, ..self }
    }

    /// For work that computes with floats or, if not, only moves bits and integers: [`run`](Walk::run)
    /// then spares a small call the floating-point environment, which took relu of 8 `i32` from 1.9 to
    /// 6.8 ns (Zen 5).
    #[inline(always)]
    pub(crate) fn with_floats(self, floats: bool) -> Self {
        Self { floats, ..self }
    }

    /// Whether the destination is to be stored to past the caches.
    #[inline]
    pub(crate) fn streams(&self) -> bool {
        self.stream
    }

    /// Whether a block may hold elements of several rows.
    #[inline]
    pub(crate) fn joins_rows(&self) -> bool {
        self.joined && self.to.rows > 1
    }

    /// Runs `work` on ranges of the elements. What it has stored past the caches is visible to who comes
    /// after.
    #[inline]
    pub(crate) fn split(&self, threads: Threads, work: impl Fn(Range<usize>) + Sync) {
        let len = self.to.len();
        threads.split(len.saturating_mul(self.bytes), len, |range| {
            work(range);
            if self.stream {
                fence();
            }
        });
    }

    /// Runs `work` on every block. A `work` that owns all it needs costs a small call next to nothing.
    #[inline(always)]
    pub(crate) fn run(self, threads: Threads, work: impl Fn(&Block) + Sync) {
        let len = self.to.len();
        #[cfg(feature = "parallel")]
        if threads == Threads::Pool && crate::parallel::pays(len.saturating_mul(self.bytes)) {
            return self.run_split(work);
        }
        let _ = threads;
        let _env = self.floats.then(DefaultEnv::enter);
        self.run_range(0..len, &work);
    }

    // Apart, so that what a lone thread works with need not lie in memory.
    #[cfg(feature = "parallel")]
    #[inline(never)]
    fn run_split(self, work: impl Fn(&Block) + Sync) {
        let len = self.to.len();
        crate::parallel::split(len.saturating_mul(self.bytes), len, &|range| {
            self.run_range(range, &work);
        });
    }

    #[inline(always)]
    fn run_range(&self, range: Range<usize>, work: &impl Fn(&Block)) {
        if self.is_one_run() {
            // What most calls are, at the price of no walk.
            work(&self.cut(0, range.start, range.len()));
        } else {
            self.blocks(range).for_each(|block| work(&block));
        }
        if self.stream {
            fence();
        }
    }

    /// Whether any range is one block, as though all rows were one.
    #[inline(always)]
    fn is_one_run(&self) -> bool {
        self.joined && self.most == usize::MAX
    }

    /// The blocks of a range.
    #[inline]
    pub(crate) fn blocks(&self, range: Range<usize>) -> impl Iterator<Item = Block> + use<T> {
        // A copy, which the kernels between two blocks are known not to change.
        let (walk, cols, mut left) = (*self, self.to.cols, range.len());
        let (mut row, mut col) = self.place(range.start);
        core::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let run = if walk.joined {
                left
            } else {
                left.min(cols - col)
            };
            let block = walk.cut(row, col, run);
            left -= block.len;
            col += block.len;
            if left > 0 && col >= cols {
                (row, col) = (row + 1, col - cols);
                if col >= cols {
                    (row, col) = (row + col / cols, col % cols);
                }
            }
            Some(block)
        })
    }

    /// The rows of a range, or what it has of them, each as one block to be stored through the caches.
    #[inline]
    pub(crate) fn rows(&self, range: Range<usize>) -> impl Iterator<Item = Block> + use<T> {
        let (cols, mut left) = (self.to.cols, range.len());
        let (mut row, mut col) = self.place(range.start);
        core::iter::from_fn(move || {
            let len = left.min(cols - col);
            let stream = false;
            let block = Block {
                row,
                col,
                len,
                stream,
            };
            (row, col, left) = (row + 1, 0, left - len);
            (len > 0).then_some(block)
        })
    }

    /// The row and the column of element `i`, of all rows one after another.
    #[inline]
    pub(crate) fn place(&self, i: usize) -> (usize, usize) {
        match i {
            0 => (0, 0), // of rows without elements, too
            i => (i / self.to.cols, i % self.to.cols),
        }
    }

    /// The first block of `run` elements.
    #[inline(always)]
    fn cut(&self, row: usize, col: usize, run: usize) -> Block {
        let mut block = Block {
            row,
            col,
            len: run.min(self.most),
            stream: false,
        };
        if self.stream {
            self.cut_lines(&mut block);
        } else if block.len < run {
            // The next begins with a line, and so do all after it: kernels store to aligned addresses.
            block.len -= self.to.at(row, col).addr() % LINE / size_of::<T>();
        }
        block
    }

    /// Stores past the caches get whole lines, and other stores none of those: both to one line cost half
    /// the speed.
    #[inline]
    fn cut_lines(&self, block: &mut Block) {
        if self.is_one_run() {
            // The only one of its range: the kernel itself sees to the lines.
            block.stream = true;
            return;
        }
        let behind = self.to.at(block.row, block.col).addr() % LINE;
        let whole = block.len.saturating_mul(size_of::<T>()) / LINE * LINE / size_of::<T>();
        if behind == 0 && whole > 0 {
            (block.len, block.stream) = (whole, true);
        } else if behind.is_multiple_of(size_of::<T>()) {
            block.len = block.len.min((LINE - behind) / size_of::<T>());
        }
    }
}

/// Cuts a range into parts of at most `most` elements that begin where `range` does and a multiple of
/// that beyond: so that each has whole words of a mask, but for the last.
#[inline]
pub(crate) fn words(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    debug_assert!(range.start.is_multiple_of(64) && most.is_multiple_of(64));
    let end = range.end;
    range
        .step_by(most)
        .map(move |from| from..end.min(from + most))
}

impl<'a, E: Copy> Rows<'a, E> {
    /// The elements of a block, which lie in one run.
    #[inline]
    pub(crate) fn at<'b>(&self, block: &Block) -> Src<'b, E>
    where
        'a: 'b,
    {
        debug_assert!(self.view.is_contiguous() || !block.joins_rows(self.view.cols));
        Src::new(self.view.at(block.row, block.col), block.len)
    }

    /// The elements of a block, one after another: where they lie, or copied to `room`.
    #[inline]
    pub(crate) fn gather<'b>(&self, block: &Block, room: Room<'b, E>) -> Src<'b, E>
    where
        'a: 'b,
    {
        if !block.joins_rows(self.view.cols) || self.view.is_contiguous() {
            return self.at(block);
        }
        let to = room.dst(block.len);
        block.each_row(self.view.cols, |row, col, n, done| {
            to.part(done, n)
                .copy_from(Src::new(self.view.at(row, col), n));
        });
        to.written()
    }

    /// Some elements of the first row.
    #[inline]
    pub(crate) fn range(&self, range: Range<usize>) -> Src<'a, E> {
        assert!(range.start <= range.end && range.end <= self.view.cols);
        Src::new(self.view.at(0, range.start), range.len())
    }
}

impl<'a, E: Copy> RowsMut<'a, E> {
    /// The elements of a block, which lie in one run, of the array that the walk is for.
    #[inline]
    pub(crate) fn at(&self, block: &Block) -> Dst<'a, E> {
        let p = self.view.at(block.row, block.col);
        Dst::new(p, block.len, block.stream)
    }

    /// The elements of a block in a second destination. Its lines may lie otherwise than those that the
    /// block was cut by; then it is stored through the caches.
    #[inline]
    pub(crate) fn beside(&self, block: &Block) -> Dst<'a, E> {
        let p = self.view.at(block.row, block.col);
        Dst::new(p, block.len, block.stream && p.addr().is_multiple_of(LINE))
    }

    /// How many elements element `i` of an only row lies behind the beginning of its cache line.
    #[inline]
    pub(crate) fn behind_line(&self, i: usize) -> usize {
        self.view.at(0, i).addr() % LINE / size_of::<E>()
    }

    /// Some elements of the first row.
    #[inline]
    pub(crate) fn range(&self, range: Range<usize>, stream: bool) -> Dst<'a, E> {
        assert!(range.start <= range.end && range.end <= self.view.cols);
        Dst::new(self.view.at(0, range.start), range.len(), stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// A walk over `cols` columns from element `offset` of a line on, in blocks, past the caches or not.
    fn walk(data: &mut [f32], rows: usize, cols: usize, stride: usize, stream: bool) -> Walk<f32> {
        let to = RowsMut::strided(data, rows, cols, stride);
        let mut walk = Walk::to(&to, true, 1);
        walk.stream = stream;
        walk
    }

    #[test]
    fn blocks_cover_every_element_once() {
        let mut data = vec![0.0f32; 40_000];
        for (rows, cols, stride) in [(1, 5000, 5000), (7, 700, 700), (7, 700, 701), (300, 3, 3)] {
            for stream in [false, true] {
                let walk = walk(&mut data[3..], rows, cols, stride, stream);
                for range in [0..0, 0..1, 5..6, 3..walk.to.len(), 16..900] {
                    let range = range.start..range.end.min(walk.to.len());
                    let mut next = range.start;
                    for block in walk.blocks(range.clone()) {
                        assert_eq!(block.row * cols + block.col, next);
                        assert!((1..=block_len::<f32>()).contains(&block.len));
                        assert!(stride == cols || !block.joins_rows(cols));
                        next += block.len;
                    }
                    assert_eq!(next, range.end.max(range.start));
                }
            }
        }
    }

    #[test]
    fn what_is_streamed_is_whole_lines_and_nothing_else_is_stored_there() {
        let mut data = vec![0.0f32; 40_000];
        for offset in 0..16 {
            for (cols, stride) in [(700, 700), (700, 710), (9, 9), (33, 64)] {
                let walk = walk(&mut data[offset..], 40, cols, stride, true);
                let mut lines = Vec::new();
                for block in walk.blocks(0..walk.to.len()) {
                    let start = walk.to.at(block.row, block.col).addr();
                    let end = start + block.len * 4;
                    if block.stream {
                        assert!(start.is_multiple_of(LINE) && end.is_multiple_of(LINE));
                    }
                    let of_block = start / LINE..end.div_ceil(LINE);
                    lines.extend(of_block.map(|line| (line, block.stream)));
                }
                for pair in lines.windows(2) {
                    assert!(pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1);
                }
            }
        }
    }

    /// What the tests of streaming stand on: from the threshold on, what is read and written together,
    /// every block is to be stored past the caches.
    #[test]
    fn blocks_stream_from_the_threshold_on() {
        let least = memory::streaming_threshold().div_ceil(2 * size_of::<f32>());
        let mut data = vec![0.0f32; 2 * least]; // zeros that nobody touches take no memory
        for (len, in_place, stream) in [
            (least, false, true),
            (2 * least, false, true),
            (least - 1, false, false),
            (least, true, false),
        ] {
            let walk = Walk::to(&RowsMut::flat(&mut data[..len]), in_place, 2);
            assert_eq!(walk.streams(), stream);
            let walk = walk.whole();
            let mut blocks = walk.blocks(0..len);
            assert!(blocks.all(|block| block.stream == stream));
        }
    }

    #[test]
    fn rows_are_blocks_of_their_own_unless_joined() {
        let mut data = vec![0.0f32; 40_000];
        let one = walk(&mut data, 5, 3000, 3000, true).whole();
        let lens: Vec<_> = one.blocks(0..15_000).map(|b| b.len).collect();
        assert_eq!(lens, [15_000]);
        let part: Vec<_> = one
            .rows(2000..9001)
            .map(|b| (b.row, b.col, b.len))
            .collect();
        assert_eq!(
            part,
            [(0, 2000, 1000), (1, 0, 3000), (2, 0, 3000), (3, 0, 1)]
        );
        assert_eq!(one.rows(3000..3000).count(), 0);
    }
}
