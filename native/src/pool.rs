//! Where many parallel loops one after another run.

/// Runs `work` on one of rayon's own threads. A training step on the CPU is some thousand parallel
/// loops: from such a thread each begins where it is called, from any other each wakes a thread and
/// waits to be woken itself.
///
/// `work` must not wait for other threads that need rayon.
pub(crate) fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}
