//! Whether a formula compared two numbers that are nearer to one another than their errors: which branch it took is
//! then no news. A comparison has no place for that in what it returns, so it is noted beside.

use core::cell::Cell;

thread_local! {
    static IN_DOUBT: Cell<bool> = const { Cell::new(false) };
}

/// A comparison that may be wrong.
pub(crate) fn cast() {
    IN_DOUBT.set(true);
}

/// What `f` gives, if it never had to compare in doubt.
#[inline]
pub(crate) fn without<T>(f: impl FnOnce() -> T) -> Option<T> {
    IN_DOUBT.set(false);
    let y = f();
    (!IN_DOUBT.get()).then_some(y)
}
