//! Rows of elements in memory, with a stride between them.

#![allow(unsafe_code)]

mod view;

use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;

use crate::memory;
pub(crate) use view::{View, check_lengths, check_shapes};

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
    pub(crate) view: View<E>,
    borrow: PhantomData<&'a [E]>,
}

/// Rows of elements to write: a matrix, or a part of one, with a stride as [`Rows`] have it.
///
/// Where a method only writes them, they need not be initialised: it takes rows of `MaybeUninit<E>` as
/// well ([`Slot`]), and initialises all. An array becomes one row by `from`.
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
    pub(crate) view: View<T>,
    borrow: PhantomData<&'a mut [T]>,
}

/// What an element may be written to: itself, or a `MaybeUninit` of it. Sealed.
pub trait Slot<E>: Copy + Send + Sync + sealed::Sealed<E> + 'static {}
impl<E: Copy + Send + Sync + 'static> Slot<E> for E {}
impl<E: Copy + Send + Sync + 'static> Slot<E> for MaybeUninit<E> {}

mod sealed {
    pub trait Sealed<E> {}
    impl<E> Sealed<E> for E {}
    impl<E> Sealed<E> for core::mem::MaybeUninit<E> {}
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
    /// If the last row ends beyond `data`, or rows overlap, because `stride < cols`. Of one row, or none, any
    /// stride will do.
    #[track_caller]
    pub fn strided(data: &'a [E], rows: usize, cols: usize, stride: usize) -> Self {
        check_strided(data.len(), rows, cols, stride);
        Self::over(View::new(data.as_ptr().cast_mut(), rows, cols, stride))
    }

    /// One row.
    #[inline]
    pub(crate) fn flat(data: &'a [E]) -> Self {
        let (p, len) = (data.as_ptr().cast_mut(), data.len());
        Self::over(View::new(p, 1, len, len))
    }

    /// One row of raw memory, at any alignment.
    ///
    /// # Safety
    /// For `'a`, `data` is valid for reads of `len` elements.
    #[inline]
    pub(crate) unsafe fn raw(data: *const E, len: usize) -> Self {
        Self::over(View::new(data.cast_mut(), 1, len, len))
    }

    #[inline]
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

    /// An only row as many rows of `cols` elements.
    pub(crate) fn folded(self, cols: usize) -> Self {
        Self::over(self.view.folded(cols))
    }

    /// Each two neighbours as one element.
    pub(crate) fn pairs(self) -> Rows<'a, [E; 2]> {
        Rows::over(self.view.pairs())
    }
}

impl<'a, T: Copy> RowsMut<'a, T> {
    /// `rows · cols` elements, one row after another.
    ///
    /// # Panics
    /// If `data` does not have exactly that many.
    #[track_caller]
    pub fn new(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        check_whole(data.len(), rows, cols);
        Self::strided(data, rows, cols, cols)
    }

    /// `rows` rows of `cols` elements, each beginning `stride` elements after the one before, the
    /// first at `data[0]`. What lies between two rows is left as it is.
    ///
    /// # Panics
    /// If the last row ends beyond `data`, or rows overlap, because `stride < cols`. Of one row, or none, any
    /// stride will do.
    #[track_caller]
    pub fn strided(data: &'a mut [T], rows: usize, cols: usize, stride: usize) -> Self {
        check_strided(data.len(), rows, cols, stride);
        Self::over(View::new(data.as_mut_ptr(), rows, cols, stride))
    }

    /// One row.
    #[inline]
    pub(crate) fn flat(data: &'a mut [T]) -> Self {
        let (p, len) = (data.as_mut_ptr(), data.len());
        Self::over(View::new(p, 1, len, len))
    }

    /// One row of raw memory, at any alignment.
    ///
    /// # Safety
    /// For `'a`, `data` is valid for writes of `len` elements, and nobody else touches them but through
    /// the same pointer.
    #[inline]
    pub(crate) unsafe fn raw(data: *mut T, len: usize) -> Self {
        Self::over(View::new(data, 1, len, len))
    }

    #[inline]
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

    /// The first half of every row, and the second: where the two gradients of a gate go that lie side
    /// by side.
    ///
    /// ```
    /// use halfwave::RowsMut;
    ///
    /// let mut x = [0.0f32; 12];
    /// let (a, b) = RowsMut::new(&mut x, 2, 6).halves();
    /// assert_eq!((a.rows(), a.cols(), b.cols()), (2, 3, 3));
    /// ```
    ///
    /// # Panics
    /// If the number of columns is odd.
    #[track_caller]
    pub fn halves(self) -> (Self, Self) {
        let [a, b] = self.view.halves();
        (Self::over(a), Self::over(b))
    }

    /// These rows as a source, for a call in place.
    #[inline]
    pub(crate) fn source(&self) -> Rows<'a, T> {
        Rows::over(self.view)
    }

    /// Where to write elements of `E`, and not to read them before.
    #[inline]
    pub(crate) fn slots<E>(self) -> RowsMut<'a, E>
    where
        T: Slot<E>,
    {
        let borrow = PhantomData;
        RowsMut {
            view: self.view.cast(),
            borrow,
        }
    }

    /// An only row as many rows of `cols` elements.
    pub(crate) fn folded(self, cols: usize) -> Self {
        Self::over(self.view.folded(cols))
    }

    /// Each two neighbours as one element.
    pub(crate) fn pairs(self) -> RowsMut<'a, [T; 2]> {
        RowsMut::over(self.view.pairs())
    }
}

impl<'a, E: Copy, A: AsRef<[E]> + ?Sized> From<&'a A> for Rows<'a, E> {
    fn from(data: &'a A) -> Self {
        Self::flat(data.as_ref())
    }
}

impl<'a, T: Copy, A: AsMut<[T]> + ?Sized> From<&'a mut A> for RowsMut<'a, T> {
    fn from(data: &'a mut A) -> Self {
        Self::flat(data.as_mut())
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

/// `data`, all of it initialised.
///
/// # Safety
/// Every element has been written.
#[inline]
pub(crate) unsafe fn written<E, T: Slot<E>>(data: &mut [T]) -> &mut [E] {
    // SAFETY: a `T` is an `E`, or a `MaybeUninit` of one that the caller vouches for.
    unsafe { &mut *(core::ptr::from_mut(data) as *mut [E]) }
}

/// A new vector of the elements that `write` makes of its spare room, on huge pages if it is large.
pub(crate) fn to_vec<E>(
    len: usize,
    write: impl for<'v> FnOnce(&'v mut [MaybeUninit<E>]) -> &'v mut [E],
) -> Vec<E> {
    let mut vec = memory::vec_with_capacity(len);
    let spare = &mut vec.spare_capacity_mut()[..len];
    let room = spare.as_ptr().cast();
    let made: &[E] = write(spare);
    assert!(core::ptr::eq(made.as_ptr(), room) && made.len() == len);
    // SAFETY: these elements are the vector's first `len`, and initialised, as their type says.
    unsafe { vec.set_len(len) };
    vec
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
        rows < 2 || stride >= cols,
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
