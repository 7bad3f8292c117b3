//! The tables this CPU runs: for the tests of the crate and those inside it. Who includes this file has
//! `Kernels` and `isa` in scope.

extern crate std; // which the crate itself is without

use std::vec::Vec;

use super::{Kernels, isa};

/// Every table this CPU runs.
pub fn tables() -> Vec<&'static Kernels> {
    #[cfg(target_arch = "x86_64")]
    let (avx2, avx512) = {
        use std::arch::is_x86_feature_detected as has;
        let avx2 = has!("avx2") && has!("fma") && has!("f16c");
        let avx512 = has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        (avx2, avx2 && avx512)
    };
    let tables = [
        Some(&isa::portable::KERNELS),
        #[cfg(target_arch = "x86_64")]
        avx2.then_some(&isa::avx2::KERNELS),
        #[cfg(target_arch = "x86_64")]
        avx512.then_some(&isa::avx512::KERNELS),
    ];
    tables.into_iter().flatten().collect()
}
