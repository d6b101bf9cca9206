//! Batches for training, made ahead by several threads.
//!
//! The threads share nothing but a queue of places in the epoch's order. Every sample has a
//! generator of its own, seeded by the epoch and its place, so neither the number of threads nor
//! their luck changes an order or a value. At most `ahead` batches of samples are in memory, beside the
//! one that the caller holds, and whatever one photo takes while a thread decodes it.

use crate::{Error, Result};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// How an epoch is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loading {
    /// The seed of the whole training.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// Samples a batch; 0 counts as 1.
    pub batch_size: usize,
    /// Leave out a last batch that is not full: batch norm cannot learn from one sample.
    pub drop_last: bool,
    /// Threads; 0 counts as 1.
    pub workers: usize,
    /// Batches made while the caller works on one; 0 counts as 1.
    pub ahead: usize,
}

/// A batch in the epoch's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<S> {
    /// The photos' places in the catalogue.
    pub photos: Vec<usize>,
    /// What was made of them.
    pub samples: Vec<S>,
}

/// `photos` in the order of an epoch: shuffled anew each epoch, by the seed alone.
pub fn epoch_order(photos: &[usize], seed: u64, epoch: u64) -> Vec<usize> {
    let mut order = photos.to_vec();
    order.shuffle(&mut order_rng(seed, epoch));
    order
}

/// The generator for an epoch's order.
pub(crate) fn order_rng(seed: u64, epoch: u64) -> ChaCha8Rng {
    generator(seed, epoch, u64::MAX, 0)
}

/// The generator for one sample: of `photo`, which stands at `place` in the epoch's order. The place
/// tells apart the samples of a photo that stands there twice.
pub fn photo_rng(loading: &Loading, photo: usize, place: usize) -> ChaCha8Rng {
    generator(loading.seed, loading.epoch, photo as u64, place as u64)
}

fn generator(seed: u64, epoch: u64, photo: u64, place: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (part, number) in bytes.chunks_exact_mut(8).zip([seed, epoch, photo, place]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

/// The place in the order and the photo.
type Job = (usize, usize);

/// The batches of an epoch. After the first error there are no more.
pub struct Batches<S> {
    order: Vec<usize>,
    batch_size: usize,
    /// Samples that may be under way.
    most: usize,
    /// The next place to hand out.
    handed_out: usize,
    /// The next place to give.
    given: usize,
    /// Samples made before their turn.
    early: BTreeMap<usize, Result<S>>,
    jobs: Option<Sender<Job>>,
    made: Receiver<(usize, Result<S>)>,
    threads: Vec<JoinHandle<()>>,
}

impl<S: Send + 'static> Batches<S> {
    /// Starts on the photos of `order` (places in the catalogue, as [`epoch_order`] gives them).
    /// `make` turns one photo into a sample; it may be called from several threads at once.
    pub fn start<F>(order: Vec<usize>, loading: Loading, make: F) -> Self
    where
        F: Fn(usize, &mut ChaCha8Rng) -> Result<S> + Send + Sync + 'static,
    {
        let batch_size = loading.batch_size.max(1);
        let mut order = order;
        if loading.drop_last {
            order.truncate(order.len() / batch_size * batch_size);
        }
        let (jobs, waiting) = channel();
        let (done, made) = channel();
        let (waiting, make) = (Arc::new(Mutex::new(waiting)), Arc::new(make));
        let spawn = |_| {
            let (waiting, make, done) = (Arc::clone(&waiting), Arc::clone(&make), done.clone());
            std::thread::spawn(move || work(&waiting, &done, &loading, make.as_ref()))
        };
        let threads = (0..loading.workers.max(1)).map(spawn).collect();
        let most = batch_size * loading.ahead.max(1);
        let early = BTreeMap::new();
        let jobs = Some(jobs);
        let mut batches = Self {
            order,
            batch_size,
            most,
            handed_out: 0,
            given: 0,
            early,
            jobs,
            made,
            threads,
        };
        batches.hand_out();
        batches
    }

    /// How many batches are still to come, when none fails.
    pub fn remaining(&self) -> usize {
        (self.order.len() - self.given).div_ceil(self.batch_size)
    }

    fn hand_out(&mut self) {
        let Some(jobs) = &self.jobs else { return };
        let until = self.order.len().min(self.given + self.most);
        for place in self.handed_out..until {
            if jobs.send((place, self.order[place])).is_err() {
                return; // no thread is left; the next sample says so
            }
        }
        self.handed_out = until;
    }

    /// The sample at `place`, once it is made.
    fn sample(&mut self, place: usize) -> Result<S> {
        loop {
            if let Some(sample) = self.early.remove(&place) {
                return sample;
            }
            let Ok((place, sample)) = self.made.recv() else {
                let reason = "the threads that read photos have stopped".to_owned();
                return Err(Error::Worker {
                    photo: self.order[place],
                    reason,
                });
            };
            self.early.insert(place, sample);
        }
    }

    fn batch(&mut self, end: usize) -> Result<Batch<S>> {
        let samples = (self.given..end)
            .map(|place| self.sample(place))
            .collect::<Result<Vec<S>>>()?;
        Ok(Batch {
            photos: self.order[self.given..end].to_vec(),
            samples,
        })
    }
}

impl<S: Send + 'static> Iterator for Batches<S> {
    type Item = Result<Batch<S>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.given == self.order.len() {
            return None;
        }
        let end = self.order.len().min(self.given + self.batch_size);
        let batch = self.batch(end);
        if batch.is_ok() {
            self.given = end;
            self.hand_out();
        } else {
            self.given = self.order.len();
            self.jobs = None;
        }
        Some(batch)
    }
}

impl<S> Drop for Batches<S> {
    /// Stops the threads and waits for the samples under way.
    fn drop(&mut self) {
        self.jobs = None;
        // Jobs that no thread has taken are taken away by disconnecting the results: a thread stops
        // at its first sample that nobody wants.
        self.made = channel().1;
        for thread in self.threads.drain(..) {
            // A panic in `make` is caught and handed on; there is nothing left to say here.
            let _ = thread.join();
        }
    }
}

/// Makes samples until there are no jobs or nobody wants the samples.
fn work<S, F>(
    jobs: &Mutex<Receiver<Job>>,
    done: &Sender<(usize, Result<S>)>,
    loading: &Loading,
    make: &F,
) where
    F: Fn(usize, &mut ChaCha8Rng) -> Result<S>,
{
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((place, photo)) = job else { return };
        let mut rng = photo_rng(loading, photo, place);
        // A panic must reach the caller, who would otherwise wait for this sample for ever.
        let sample =
            catch_unwind(AssertUnwindSafe(|| make(photo, &mut rng))).unwrap_or_else(|panic| {
                Err(Error::Worker {
                    photo,
                    reason: said(panic.as_ref()),
                })
            });
        if done.send((place, sample)).is_err() {
            return;
        }
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it panicked".to_owned())
}
