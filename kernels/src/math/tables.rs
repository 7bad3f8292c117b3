//! What a table of [`cells`](crate::math::cells) is.

/// A function in `N` cells, by polynomials of degree `D`.
pub(crate) struct Cells<const N: usize, const D: usize> {
    /// b.
    pub(crate) points: [f32; N],
    /// f(b).
    pub(crate) values: [f32; N],
    /// Of d, d², ….
    pub(crate) coefficients: [[f32; N]; D],
}

/// A table that registers load whole: it begins where a cache line does.
#[repr(align(64))]
pub(crate) struct Aligned<T>(pub(crate) T);

/// Numbers of these bits.
pub(crate) const fn of_bits<const N: usize>(bits: [u32; N]) -> [f32; N] {
    let mut x = [0.0; N];
    let mut i = 0;
    while i < N {
        x[i] = f32::from_bits(bits[i]);
        i += 1;
    }
    x
}

/// Numbers of these bits.
pub(crate) const fn of_bits_64<const N: usize>(bits: [u64; N]) -> [f64; N] {
    let mut x = [0.0; N];
    let mut i = 0;
    while i < N {
        x[i] = f64::from_bits(bits[i]);
        i += 1;
    }
    x
}

/// These, and zeros up to a power of two, modulo which any index is one.
pub(crate) const fn padded<const N: usize, const M: usize>(x: [f64; N]) -> [f64; M] {
    let mut y = [0.0; M];
    let mut i = 0;
    while i < N {
        y[i] = x[i];
        i += 1;
    }
    y
}
