//! Where rows lie, and whether they are of one shape.

#![allow(unsafe_code)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Where rows lie; the stride is in bytes, so that pairs of elements can have an odd one.
pub(crate) struct View<T> {
    data: *mut T,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    stride: usize,
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for View<T> {}
// SAFETY: it stands for a borrow, which `Rows` and `RowsMut` keep, of plain elements; threads that
// write through it write different elements.
unsafe impl<T: Send + Sync> Send for View<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for View<T> {}

impl<T> View<T> {
    #[inline]
    pub(crate) fn new(data: *mut T, rows: usize, cols: usize, stride: usize) -> Self {
        // Of one row, or none, no stride counts; it may be a number that has no place in memory.
        let stride = if rows < 2 { 0 } else { stride * size_of::<T>() };
        Self {
            data,
            rows,
            cols,
            stride,
        }
    }

    /// The address of an element.
    #[inline]
    pub(crate) fn at(&self, row: usize, col: usize) -> *mut T {
        self.data
            .wrapping_byte_add(row * self.stride)
            .wrapping_add(col)
    }

    /// How many elements all rows have.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Whether every row begins where the one before ends.
    #[inline]
    pub(crate) fn is_contiguous(&self) -> bool {
        self.rows < 2 || self.stride == self.cols * size_of::<T>()
    }

    /// Whether the other lies at the same place.
    #[inline]
    pub(crate) fn is<U>(&self, other: &View<U>) -> bool {
        core::ptr::addr_eq(self.data, other.data)
    }

    #[inline]
    pub(super) fn cast<U>(self) -> View<U> {
        const { assert!(size_of::<T>() == size_of::<U>()) };
        let Self {
            rows, cols, stride, ..
        } = self;
        View {
            data: self.data.cast(),
            rows,
            cols,
            stride,
        }
    }

    pub(super) fn folded(self, cols: usize) -> Self {
        let len = self.cols;
        assert!(self.rows == 1 && (len == 0 || len.is_multiple_of(cols)));
        Self::new(self.data, len.checked_div(cols).unwrap_or(0), cols, cols)
    }

    /// Each two elements of a row as one.
    pub(super) fn pairs(self) -> View<[T; 2]> {
        let Self {
            rows, cols, stride, ..
        } = self;
        View {
            data: self.data.cast(),
            rows,
            cols: cols / 2,
            stride,
        }
    }

    #[track_caller]
    pub(super) fn halves(self) -> [Self; 2] {
        let Self {
            rows, cols, stride, ..
        } = self;
        assert!(
            cols.is_multiple_of(2),
            "rows of {cols} elements have no halves"
        );
        [0, cols / 2].map(|from| View {
            data: self.at(0, from),
            rows,
            cols: cols / 2,
            stride,
        })
    }

    /// In words, for messages.
    pub(crate) fn shape(&self) -> String {
        let Self { rows, cols, .. } = self;
        if self.is_contiguous() {
            format!("{rows} × {cols}")
        } else {
            let stride = self.stride / size_of::<T>();
            format!("{rows} × {cols} with a stride of {stride}")
        }
    }
}

/// Panics, saying all shapes, unless they are the same.
#[track_caller]
#[inline]
pub(crate) fn check_shapes<E, const N: usize>(views: [(&'static str, &View<E>); N]) {
    #[cold]
    #[track_caller]
    fn differ<E>(views: &[(&str, &View<E>)]) -> ! {
        let all: Vec<_> = views
            .iter()
            .map(|(name, view)| format!("{name} has {}", view.shape()))
            .collect();
        panic!(
            "shapes differ, which must be the same: {} elements",
            all.join(", ")
        );
    }
    let of = |view: &View<E>| (view.rows, view.cols);
    if views.iter().any(|(_, view)| of(view) != of(views[0].1)) {
        differ(&{ views }); // a copy, so that only this call needs it in memory
    }
}

/// Panics, saying all lengths, unless they are the same.
#[inline]
#[track_caller]
pub(crate) fn check_lengths<const N: usize>(lengths: [(&'static str, usize); N]) {
    #[cold]
    #[track_caller]
    fn differ(lengths: &[(&str, usize)]) -> ! {
        let all: Vec<_> = lengths
            .iter()
            .map(|(name, len)| format!("{name} has {len}"))
            .collect();
        panic!(
            "lengths differ, which must be the same: {} elements",
            all.join(", ")
        );
    }
    if lengths.iter().any(|(_, len)| *len != lengths[0].1) {
        differ(&{ lengths }); // a copy, so that only this call needs it in memory
    }
}
