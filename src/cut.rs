//! What the fused forms share: the walk over an array in pieces that stay in the first-level cache,
//! and the operands of a piece.
//!
//! A fused form is its kernels one after another on one piece, through scratch memory on the stack,
//! the last of them to the destination. So every form joins with every operation without a loop of its
//! own for each pair. In cache that is nearly as fast as one loop that keeps everything in registers,
//! since the scratch is in L1; beyond it, reading and writing in turn costs 20 to 50 % of the speed that
//! memory allows.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;
use core::ops::Range;
use core::ptr;

use halfwave_kernels::loops::{ArithmeticFn, Scalar};
use halfwave_kernels::{Float, Zip};

use crate::backend::{Threads, streams};
use crate::pieces::LINE;
use crate::view::View;

/// The bytes of a piece.
///
/// Measured with the residual of relu on f32 (Zen 4, two cores shared by ten busy programs, in thread
/// time, best of 300 in L2 and of 40 beyond the cache), against a loop that reads and writes as much:
/// 0.80 and 0.66 of it with 1 KiB, 0.75 and 0.68 with 2 KiB, 0.93 and 0.75 with 4 KiB, 0.91 and 0.75
/// with 8 KiB, 0.57 and 0.70 with 16 KiB. Beyond the cache other runs of 4 KiB saw 0.66 and 0.74: what
/// tells the sizes apart is L2. Fetching the next piece's inputs by software while this one is stored
/// made it worse with 4 KiB, 0.49 beyond the cache, but with no other size.
pub(crate) const PIECE: usize = 4096;

/// Scratch memory for `N` pieces.
#[repr(C, align(64))]
pub(crate) struct Room<const N: usize>([MaybeUninit<[u8; PIECE]>; N]);

impl<const N: usize> Room<N> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; N])
    }

    /// All of it.
    #[inline]
    pub(crate) fn at<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }

    /// The room of each piece.
    #[inline]
    pub(crate) fn each<T>(&mut self) -> [*mut T; N] {
        self.0.each_mut().map(|room| room.as_mut_ptr().cast())
    }
}

/// Some elements of a form, in the order of rows.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    /// Where the first is.
    pub(crate) row: usize,
    pub(crate) col: usize,
    pub(crate) len: usize,
    /// Whether the destination's elements are whole lines to store past the caches.
    pub(crate) stream: bool,
}

impl Piece {
    /// What the piece has of each row: the row, the column, how many elements, and how many before.
    fn of_rows(&self, cols: usize, mut each: impl FnMut(usize, usize, usize, usize)) {
        let (mut row, mut col, mut done) = (self.row, self.col, 0);
        while done < self.len {
            let n = (cols - col).min(self.len - done);
            each(row, col, n, done);
            (row, col, done) = (row + 1, 0, done + n);
        }
    }
}

/// How the work on a destination of `T` is cut.
pub(crate) struct Cut<T> {
    to: View<T>,
    /// Whether pieces may go on from row to row.
    contiguous: bool,
    stream: bool,
}

impl<T: Copy + Send + Sync> Cut<T> {
    /// For destinations of one shape, that of the first; it may be stored to past the caches unless it
    /// is a source too.
    pub(crate) fn new<const N: usize>(to: [View<T>; N], in_place: bool) -> Self {
        let contiguous = to.iter().all(View::is_contiguous);
        let to = to[0];
        let stream = streams(to.at(0, 0), to.len(), in_place);
        Self {
            to,
            contiguous,
            stream,
        }
    }

    /// Whether a piece may hold parts of several rows.
    pub(crate) fn joins_rows(&self) -> bool {
        self.contiguous && self.to.rows > 1
    }

    /// Runs `work` on ranges of the elements, which together touch `arrays` times their bytes.
    pub(crate) fn split(
        &self,
        threads: Threads,
        arrays: usize,
        work: impl Fn(Range<usize>) + Sync,
    ) {
        let len = self.to.len();
        let bytes = len.saturating_mul(arrays * size_of::<T>());
        threads.split(bytes, len, self.stream, work);
    }

    /// The pieces of a range. Stores past the caches get whole lines, and other stores none of those:
    /// both to one line cost half the speed.
    pub(crate) fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = Piece> {
        let (mut next, end) = (range.start, range.end);
        core::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let (row, col) = (next / self.to.cols, next % self.to.cols);
            let run = if self.contiguous {
                end - next
            } else {
                (end - next).min(self.to.cols - col)
            };
            let mut piece = Piece {
                row,
                col,
                len: run.min(PIECE / size_of::<T>()),
                stream: false,
            };
            if self.stream {
                let behind = self.to.at(row, col).addr() % LINE;
                let whole = piece.len * size_of::<T>() / LINE * LINE / size_of::<T>();
                if behind == 0 && whole > 0 {
                    (piece.len, piece.stream) = (whole, true);
                } else if behind.is_multiple_of(size_of::<T>()) {
                    piece.len = piece.len.min((LINE - behind) / size_of::<T>());
                }
            }
            next += piece.len;
            Some(piece)
        })
    }
}

