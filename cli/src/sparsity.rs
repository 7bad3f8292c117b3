//! Stand-in for `halfwave::sparsity`, with its signatures, until the library has it.

use halfwave::Element;

/// How many elements are not zero, of either sign. NaN is not zero.
pub fn count_nonzero<E: Element>(x: &[E]) -> usize {
    // A narrow counter vectorises, and cannot overflow on a short run.
    let runs = x.chunks(1 << 12);
    runs.map(|run| {
        run.iter()
            .map(|&x| u32::from(x != E::default()))
            .sum::<u32>() as usize
    })
    .sum()
}

/// The non-zero elements in order, behind the index of each.
pub fn compact_to_vecs<I: TryFrom<usize>, E: Element>(x: &[E]) -> (Vec<I>, Vec<E>) {
    let kept = x.iter().enumerate().filter(|&(_, &x)| x != E::default());
    kept.filter_map(|(i, &x)| Some((I::try_from(i).ok()?, x)))
        .unzip()
}
