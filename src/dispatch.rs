//! Which kernels this CPU runs, asked once.

#![allow(unsafe_code)]

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use halfwave_kernels::{Isa, is_available};

use crate::backend::Backend;
#[cfg(target_arch = "x86_64")]
use crate::detect::has;
use crate::kernels::CpuIsa;

/// A backend is asked for that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendError {
    asked: String,
    choices: String,
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { asked, choices } = self;
        write!(
            f,
            "{asked} is not a backend of this CPU; choose one of: {choices}"
        )
    }
}

impl core::error::Error for BackendError {}

/// Every backend this CPU runs, the widest first; `portable` is always the last.
pub fn backends() -> &'static [Backend] {
    static ALL: [Backend; Isa::ALL.len()] = {
        // SAFETY: every CPU of this target runs it.
        let mut all = [Backend::new(unsafe { CpuIsa::new(Isa::Portable) }); Isa::ALL.len()];
        let mut i = 0;
        while i < all.len() {
            // SAFETY: only those are handed out below that this CPU runs.
            all[i] = Backend::new(unsafe { CpuIsa::new(Isa::ALL[i]) });
            i += 1;
        }
        all
    };
    // Each instruction set includes those behind it.
    let widest = Isa::ALL.iter().position(|isa| is_available!(*isa, has));
    &ALL[widest.expect("portable is always there")..]
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
            Some(name) => {
                let name = name.to_string_lossy();
                find(&name, backends()).ok_or_else(|| error(format!("HALFWAVE_ISA={name:?}")))
            }
            None => Ok(best()),
        });
        choice.as_ref().copied()
    }
    #[cfg(not(feature = "std"))]
    Ok(best())
}

/// The backend of this name, an [`Isa::name`], if this CPU runs it.
///
/// # Errors
/// If it does not; the message lists those it runs.
pub fn backend_named(name: &str) -> Result<Backend, BackendError> {
    find(name, backends()).ok_or_else(|| error(format!("{name:?}")))
}

fn find(name: &str, backends: &[Backend]) -> Option<Backend> {
    backends.iter().find(|b| b.name() == name).copied()
}

fn error(asked: String) -> BackendError {
    let names: Vec<_> = backends().iter().map(|b| b.name()).collect();
    BackendError {
        asked,
        choices: names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_backend_is_found_by_its_name() {
        for b in backends() {
            assert_eq!(backend_named(b.name()).unwrap().isa(), b.isa());
        }
    }

    #[test]
    fn an_unknown_name_lists_the_choices() {
        for wrong in ["", "AVX2", "sse9", "avx512 "] {
            let error = backend_named(wrong).unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?}")), "{error}");
            for b in backends() {
                assert!(error.contains(b.name()), "{error}");
            }
        }
    }

    #[test]
    fn a_backend_the_cpu_lacks_is_not_found() {
        let only_portable = &backends()[backends().len() - 1..];
        assert_eq!(only_portable[0].isa(), Isa::Portable);
        assert!(find("avx2", only_portable).is_none());
    }
}
