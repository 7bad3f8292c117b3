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
