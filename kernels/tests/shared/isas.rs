//! The instruction sets that this CPU runs: for the tests of the crate and those inside it. Who includes
//! this file has `Isa` and `is_available` in scope.

extern crate std; // which the crate itself is without

use std::vec::Vec;

use super::{Isa, is_available};

/// Every instruction set that this CPU runs, the portable one first.
pub fn isas() -> Vec<Isa> {
    #[allow(unused_macros)] // where there is but the portable one
    macro_rules! has {
        ($($feature:tt)*) => {
            $(std::arch::is_x86_feature_detected!($feature))&&*
        };
    }
    let all = Isa::ALL.iter().rev().copied();
    all.filter(|isa| is_available!(*isa, has)).collect()
}
