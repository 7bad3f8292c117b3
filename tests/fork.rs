//! A process that was forked off has none of the threads that its parent's pool had. Calls that would wait
//! for them forever run on the calling thread.
#![cfg(unix)]

use halfwave::*;

/// Long for what the child does, in seconds; then it has hung, and a signal ends it.
const PATIENCE: u32 = 30;

/// What forms of each kind make, on the pool where there is one.
fn made(x: &[f32]) -> Vec<Vec<u32>> {
    let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
    let mut dslope = [0.0];
    Prelu::Shared(0.5).par_backward_slope(x, x, &mut dslope);
    let (indices, values) = sparsity::par_compact_to_vecs::<u32, f32>(x);
    let mut y = vec![0.0; x.len()];
    Silu::default().par_residual(x, x, &mut y);
    vec![
        bits(&Gelu.par_apply_to_vec(x)),
        bits(&y),
        bits(&dslope),
        bits(&values),
        indices,
        vec![sparsity::par_count_nonzero(x) as u32],
    ]
}

/// Runs `f` in a child; whether it returned true there, in time.
fn holds_in_child(f: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs on, with this thread alone, and ends by `_exit`. It takes no lock that
    // another thread of the parent may have held but the allocator's, which the C library sees to.
    match unsafe { libc::fork() } {
        -1 => panic!("fork: {}", std::io::Error::last_os_error()),
        0 => {
            // SAFETY: a timer of this process, whose signal ends it.
            unsafe { libc::alarm(PATIENCE) };
            let holds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
            // SAFETY: ends this process, and runs nothing of the parent's.
            unsafe { libc::_exit(if matches!(holds, Ok(true)) { 0 } else { 1 }) }
        }
        child => {
            let mut status = 0;
            // SAFETY: a child of this process, and an integer to write to.
            let waited = unsafe { libc::waitpid(child, &mut status, 0) };
            assert_eq!(waited, child, "{}", std::io::Error::last_os_error());
            status == 0
        }
    }
}

#[test]
fn children_and_their_children_do_not_wait_for_the_parents_pool() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
    pool.build_global().expect("the only test here");
    parallel::set_break_even(1 << 10);
    let x: Vec<f32> = (-5000..5000).map(|i| (i / 3) as f32 / 1000.0).collect();
    let want = made(&x);
    assert!(holds_in_child(|| made(&x) == want), "a child");
    assert!(
        holds_in_child(|| made(&x) == want && holds_in_child(|| made(&x) == want)),
        "a child's child"
    );
    assert_eq!(made(&x), want, "the parent, afterwards");
}