impl<T: Copy> View<T> {
    /// The elements of a piece, one after another: where they lie, or copied to `room`.
    ///
    /// # Safety
    /// The piece lies within a view of this shape whose elements are valid for reads; `room` has
    /// room for it.
    #[inline]
    pub(crate) unsafe fn gather(&self, piece: &Piece, room: *mut T) -> *const T {
        if piece.len <= self.cols - piece.col || self.is_contiguous() {
            return self.at(piece.row, piece.col);
        }
        piece.of_rows(self.cols, |row, col, n, done| {
            // SAFETY: `n` elements from there on are in the row, and `done + n` in the piece.
            unsafe { ptr::copy_nonoverlapping(self.at(row, col), room.add(done), n) }
        });
        room
    }

    /// Where a piece begins, and whether it may be stored past the caches: a second destination's
    /// lines may lie otherwise than those that the piece was cut by.
    #[inline]
    pub(crate) fn second(&self, piece: &Piece) -> (*mut T, bool) {
        let p = self.at(piece.row, piece.col);
        (p, piece.stream && p.addr().is_multiple_of(LINE))
    }
}

/// The second operand of a form: an element for each, or for each row, or for each column.
#[derive(Clone, Copy)]
pub(crate) enum Operand<E> {
    Each(View<E>),
    Rows(View<E>),
    Columns(View<E>),
    /// Columns, repeated beyond the last until any piece that starts in a row has enough.
    Repeated(View<E>),
}

/// What it is on a piece.
#[derive(Clone, Copy)]
pub(crate) enum On<E> {
    One(E),
    Many(*const E),
}

impl<E: Float> Operand<E> {
    /// If rows are short and pieces hold many, repeats the columns, as far as `range` needs.
    ///
    /// # Safety
    /// The operand's elements are valid for reads.
    pub(crate) unsafe fn repeated(
        self,
        cut: &Cut<E>,
        range: &Range<usize>,
        room: &mut Room<2>,
    ) -> Self {
        let most = PIECE / size_of::<E>();
        match self {
            Self::Columns(view) if cut.joins_rows() && view.cols <= most => {
                let (cols, to) = (view.cols, room.at::<E>());
                let len = cols + range.len().min(most);
                let mut done = 0;
                while done < len {
                    // Doubling what is there, so that no copy is short for long.
                    let (from, n) = if done == 0 {
                        (view.at(0, 0), cols)
                    } else {
                        (to, done.min(len - done))
                    };
                    // SAFETY: `cols <= most`, so `len` elements fit; the first `done`, a multiple of
                    // `cols`, have been written and end where the others begin.
                    unsafe { ptr::copy_nonoverlapping(from, to.add(done), n) };
                    done += n;
                }
                Self::Repeated(View::new(to, view.rows, cols, 0))
            }
            other => other,
        }
    }

    /// # Safety
    /// As [`View::gather`].
    #[inline]
    pub(crate) unsafe fn on(&self, piece: &Piece, cols: usize, room: *mut E) -> On<E> {
        // SAFETY: forwarded; and a row of the piece has an element of its own.
        unsafe {
            match self {
                Self::Each(view) | Self::Columns(view) => On::Many(view.gather(piece, room)),
                Self::Repeated(view) => On::Many(view.at(0, piece.col)),
                Self::Rows(view) if piece.len <= cols - piece.col => {
                    On::One(view.at(piece.row, 0).read())
                }
                Self::Rows(view) => {
                    piece.of_rows(cols, |row, _, n, done| {
                        let value = view.at(row, 0).read();
                        for i in done..done + n {
                            room.add(i).write(value);
                        }
                    });
                    On::Many(room)
                }
            }
        }
    }
}

/// `dst[i] = form(a[i], b[i])`.
///
/// # Safety
/// As [`Zip`], and the CPU runs the kernel.
#[inline]
pub(crate) unsafe fn combine<B: Copy, E: Copy>(
    kernel: &ArithmeticFn<B, E>,
    op: B,
    a: *const E,
    b: On<E>,
    (dst, stream): (*mut E, bool),
    len: usize,
) {
    // SAFETY: forwarded.
    unsafe {
        match b {
            On::One(b) => (kernel.scalar)(Scalar(op, b), a, dst, len, stream),
            On::Many(b) => (kernel.zip)(Zip {
                op,
                a,
                b,
                dst,
                len,
                stream,
            }),
        }
    }
}
