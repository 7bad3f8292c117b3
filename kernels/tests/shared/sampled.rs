//! How much of what the tests would exhaust is tried: all of it, but on an emulated CPU.

/// One in how many, and no fewer than one in `most`: `HALFWAVE_TEST_SAMPLED`, which `.ci/avx512` has at 401, as Bochs
/// runs a few million vector instructions a second, and `.ci/aarch64` and `.ci/wasm` at 7.
pub fn one_in(most: usize) -> usize {
    let Ok(given) = std::env::var("HALFWAVE_TEST_SAMPLED") else {
        return 1;
    };
    let given: usize = given.parse().expect("HALFWAVE_TEST_SAMPLED is a number");
    given.min(most)
}
