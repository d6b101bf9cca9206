//! Crops kept in memory up to a budget, so that an epoch need not decode what fits.

use crate::Result;
use flukeprint_core::photo::Gray;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Gray crops by the photo's place in the catalogue.
///
/// The crops that come first stay: an epoch visits every photo once in a new order, so no photo is
/// likelier than another to be wanted next. Those past the budget are made again each time. Which
/// crops are kept changes the time that an epoch takes, never what it sees.
pub struct CropCache {
    slots: Vec<OnceLock<Arc<Gray>>>,
    budget: usize,
    used: AtomicUsize,
}

impl CropCache {
    /// Empty, for `photos` photos and at most `budget` bytes of pixels.
    pub fn new(photos: usize, budget: usize) -> Self {
        let slots = (0..photos).map(|_| OnceLock::new()).collect();
        Self {
            slots,
            budget,
            used: AtomicUsize::new(0),
        }
    }

    /// The crop of `photo`: the one kept, or what `make` gives, which must always give the same.
    ///
    /// # Errors
    /// Those of `make`; an error is not kept.
    pub fn get_or_make(
        &self,
        photo: usize,
        make: impl FnOnce() -> Result<Gray>,
    ) -> Result<Arc<Gray>> {
        let slot = self.slots.get(photo);
        if let Some(crop) = slot.and_then(OnceLock::get) {
            return Ok(Arc::clone(crop));
        }
        let crop = Arc::new(make()?);
        if let Some(slot) = slot {
            self.keep(slot, &crop);
        }
        Ok(crop)
    }

    /// Bytes of pixels that are kept.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn keep(&self, slot: &OnceLock<Arc<Gray>>, crop: &Arc<Gray>) {
        let bytes = crop.pixels.len();
        let fits = |used: usize| used.checked_add(bytes).filter(|&sum| sum <= self.budget);
        if self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
            .is_err()
        {
            return;
        }
        if slot.set(Arc::clone(crop)).is_err() {
            // Another thread made the same crop meanwhile.
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use rayon::prelude::*;

    fn gray(bytes: usize) -> Result<Gray> {
        Ok(Gray {
            width: bytes as u32,
            height: 1,
            pixels: vec![0; bytes],
        })
    }

    #[test]
    fn a_crop_that_fits_is_made_once() {
        let cache = CropCache::new(2, 10);
        cache.get_or_make(1, || gray(10)).unwrap();
        let again = cache.get_or_make(1, || unreachable!()).unwrap();
        assert_eq!(again.pixels.len(), 10);
    }

    #[test]
    fn a_crop_past_the_budget_is_given_but_not_kept() {
        let cache = CropCache::new(3, 10);
        for (photo, bytes, used) in [(0, 6, 6), (1, 5, 6), (2, 4, 10)] {
            assert_eq!(
                cache
                    .get_or_make(photo, || gray(bytes))
                    .unwrap()
                    .pixels
                    .len(),
                bytes
            );
            assert_eq!(cache.used(), used);
        }
        assert_eq!(cache.get_or_make(1, || gray(7)).unwrap().pixels.len(), 7);
    }

    #[test]
    fn an_error_is_handed_on_and_not_kept() {
        let cache = CropCache::new(1, 10);
        let failing = || {
            Err(Error::Photo {
                path: "a.jpg".into(),
                reason: "no".to_owned(),
            })
        };
        assert!(cache.get_or_make(0, failing).is_err());
        assert!(cache.get_or_make(0, || gray(3)).is_ok());
    }

    #[test]
    fn a_crop_that_was_kept_while_another_was_made_counts_once() {
        let cache = CropCache::new(1, 100);
        let meanwhile = || cache.get_or_make(0, || gray(10)).and_then(|_| gray(10));
        cache.get_or_make(0, meanwhile).unwrap();
        assert_eq!(cache.used(), 10);
    }

    #[test]
    fn threads_never_pass_the_budget_and_count_each_crop_once() {
        let cache = CropCache::new(50, 300);
        (0..2000_usize).into_par_iter().for_each(|n| {
            cache.get_or_make(n % 50, || gray(10)).unwrap();
            assert!(cache.used() <= 300);
        });
        assert_eq!(cache.used(), 300);
        let kept = cache
            .slots
            .iter()
            .filter(|slot| slot.get().is_some())
            .count();
        assert_eq!(kept, 30);
    }
}
