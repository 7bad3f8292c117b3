//! Rows of elements in memory, with a stride between them.

#![allow(unsafe_code)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use halfwave_kernels::Element;

/// Rows of elements to read: a matrix, or a part of one. Every row begins `stride` elements after
/// the one before, and the elements between two rows are not touched.
///
/// An array becomes one row by `from`, so that what takes `impl Into<Rows<E>>` takes `&[E]`,
/// `&Vec<E>` and `&[E; N]` too.
///
/// ```
/// use halfwave::Rows;
///
/// let matrix: Vec<f32> = (0..20).map(|i| i as f32).collect(); // 4 rows of 5
/// let whole = Rows::new(&matrix, 4, 5);
/// let part = Rows::strided(&matrix[7..], 2, 3, 5); // rows 1 and 2, columns 2 to 4
/// assert_eq!(whole.row(1)[2..], *part.row(0));
/// assert_eq!(part.row(1), [12.0, 13.0, 14.0]);
/// ```
#[derive(Clone, Copy)]
pub struct Rows<'a, E> {
    view: View<E>,
    borrow: PhantomData<&'a [E]>,
}

/// Rows of elements to write, as [`Rows`]. Where a method only writes them, they need not be
/// initialised: it takes rows of `MaybeUninit<E>` as well ([`Slot`]), and initialises all.
///
/// ```
/// use halfwave::{Fused, Relu, Rows, RowsMut};
/// use std::mem::MaybeUninit;
///
/// let x = [-1.0f32, 2.0, -3.0, 4.0];
/// let mut y = vec![0.5f32; 2 * 10]; // two columns of a wider matrix
/// Relu.residual(Rows::new(&x, 2, 2), Rows::new(&x, 2, 2), RowsMut::strided(&mut y, 2, 2, 10));
/// assert_eq!(y[..3], [0.0, 4.0, 0.5]);
/// assert_eq!(y[10..13], [0.0, 8.0, 0.5]);
///
/// let mut fresh = [MaybeUninit::<f32>::uninit(); 4];
/// Relu.residual(&x, &x, &mut fresh);
/// ```
pub struct RowsMut<'a, T> {
    view: View<T>,
    borrow: PhantomData<&'a mut [T]>,
}

/// What an element may be written to: itself, or a `MaybeUninit` of it. Sealed.
pub trait Slot<E>: Copy + Send + Sync + sealed::Sealed<E> + 'static {}
impl<E: Element> Slot<E> for E {}
impl<E: Element> Slot<E> for MaybeUninit<E> {}

mod sealed {
    use super::{Element, MaybeUninit};
    pub trait Sealed<E> {}
    impl<E: Element> Sealed<E> for E {}
    impl<E: Element> Sealed<E> for MaybeUninit<E> {}
}

impl<'a, E: Copy> Rows<'a, E> {
    /// `rows · cols` elements, one row after another.
    ///
    /// # Panics
    /// If `data` does not have exactly that many.
    #[track_caller]
    pub fn new(data: &'a [E], rows: usize, cols: usize) -> Self {
        check_whole(data.len(), rows, cols);
        Self::strided(data, rows, cols, cols)
    }

    /// `rows` rows of `cols` elements, each beginning `stride` elements after the one before, the
    /// first at `data[0]`.
    ///
    /// # Panics
    /// If `stride < cols`, or the last row ends beyond `data`.
    #[track_caller]
    pub fn strided(data: &'a [E], rows: usize, cols: usize, stride: usize) -> Self {
        check_strided(data.len(), rows, cols, stride);
        Self::over(View::new(data.as_ptr().cast_mut(), rows, cols, stride))
    }

    fn over(view: View<E>) -> Self {
        let borrow = PhantomData;
        Self { view, borrow }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.view.rows
    }

    /// How many elements a row has.
    pub fn cols(&self) -> usize {
        self.view.cols
    }

