//! When and how work is split over rayon's pool.
//!
//! **After `fork`** a process has none of the threads that its parent's pool had, and would wait for them
//! forever. In a child of a process in which a `par_` call has shared its work, `par_` calls therefore run on
//! the calling thread, and give the same bits. That counts for good, in pools made there too. What this
//! library cannot see is a pool that only others had at work before the fork: in such a child call what has
//! no `par_`.

use core::ops::Range;
#[cfg(unix)]
use core::sync::atomic::AtomicU32;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::float_env::DefaultEnv;
use crate::threshold::{Threshold, ThresholdError};

static BREAK_EVEN: Threshold = Threshold::new("HALFWAVE_SPLIT_FROM", || 2 << 20);

/// Below this many bytes of memory touched, `par_` runs on the calling thread.
///
/// It is what [`set_break_even`] was given, else the environment's `HALFWAVE_SPLIT_FROM`, else 2 MiB.
/// Measured with a rectifier on two Zen 4 cores of a shared machine, called from outside the pool:
/// at 1 MiB two threads ran at 0.6 to 1.4 of the speed of one, depending on how fast the second
/// woke; at 2 MiB at 1.6 out of place and 1.3 to 1.4 in place; at 4 MiB at 1.7 and 1.6.
///
/// # Panics
/// If `HALFWAVE_SPLIT_FROM` counts and is no number. So do the calls that ask it;
/// [`check_environment`](crate::memory::check_environment) tells without a panic.
#[inline]
pub fn break_even() -> usize {
    BREAK_EVEN.get()
}

/// Sets the [`break_even`] of the process; `usize::MAX` to never share work.
pub fn set_break_even(bytes: usize) {
    BREAK_EVEN.set(bytes);
}

/// The smallest piece handed to a thread, in bytes of memory touched: an eighth of [`break_even`].
///
/// # Panics
/// If `HALFWAVE_SPLIT_FROM` counts and is no number.
pub fn grain() -> usize {
    (break_even() / 8).max(1)
}

pub(crate) fn check_environment() -> Result<(), ThresholdError> {
    BREAK_EVEN.check()
}

/// How many pieces to cut a call that touches `bytes` into: a few for each thread, so that one that
/// is late leaves its last to the others.
fn pieces(bytes: usize, grain: usize, threads: usize) -> usize {
    if threads < 2 {
        1
    } else {
        (bytes / grain).clamp(1, 4 * threads)
    }
}

/// `0..len`, cut into pieces of which none is empty. Cuts fall on multiples of 64 elements, so that
/// pieces of an aligned array are aligned, and begin with a word of a mask.
#[derive(Clone, Copy)]
struct Pieces {
    step: usize,
    len: usize,
}

impl Pieces {
    /// As many as `number`, or fewer, because cuts are rounded up.
    fn new(number: usize, len: usize) -> Self {
        let step = len.div_ceil(number).next_multiple_of(64).max(64);
        Self { step, len }
    }

    fn number(self) -> usize {
        self.len.div_ceil(self.step)
    }

    /// The elements of piece `i`.
    fn get(self, i: usize) -> Range<usize> {
        let start = i * self.step;
        start..self.len.min(start + self.step)
    }
}

/// Whether more threads than one may help a call that touches `bytes`. Rayon is not asked, which costs as
/// much as a small call.
#[inline]
pub(crate) fn pays(bytes: usize) -> bool {
    bytes >= break_even()
}

/// How many threads may share the work of a call: this one alone where the pool's are the parent's.
fn threads() -> usize {
    #[cfg(unix)]
    if is_forked() {
        return 1;
    }
    rayon::current_num_threads()
}

/// Whether this process is not the one in which work was first shared. The price is a system call, which
/// large arrays do not feel.
#[cfg(unix)]
fn is_forked() -> bool {
    /// 0 where nobody has asked yet.
    static FIRST: AtomicU32 = AtomicU32::new(0);
    let (this, order) = (std::process::id(), Ordering::Relaxed);
    match FIRST.compare_exchange(0, this, order, order) {
        Ok(_) => false,
        Err(first) => first != this,
    }
}

