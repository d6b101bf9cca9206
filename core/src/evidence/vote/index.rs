//! Inverted lists: the descriptors of all photos, sorted by the centre that they are nearest to.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::kmeans::{centres, nearest_centres, spread};
use crate::evidence::DESCRIPTOR;
use crate::evidence::distances::{Codes, Wide};

/// How an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexOptions {
    /// Lists; 0 takes the root of the number of descriptors, which makes finding the nearest lists and
    /// reading one of them equal work.
    pub lists: u32,
    /// Descriptors a list that the centres are found with.
    pub sample: u32,
    /// Rounds of k-means.
    pub rounds: u32,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self {
            lists: 0,
            sample: 40,
            rounds: 6,
        }
    }
}

/// The descriptors of a whole catalogue, 128 + 4 bytes each and 128 a list.
pub struct Index {
    centres: Vec<Codes>,
    /// Where every list begins, and where the last one ends.
    begins: Vec<usize>,
    rows: Vec<Codes>,
    /// The photo of every row.
    photos: Vec<u32>,
    photo_count: u32,
}

/// A row near a query: squared distance in steps of 1 / 256², and the row.
pub(super) type Near = (i32, u32);

/// Descriptors of a query that are compared with a list while a part of it is in the cache.
const ROWS_AT_ONCE: usize = 32;

impl Index {
    /// Builds the index of photos whose descriptors are `photos[i]`, `[keypoints, 128]`. A photo may
    /// have none. Takes descriptors x lists dot products; the index depends on nothing but its input.
    pub fn build<'a>(photos: impl IntoIterator<Item = &'a [i8]>, options: &IndexOptions) -> Self {
        let mut rows: Vec<Codes> = Vec::new();
        let mut owners: Vec<u32> = Vec::new();
        let mut photo_count = 0_u32;
        for photo in photos {
            let (descriptors, _) = photo.as_chunks::<DESCRIPTOR>();
            rows.extend_from_slice(descriptors);
            owners.resize(rows.len(), photo_count);
            photo_count += 1;
        }
        let lists = match options.lists {
            0 => (libm::sqrt(rows.len() as f64) as usize).max(1),
            lists => lists as usize,
        };
        let sample: Vec<Codes> = spread(lists.saturating_mul(options.sample as usize), rows.len())
            .into_iter()
            .map(|row| rows[row])
            .collect();
        let centres = centres(&sample, lists, options.rounds);
        let nearest = nearest_centres(&rows, &centres);
        Self::sorted(centres, &nearest, &rows, &owners, photo_count)
    }

    fn sorted(
        centres: Vec<Codes>,
        nearest: &[u32],
        rows: &[Codes],
        owners: &[u32],
        photo_count: u32,
    ) -> Self {
        let mut begins = vec![0_usize; centres.len() + 1];
        for &list in nearest {
            begins[list as usize + 1] += 1;
        }
        for list in 0..centres.len() {
            begins[list + 1] += begins[list];
        }
        let mut next = begins.clone();
        let mut order = vec![0_usize; rows.len()];
        for (row, &list) in nearest.iter().enumerate() {
            order[next[list as usize]] = row;
            next[list as usize] += 1;
        }
        Self {
            centres,
            begins,
            rows: order.iter().map(|&row| rows[row]).collect(),
            photos: order.iter().map(|&row| owners[row]).collect(),
            photo_count,
        }
    }

    /// Photos in the index.
    pub fn photos(&self) -> usize {
        self.photo_count as usize
    }

    /// Descriptors in the index.
    pub fn descriptors(&self) -> usize {
        self.rows.len()
    }

    /// Lists.
    pub fn lists(&self) -> usize {
        self.centres.len()
    }

    /// What the index takes in memory.
    pub fn bytes(&self) -> usize {
        (self.rows.len() + self.centres.len()) * DESCRIPTOR
            + self.rows.len() * size_of::<u32>()
            + self.begins.len() * size_of::<usize>()
    }

    /// The photo of a row.
    pub(super) fn photo(&self, row: u32) -> u32 {
        self.photos[row as usize]
    }

    /// For every descriptor of `query` its `count` nearest rows among the `probes` nearest lists,
    /// nearest first; of equally near ones the first in the index. A list is read once for all
    /// descriptors that look into it.
    pub(super) fn nearest(&self, query: &[i8], count: usize, probes: usize) -> Vec<Vec<Near>> {
        let wide = Wide::new(query);
        let mut visits: Vec<Vec<u32>> = vec![Vec::new(); self.lists()];
        for (list, visitor) in self.visits(&wide, probes) {
            visits[list as usize].push(visitor);
        }
        let mut found = vec![Best::new(count); wide.len()];
        for (list, visitors) in visits.iter().enumerate() {
            if !visitors.is_empty() {
                self.read(list, &wide, visitors, &mut found);
            }
        }
        found.into_iter().map(|best| best.near).collect()
    }

    /// Pairs of a list and a descriptor that looks into it.
    fn visits(&self, wide: &Wide, probes: usize) -> Vec<(u32, u32)> {
        let centres = Wide::new(self.centres.as_flattened());
        let probes = probes.clamp(1, self.lists().max(1));
        let mut visits = Vec::with_capacity(wide.len() * probes);
        for (row, name) in (0..wide.len()).zip(0_u32..) {
            let mut nearest = Best::new(probes);
            for (centre, list) in (0..centres.len()).zip(0_u32..) {
                nearest.add(wide.distance(row, &centres, centre), list);
            }
            visits.extend(nearest.near.iter().map(|&(_, list)| (list, name)));
        }
        visits
    }

    fn read(&self, list: usize, wide: &Wide, visitors: &[u32], found: &mut [Best]) {
        let (begin, end) = (self.begins[list], self.begins[list + 1]);
        for first in (begin..end).step_by(ROWS_AT_ONCE) {
            let part = first..(first + ROWS_AT_ONCE).min(end);
            let rows = Wide::new(self.rows[part].as_flattened());
            for &visitor in visitors {
                let best = &mut found[visitor as usize];
                for (row, name) in (0..rows.len()).zip(first as u32..) {
                    best.add(wide.distance(visitor as usize, &rows, row), name);
                }
            }
        }
    }
}

/// The least of what was added, in order.
#[derive(Clone)]
struct Best {
    near: Vec<Near>,
    count: usize,
    /// What a distance must stay at or below to be looked at.
    bound: i32,
}

impl Best {
    fn new(count: usize) -> Self {
        Self {
            near: Vec::with_capacity(count + 1),
            count,
            bound: i32::MAX,
        }
    }

    fn add(&mut self, distance: i32, name: u32) {
        if distance > self.bound {
            return;
        }
        let place = self.near.partition_point(|&near| near < (distance, name));
        self.near.insert(place, (distance, name));
        self.near.truncate(self.count);
        if self.near.len() == self.count {
            self.bound = self.near.last().map_or(i32::MAX, |last| last.0);
        }
    }
}