    /// The elements of row `i`.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn row(&self, i: usize) -> &'a [E] {
        assert!(i < self.rows(), "row {i} of {} rows", self.rows());
        // SAFETY: a row of the borrowed elements.
        unsafe { core::slice::from_raw_parts(self.view.at(i, 0), self.cols()) }
    }

    /// The first half of every row, and the second: the two inputs of a gate that lie side by side.
    ///
    /// ```
    /// use halfwave::Rows;
    ///
    /// let (a, b) = Rows::new(&[1, 2, 3, 4, 5, 6, 7, 8], 2, 4).halves();
    /// assert_eq!((a.row(1), b.row(1)), (&[5, 6][..], &[7, 8][..]));
    /// ```
    ///
    /// # Panics
    /// If the number of columns is odd.
    #[track_caller]
    pub fn halves(self) -> (Self, Self) {
        let [a, b] = self.view.halves();
        (Self::over(a), Self::over(b))
    }

    pub(crate) fn view(self) -> View<E> {
        self.view
    }
}

impl<'a, T: Copy> RowsMut<'a, T> {
    /// As [`Rows::new`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn new(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        check_whole(data.len(), rows, cols);
        Self::strided(data, rows, cols, cols)
    }

    /// As [`Rows::strided`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn strided(data: &'a mut [T], rows: usize, cols: usize, stride: usize) -> Self {
        check_strided(data.len(), rows, cols, stride);
        Self::over(View::new(data.as_mut_ptr(), rows, cols, stride))
    }

    fn over(view: View<T>) -> Self {
        let borrow = PhantomData;
        Self { view, borrow }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.view.rows
    }

    /// How many elements a row has.
    pub fn cols(&self) -> usize {
        self.view.cols
    }

    /// As [`Rows::halves`].
    ///
    /// # Panics
    /// As that.
    #[track_caller]
    pub fn halves(self) -> (Self, Self) {
        let [a, b] = self.view.halves();
        (Self::over(a), Self::over(b))
    }

    /// Where to write elements, and not to read before.
    pub(crate) fn view<E>(self) -> View<E>
    where
        T: Slot<E>,
    {
        self.view.cast()
    }
}

impl<'a, E: Copy, A: AsRef<[E]> + ?Sized> From<&'a A> for Rows<'a, E> {
    fn from(data: &'a A) -> Self {
        let data = data.as_ref();
        Self::strided(data, 1, data.len(), data.len())
    }
}

impl<'a, T: Copy, A: AsMut<[T]> + ?Sized> From<&'a mut A> for RowsMut<'a, T> {
    fn from(data: &'a mut A) -> Self {
        let data = data.as_mut();
        let len = data.len();
        Self::strided(data, 1, len, len)
    }
}

impl<E> fmt::Debug for Rows<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rows({})", self.view.shape())
    }
}

impl<T> fmt::Debug for RowsMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowsMut({})", self.view.shape())
    }
}

#[track_caller]
fn check_whole(len: usize, rows: usize, cols: usize) {
    assert!(
        rows.checked_mul(cols) == Some(len),
        "{rows} rows of {cols} elements are not the {len} of the slice"
    );
}

#[track_caller]
fn check_strided(len: usize, rows: usize, cols: usize, stride: usize) {
    assert!(
        stride >= cols,
        "rows of {cols} elements overlap with a stride of {stride}; it must be {cols} or more"
    );
    let end = match rows {
        0 => Some(0),
        _ => (rows - 1)
            .checked_mul(stride)
            .and_then(|last| last.checked_add(cols)),
    };
    assert!(
        end.is_some_and(|end| end <= len),
        "{rows} rows of {cols} elements with a stride of {stride} end beyond a slice of {len}"
    );
}

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
    pub(crate) fn new(data: *mut T, rows: usize, cols: usize, stride: usize) -> Self {
        let stride = stride * size_of::<T>();
        Self {
            data,
            rows,
            cols,
            stride,
        }
    }

    #[inline]
    pub(crate) fn at(&self, row: usize, col: usize) -> *mut T {
        self.data
            .wrapping_byte_add(row * self.stride)
            .wrapping_add(col)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Whether every row begins where the one before ends.
    #[inline]
    pub(crate) fn is_contiguous(&self) -> bool {
        self.rows < 2 || self.stride == self.cols * size_of::<T>()
    }

    /// Whether the other lies at the same place.
    pub(crate) fn is(&self, other: &Self) -> bool {
        core::ptr::eq(self.data, other.data)
    }

    pub(crate) fn cast<U>(self) -> View<U> {
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

    /// Each two elements of a row as one.
    pub(crate) fn pairs(self) -> View<[T; 2]> {
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
    fn halves(self) -> [Self; 2] {
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
        differ(&views);
    }
}
