//! Bytes by a table.

use crate::lanes::Lanes;
use crate::loops::map::Elementwise;
use crate::simd::Simd;

/// `table[x]` of every byte `x`, whose bits count as unsigned.
///
/// It is handed over as a pointer: the kernel reads the 256 bytes, for which its caller vouches.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    table: *const u8,
}

// SAFETY: the table is only read, and whoever makes a `Lookup` vouches for it as long as it is used.
unsafe impl Send for Lookup {}
// SAFETY: as above.
unsafe impl Sync for Lookup {}

impl Lookup {
    /// # Safety
    /// `table` is valid for reads for as long as any kernel is called with this.
    pub unsafe fn new(table: &[u8; 256]) -> Self {
        Self {
            table: table.as_ptr(),
        }
    }
}

impl Elementwise<i8> for Lookup {
    #[inline(always)]
    fn on<S, R: Copy>(self, s: S, x: R) -> R
    where
        S: Simd + Lanes<i8, V = R>,
    {
        // SAFETY: whoever made this vouched for the table.
        unsafe { s.lookup(self.table, x) }
    }
}

/// [`Lookup`] on a CPU that has AVX-512 and VBMI.
///
/// # Safety
/// The CPU has AVX-512 F, BW and VBMI; the rest as [`MapFn`](crate::MapFn).
#[cfg(target_arch = "x86_64")]
pub unsafe fn lookup_vbmi(op: Lookup, src: *const i8, dst: *mut i8, len: usize, stream: bool) {
    // SAFETY: forwarded; whoever made `op` vouched for the table.
    unsafe { crate::isa::avx512::lookup_vbmi(op.table, src, dst, len, stream) }
}
