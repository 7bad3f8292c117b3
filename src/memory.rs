//! How memory is moved: through the caches or past them, on small pages or huge ones.
//!
//! Sizes decide, and all can be set: by a function here, or in [`parallel`](crate::parallel), for the
//! process; by an environment variable of a number of bytes, for a program as it is. None changes a
//! result.

use alloc::vec::Vec;

use crate::threshold::Threshold;
pub use crate::threshold::ThresholdError;

/// The data caches one core sees, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Caches {
    pub l1d: usize,
    pub l2: usize,
    /// The last level; as large as `l2` where there is none beyond it.
    pub l3: usize,
}

impl Caches {
    /// What to assume of a CPU that does not say.
    const TYPICAL: Self = Self {
        l1d: 32 << 10,
        l2: 1 << 20,
        l3: 32 << 20,
    };

    #[cfg(feature = "std")]
    /// Builds from `(level, bytes)` pairs in any order.
    fn of(levels: impl Iterator<Item = (u8, usize)>) -> Self {
        let mut sizes = [0; 3];
        for (level, bytes) in levels.filter(|(level, _)| (1..=3).contains(level)) {
            sizes[usize::from(level) - 1] = bytes;
        }
        match sizes {
            [0, ..] | [_, 0, _] => Self::TYPICAL,
            [l1d, l2, l3] => Self {
                l1d,
                l2,
                l3: l3.max(l2),
            },
        }
    }
}

/// This machine's caches: by `cpuid` on x86-64, from sysfs on other Linux machines, else typical
/// sizes (32 KiB, 1 MiB, 32 MiB).
pub fn caches() -> Caches {
    #[cfg(feature = "std")]
    {
        static CACHES: std::sync::OnceLock<Caches> = std::sync::OnceLock::new();
        *CACHES.get_or_init(detect)
    }
    #[cfg(not(feature = "std"))]
    Caches::TYPICAL
}

#[cfg(all(feature = "std", target_arch = "x86_64"))]
fn detect() -> Caches {
    let cpuid = raw_cpuid::CpuId::new();
    let Some(caches) = cpuid.get_cache_parameters() else {
        return Caches::TYPICAL;
    };
    Caches::of(
        caches
            .filter(|c| c.cache_type() != raw_cpuid::CacheType::Instruction)
            .map(|c| {
                let ways = c.associativity() * c.physical_line_partitions();
                (c.level(), ways * c.sets() * c.coherency_line_size())
            }),
    )
}

#[cfg(all(feature = "std", not(target_arch = "x86_64"), target_os = "linux"))]
fn detect() -> Caches {
    let read = |index: u8, name| {
        let path = std::format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{name}");
        std::fs::read_to_string(path).ok()
    };
    Caches::of((0..8).filter_map(|index| {
        if read(index, "type")?.trim() == "Instruction" {
            return None;
        }
        let kib: usize = read(index, "size")?
            .trim()
            .strip_suffix('K')?
            .parse()
            .ok()?;
        Some((read(index, "level")?.trim().parse().ok()?, kib << 10))
    }))
}

#[cfg(all(feature = "std", not(target_arch = "x86_64"), not(target_os = "linux")))]
fn detect() -> Caches {
    Caches::TYPICAL
}

static STREAMING: Threshold = Threshold::new("HALFWAVE_STREAM_FROM", || caches().l3 / 4 * 3);
static HUGE_PAGES: Threshold = Threshold::new("HALFWAVE_HUGE_PAGES_FROM", || 4 << 20);

/// From how many bytes, read and written together, an out-of-place call stores past the caches.
///
/// It is what [`set_streaming_threshold`] was given, else the environment's `HALFWAVE_STREAM_FROM`, else
/// three quarters of the last-level cache. Below, the destination stays cached for whoever
/// reads it next, and a plain store costs no memory traffic; above, a plain store first reads the
/// line it is about to overwrite. With 32 MiB of cache (Zen 4), storing past it ran at 0.76 of the
/// speed of storing through it at 16 MiB, at 1.40 at 24 MiB, and at 1.66 at 128 MiB:
/// `cargo bench --bench throughput -- crossover` measures it.
///
/// # Panics
/// If `HALFWAVE_STREAM_FROM` counts and is no number. So do the calls that ask it;
/// [`check_environment`] tells without a panic.
#[inline]
pub fn streaming_threshold() -> usize {
    STREAMING.get()
}

