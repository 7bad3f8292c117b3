//! Which kernels this CPU runs, asked once.

use alloc::string::String;

use halfwave_kernels::{Isa, isa};

use crate::backend::Backend;

/// `HALFWAVE_ISA` asks for what cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "HALFWAVE_ISA={wanted:?} is not a backend of this CPU; choose one of {choices}, or unset it"
)]
pub struct BackendError {
    wanted: String,
    choices: String,
}

/// Asks the CPU; without `std`, what the build was promised.
#[cfg(target_arch = "x86_64")]
macro_rules! has {
    ($($feature:tt)+) => {{
        #[cfg(feature = "std")]
        let has = $(std::arch::is_x86_feature_detected!($feature))&&+;
        #[cfg(not(feature = "std"))]
        let has = $(cfg!(target_feature = $feature))&&+;
        has
    }};
}

/// Every backend this CPU runs, the widest first; `portable` is always the last.
pub fn backends() -> &'static [Backend] {
    #[cfg(target_arch = "x86_64")]
    {
        static ALL: [Backend; 3] = [
            Backend::new(&isa::avx512::KERNELS),
            Backend::new(&isa::avx2::KERNELS),
            Backend::new(&isa::portable::KERNELS),
        ];
        if !has!("avx2" "fma" "f16c") {
            &ALL[2..]
        } else if !has!("avx512f" "avx512bw" "avx512dq" "avx512vl") {
            &ALL[1..]
        } else {
            &ALL
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        static ALL: [Backend; 1] = [Backend::new(&isa::portable::KERNELS)];
        &ALL
    }
}

/// The backend to use where nobody asks for another: the widest, but AVX-512 only on
/// Ice-Lake-class and newer CPUs. Those before lower the clock for it, for everyone on the socket;
/// VBMI2 came with those that no longer do.
fn best() -> Backend {
    #[cfg(target_arch = "x86_64")]
    let slows_down = !has!("avx512vbmi2");
    #[cfg(not(target_arch = "x86_64"))]
    let slows_down = false;
    let mut good = backends()
        .iter()
        .filter(|b| b.isa() != Isa::Avx512 || !slows_down);
    *good.next().expect("portable is always there")
}

/// The backend that [`Activation`](crate::Activation) and the free functions use, chosen at the
/// first call of the process: the one `HALFWAVE_ISA` names, else the widest of [`backends`]
/// (AVX-512 only on Ice-Lake-class and newer CPUs, where it does not lower the clock).
///
/// # Errors
/// If `HALFWAVE_ISA` names something unknown, or something this CPU does not run. Those functions
/// then panic with the same message.
pub fn backend() -> Result<Backend, BackendError> {
    chosen().map_err(BackendError::clone)
}

/// [`backend`] for those who cannot return an error.
#[inline]
#[track_caller]
pub(crate) fn active() -> Backend {
    match chosen() {
        Ok(backend) => backend,
        Err(error) => panic!("{error}"),
    }
}

#[inline]
fn chosen() -> Result<Backend, &'static BackendError> {
    #[cfg(feature = "std")]
    {
        type Choice = Result<Backend, BackendError>;
        static CHOSEN: std::sync::OnceLock<Choice> = std::sync::OnceLock::new();
        let choice = CHOSEN.get_or_init(|| match std::env::var_os("HALFWAVE_ISA") {
            Some(wanted) => by_name(&wanted.to_string_lossy(), backends()),
            None => Ok(best()),
        });
        choice.as_ref().copied()
    }
    #[cfg(not(feature = "std"))]
    Ok(best())
}

#[cfg(feature = "std")]
fn by_name(wanted: &str, backends: &[Backend]) -> Result<Backend, BackendError> {
    backends
        .iter()
        .find(|b| b.name() == wanted)
        .copied()
        .ok_or_else(|| BackendError {
            wanted: wanted.into(),
            choices: backends
                .iter()
                .map(|b| b.name())
                .collect::<alloc::vec::Vec<_>>()
                .join(", "),
        })
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn every_backend_is_found_by_its_name() {
        for b in backends() {
            assert_eq!(by_name(b.name(), backends()).unwrap().isa(), b.isa());
        }
    }

    #[test]
    fn an_unknown_name_lists_the_choices() {
        for wrong in ["", "AVX2", "sse9", "avx512 "] {
            let error = by_name(wrong, backends()).unwrap_err().to_string();
            assert!(error.contains(&std::format!("{wrong:?}")), "{error}");
            for b in backends() {
                assert!(error.contains(b.name()), "{error}");
            }
        }
    }

    #[test]
    fn a_backend_the_cpu_lacks_is_refused() {
        let only_portable = &backends()[backends().len() - 1..];
        assert_eq!(only_portable[0].isa(), Isa::Portable);
        assert!(by_name("avx2", only_portable).is_err());
    }
}
