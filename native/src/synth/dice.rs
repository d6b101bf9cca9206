//! Randomness that a seed fixes: one independent ChaCha stream for every thing drawn.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. Each gets its own, so that the order in which threads
/// draw things changes nothing, and a whale looks the same however many photos there are of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// How many photos there are of whom.
    Plan,
    /// What whales and photos are called.
    Names,
    /// The body of one whale.
    Whale(u32),
    /// The circumstances of one photo.
    Photo(u32),
}

/// A seeded source of the few distributions the drawing needs.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        let (kind, index) = match stream {
            Stream::Plan => (0, 0),
            Stream::Names => (1, 0),
            Stream::Whale(whale) => (2, whale),
            Stream::Photo(photo) => (3, photo),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream((kind << 32) | u64::from(index));
        Self(rng)
    }

    /// Evenly in `[low, high)`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.random::<f32>()
    }

    /// Bell-shaped: the sum of three uniform draws, so never further than three deviations away.
    pub(super) fn bell(&mut self, mean: f32, deviation: f32) -> f32 {
        let sum: f32 = (0..3).map(|_| self.0.random::<f32>()).sum();
        mean + deviation * (sum - 1.5) * 2.0
    }

    /// True with probability `p`.
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.0.random::<f32>() < p
    }

    /// A whole number in `0..=most`.
    pub(super) fn upto(&mut self, most: u32) -> u32 {
        self.0.random_range(0..=most)
    }

    /// −1 or 1.
    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// The generator itself, for `rand`'s own algorithms.
    pub(super) fn rng(&mut self) -> &mut ChaCha8Rng {
        &mut self.0
    }
}
