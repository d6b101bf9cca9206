//! The index of a catalogue's descriptors, with a word on how far it is.

use crate::progress::Progress;
use flukeprint_core::evidence::vote::{Descriptors, Index, IndexOptions, Sorting};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The index of the photos' descriptors.
pub(crate) fn build_index(
    descriptors: Descriptors,
    options: &IndexOptions,
    progress: &dyn Progress,
) -> Index {
    let tell = teller(Sorting::steps(&descriptors, options), progress);
    Index::of(descriptors, options, &tell)
}

/// Which list every descriptor belongs to.
pub(crate) fn sort(
    descriptors: &Descriptors,
    options: &IndexOptions,
    progress: &dyn Progress,
) -> Sorting {
    let tell = teller(Sorting::steps(descriptors, options), progress);
    Sorting::of(descriptors, options, &tell)
}

fn teller(steps: usize, progress: &dyn Progress) -> impl Fn(usize) + Sync {
    progress.begin("sorting keypoints", steps);
    let done = AtomicUsize::new(0);
    move |more| progress.advance(done.fetch_add(more, Ordering::Relaxed) + more)
}