/// Sets the [`streaming_threshold`] of the process: 0 to always store past the caches, `usize::MAX` for
/// never. A call that is under way keeps to what it began with.
pub fn set_streaming_threshold(bytes: usize) {
    STREAMING.set(bytes);
}

/// Whether a call that reads and writes `bytes` each should store past the caches.
#[inline]
pub(crate) fn streams(bytes: usize) -> bool {
    bytes.saturating_mul(2) >= streaming_threshold()
}

/// From how many bytes a fresh vector is worth huge pages.
///
/// It is what [`set_huge_pages_from`] was given, else the environment's `HALFWAVE_HUGE_PAGES_FROM`, else
/// 4 MiB.
///
/// # Panics
/// If `HALFWAVE_HUGE_PAGES_FROM` counts and is no number, as [`streaming_threshold`].
#[inline]
pub fn huge_pages_from() -> usize {
    HUGE_PAGES.get()
}

/// Sets [`huge_pages_from`] for the process; `usize::MAX` for never.
pub fn set_huge_pages_from(bytes: usize) {
    HUGE_PAGES.set(bytes);
}

/// Reads every environment variable that this module and [`parallel`](crate::parallel) take a number
/// of bytes from.
///
/// # Errors
/// If one is no number; the message has its name and value.
pub fn check_environment() -> Result<(), ThresholdError> {
    STREAMING.check()?;
    HUGE_PAGES.check()?;
    #[cfg(feature = "parallel")]
    crate::parallel::check_environment()?;
    Ok(())
}

/// A vector with room for `len` elements, on huge pages where the system offers them (Linux,
/// transparent huge pages `madvise` or `always`) and the vector is large.
///
/// The first touch of fresh memory faults page by page, at several times the cost of computing what
/// to write there; 2 MiB pages make that 512 times fewer faults.
///
/// # Panics
/// If the capacity exceeds `isize::MAX` bytes, as [`Vec::with_capacity`].
pub fn vec_with_capacity<E>(len: usize) -> Vec<E> {
    #[allow(unused_mut)]
    let mut vec = Vec::with_capacity(len);
    #[cfg(target_os = "linux")]
    if len * size_of::<E>() >= huge_pages_from() {
        /// `madvise` wants whole pages; no Linux page is larger but for the huge ones.
        const PAGE: usize = 64 << 10;
        let spare = vec.spare_capacity_mut();
        let start = spare.as_mut_ptr().cast::<u8>();
        let skip = start.addr().next_multiple_of(PAGE) - start.addr();
        let bytes = size_of_val(spare).saturating_sub(skip) / PAGE * PAGE;
        // SAFETY: the range is empty or lies inside the vector's own spare capacity, and the advice
        // changes no content. If the kernel refuses it, nothing is lost but time.
        #[allow(unsafe_code)]
        unsafe {
            libc::madvise(start.wrapping_add(skip).cast(), bytes, libc::MADV_HUGEPAGE);
        }
    }
    vec
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn levels_come_in_any_order_and_l3_may_be_missing() {
        let full = Caches::of([(3, 300), (1, 10), (2, 20)].into_iter());
        assert_eq!(
            full,
            Caches {
                l1d: 10,
                l2: 20,
                l3: 300
            }
        );
        assert_eq!(Caches::of([(1, 10), (2, 20)].into_iter()).l3, 20);
        assert_eq!(Caches::of([(1, 10), (3, 0)].into_iter()), Caches::TYPICAL);
        assert_eq!(Caches::of(core::iter::empty()), Caches::TYPICAL);
    }

    #[test]
    fn a_small_call_stays_in_cache_and_a_huge_one_does_not() {
        let each = streaming_threshold().div_ceil(2);
        assert!(!streams(each - 1));
        assert!(streams(each) && streams(usize::MAX));
    }

    #[test]
    fn a_large_vector_has_the_room_it_promised() {
        for len in [
            0,
            1,
            huge_pages_from() - 1,
            huge_pages_from(),
            huge_pages_from() + 4097,
        ] {
            let mut vec = vec_with_capacity::<u8>(len);
            assert!(vec.is_empty() && vec.capacity() >= len);
            vec.resize(len, 7);
            assert!(vec.iter().all(|&x| x == 7));
        }
    }
}
