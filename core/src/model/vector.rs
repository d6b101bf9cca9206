//! Loops over values, compiled for the widest vectors that the processor has.
//!
//! The compiler makes a loop of vectors by itself, but of those that every processor has; the same
//! loop inlined into what `pulp` has compiled for a wider kind uses that one. The order of all sums is
//! written out, so results do not depend on the processor. Without the feature `train` (in a browser)
//! there is one kind, that of the whole program.

/// Values worked on side by side.
#[cfg(feature = "train")]
pub(super) const LANES: usize = 16;

/// A loop over slices.
pub(super) trait Kernel {
    /// What it comes to.
    type Output;

    /// `#[inline(always)]`, and so must be what it calls beside iterators: what is not inlined keeps
    /// the narrow vectors.
    fn run(self) -> Self::Output;
}

#[cfg(feature = "train")]
struct Widest<K>(K);

#[cfg(feature = "train")]
impl<K: Kernel> pulp::WithSimd for Widest<K> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
        self.0.run()
    }
}

/// Runs a kernel on this processor.
pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
    #[cfg(feature = "train")]
    return pulp::Arch::new().dispatch(Widest(kernel));
    #[cfg(not(feature = "train"))]
    kernel.run()
}

/// Partial sums side by side.
#[cfg(feature = "train")]
pub(super) type Sums = [f32; LANES];