/// Runs `work` on pieces that cover `0..len`, on rayon's current pool; on this thread alone where
/// the whole touches too few `bytes`.
pub(crate) fn split(bytes: usize, len: usize, work: &(dyn Fn(Range<usize>) + Sync)) {
    let work = |range| {
        let _env = DefaultEnv::enter(); // of whichever thread this is
        work(range);
    };
    if !pays(bytes) {
        return work(0..len);
    }
    let threads = threads();
    let number = pieces(bytes, grain(), threads);
    if number == 1 {
        return work(0..len);
    }
    let pieces = Pieces::new(number, len);
    let next = AtomicUsize::new(0);
    let take = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= pieces.number() {
                return;
            }
            work(pieces.get(i));
        }
    };
    // The caller works too, from the first moment: what the pool's threads cannot take because
    // they are still waking up, it has done by then. `par_iter` from outside the pool would
    // put it to sleep and wait for two to wake: that lost up to 20 % at 4 MiB.
    rayon::in_place_scope(|scope| {
        for _ in 1..threads.min(pieces.number()) {
            scope.spawn(|_| take());
        }
        take();
    });
}

/// Counts and places what each piece of `0..len` has, where one piece's place depends on how much all
/// before it have; returns how much there is. `count` reads the elements of `E`, and `place` again.
///
/// A piece is small enough that `place` still finds in the second-level cache what `count` has read,
/// so that memory is read once. The pieces are taken in order, and who has counted one waits for the
/// sum of those before: that is near, since each of them is in some thread's hands, and none of these
/// waits for a later one (Merrill and Garland, "Single-pass parallel prefix scan with decoupled
/// look-back", 2016).
pub(crate) fn scan<E>(
    len: usize,
    count: &(dyn Fn(Range<usize>) -> usize + Sync),
    place: &(dyn Fn(Range<usize>, usize) -> usize + Sync),
) -> usize {
    let count = |range| {
        let _env = DefaultEnv::enter(); // of whichever thread this is
        count(range)
    };
    let place = |range, before| {
        let _env = DefaultEnv::enter();
        place(range, before)
    };
    let size = size_of::<E>();
    let threads = if len < break_even() / size {
        1
    } else {
        threads()
    };
    if threads == 1 {
        return place(0..len, 0);
    }
    let pieces = Pieces::new(len.div_ceil((grain() / size).max(1)), len);
    let (next, turn, sum) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let take = || {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= pieces.number() {
                return;
            }
            let range = pieces.get(i);
            let n = count(range.clone());
            let mut spins = 0;
            while turn.load(Ordering::Acquire) != i {
                spins += 1;
                if spins % 64 == 0 {
                    std::thread::yield_now(); // more threads than cores
                }
                core::hint::spin_loop();
            }
            let before = sum.load(Ordering::Relaxed);
            sum.store(before + n, Ordering::Relaxed);
            turn.store(i + 1, Ordering::Release);
            place(range, before);
        }
    };
    rayon::in_place_scope(|scope| {
        for _ in 1..threads.min(pieces.number()) {
            scope.spawn(|_| take());
        }
        take();
    });
    sum.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_every_element_once() {
        for len in [0, 1, 63, 64, 65, 1000, 1 << 20, (1 << 20) + 1] {
            for n in (1..20).chain([257, 5000]) {
                let pieces = Pieces::new(n, len);
                assert!(pieces.number() <= n);
                let mut next = 0;
                for i in 0..pieces.number() {
                    let Range { start, end } = pieces.get(i);
                    assert!(start == next && start.is_multiple_of(64), "{len} {n} {i}");
                    assert!(end > start, "{len} {n} {i}");
                    next = end;
                }
                assert_eq!(next, len);
            }
        }
    }

    #[test]
    fn a_lone_thread_gets_all_and_many_get_a_few_each() {
        let grain = 256 << 10;
        assert_eq!(pieces(usize::MAX, grain, 1), 1);
        assert_eq!(pieces(0, grain, 2), 1);
        assert_eq!(pieces(8 * grain, grain, 2), 8);
        assert_eq!(pieces(8 * grain, grain, 64), 8);
        assert_eq!(pieces(1 << 30, grain, 16), 64);
    }
}
