//! Inverted lists: the descriptors of all photos, sorted by the centre that they are nearest to.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::VoteOptions;
use super::kmeans::{centres, nearest_centres, spread};
use crate::evidence::distances::{Codes, Wide};
use crate::evidence::place::{Place, Reach, places};
use crate::evidence::{DESCRIPTOR, Features};
use crate::{Error, Result};

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

impl IndexOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Features`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name: &str, value: u32, range: &str| Error::Features {
            reason: format!("the index's {name} is {value}, it must be {range}"),
        };
        match self {
            Self { sample: 0, .. } => Err(refuse("sample", 0, "at least 1")),
            Self { rounds, .. } if *rounds > MOST_ROUNDS => {
                Err(refuse("number of rounds", *rounds, "at most 100"))
            }
            _ => Ok(()),
        }
    }
}

/// More move no centre any further.
const MOST_ROUNDS: u32 = 100;

/// The descriptors of photos and where they are, one behind the other.
#[derive(Clone, Debug, Default)]
pub struct Descriptors {
    rows: Vec<Codes>,
    places: Vec<Place>,
    /// The photo of every row.
    owners: Vec<u32>,
    photos: u32,
}

impl Descriptors {
    /// None yet, with room for so many.
    pub fn with_capacity(descriptors: usize) -> Self {
        Self {
            rows: Vec::with_capacity(descriptors),
            places: Vec::with_capacity(descriptors),
            owners: Vec::with_capacity(descriptors),
            photos: 0,
        }
    }

    /// Adds the next photo's; it may have none.
    pub fn add(&mut self, photo: &Features) {
        let (descriptors, _) = photo.descriptors.as_chunks::<DESCRIPTOR>();
        let count = descriptors.len().min(photo.keypoints.len());
        self.rows.extend_from_slice(&descriptors[..count]);
        self.places.extend(places(photo).into_iter().take(count));
        self.owners.resize(self.rows.len(), self.photos);
        self.photos += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<'a> FromIterator<&'a Features> for Descriptors {
    fn from_iter<Photos: IntoIterator<Item = &'a Features>>(photos: Photos) -> Self {
        let mut descriptors = Self::default();
        photos.into_iter().for_each(|photo| descriptors.add(photo));
        descriptors
    }
}

/// Which list every descriptor belongs to: all that takes time to find out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorting {
    /// The centre of every list.
    pub centres: Vec<[i8; DESCRIPTOR]>,
    /// The list of every descriptor, the one whose centre is nearest.
    pub lists: Vec<u32>,
}

impl Sorting {
    /// Sorts: descriptors x lists dot products, with the feature `train` on all threads. The result
    /// depends on nothing but the descriptors and the options. `on_sorted` hears of how many descriptors
    /// more a list is known, from any thread; in all it is [`Sorting::steps`].
    pub fn of(
        descriptors: &Descriptors,
        options: &IndexOptions,
        on_sorted: &(dyn Fn(usize) + Sync),
    ) -> Self {
        let rows = &descriptors.rows;
        let (lists, sampled) = size(rows.len(), options);
        let sample: Vec<Codes> = spread(sampled, rows.len())
            .into_iter()
            .map(|row| rows[row])
            .collect();
        let centres = centres(&sample, lists, options.rounds, on_sorted);
        let lists = nearest_centres(rows, &centres, on_sorted);
        Self { centres, lists }
    }

    /// Whether it can be of these descriptors.
    pub fn fits(&self, descriptors: &Descriptors) -> bool {
        let lists = self.centres.len();
        let in_a_list = |&list: &u32| (list as usize) < lists;
        self.lists.len() == descriptors.len() && self.lists.iter().all(in_a_list)
    }

    /// How many descriptors a list is looked for, one after the other and some several times.
    pub fn steps(descriptors: &Descriptors, options: &IndexOptions) -> usize {
        let rows = descriptors.len();
        let sample = spread(size(rows, options).1, rows).len();
        rows + options.rounds as usize * sample
    }
}

/// Lists, and descriptors that their centres are found with.
fn size(descriptors: usize, options: &IndexOptions) -> (usize, usize) {
    let lists = match options.lists {
        0 => (libm::sqrt(descriptors as f64) as usize).max(1),
        lists => lists as usize,
    };
    (lists, lists.saturating_mul(options.sample as usize))
}

/// The descriptors of a whole catalogue, 128 + 6 bytes each and 128 a list.
#[derive(Clone, Debug)]
pub struct Index {
    centres: Vec<Codes>,
    /// Where every list begins, and where the last one ends.
    begins: Vec<usize>,
    rows: Vec<Codes>,
    places: Vec<Place>,
    /// The photo of every row.
    photos: Vec<u32>,
    photo_count: u32,
}

/// A row near a query: squared distance in steps of 1 / 256², and the row.
pub(super) type Near = (i32, u32);

/// Descriptors of a query that are compared with a list while a part of it is in the cache.
const ROWS_AT_ONCE: usize = 32;

/// Descriptors of a query that look into the lists together, on one thread.
#[cfg(feature = "train")]
const PART: usize = 64;

impl Index {
    /// Builds the index of photos. A photo may have no keypoint. Takes the time of [`Sorting::of`].
    pub fn build<'a>(
        photos: impl IntoIterator<Item = &'a Features>,
        options: &IndexOptions,
    ) -> Self {
        Self::of(photos.into_iter().collect(), options, &|_| ())
    }

    /// As [`Index::build`]; `on_sorted` hears what [`Sorting::of`] tells.
    pub fn of(
        descriptors: Descriptors,
        options: &IndexOptions,
        on_sorted: &(dyn Fn(usize) + Sync),
    ) -> Self {
        let sorting = Sorting::of(&descriptors, options, on_sorted);
        Self::sorted(descriptors, &sorting)
    }

    /// The index of sorted descriptors.
    ///
    /// # Errors
    /// [`Error::Features`] where the sorting is of others.
    pub fn new(descriptors: Descriptors, sorting: &Sorting) -> Result<Self> {
        match sorting.fits(&descriptors) {
            true => Ok(Self::sorted(descriptors, sorting)),
            false => Err(Error::Features {
                reason: "the descriptors were not sorted into these lists; sort them".to_string(),
            }),
        }
    }

    fn sorted(descriptors: Descriptors, sorting: &Sorting) -> Self {
        let Descriptors {
            rows,
            places,
            owners,
            photos: photo_count,
        } = descriptors;
        let mut begins = vec![0_usize; sorting.centres.len() + 1];
        for &list in &sorting.lists {
            begins[list as usize + 1] += 1;
        }
        for list in 0..sorting.centres.len() {
            begins[list + 1] += begins[list];
        }
        let mut next = begins.clone();
        let mut order = vec![0_u32; rows.len()];
        for (row, &list) in (0_u32..).zip(&sorting.lists) {
            order[next[list as usize]] = row;
            next[list as usize] += 1;
        }
        Self {
            centres: sorting.centres.clone(),
            begins,
            photos: order.iter().map(|&row| owners[row as usize]).collect(),
            rows: order.iter().map(|&row| rows[row as usize]).collect(),
            places: order.iter().map(|&row| places[row as usize]).collect(),
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
            + self.rows.len() * (size_of::<Place>() + size_of::<u32>())
            + self.begins.len() * size_of::<usize>()
    }

    /// The photo of a row.
    pub(super) fn photo(&self, row: u32) -> u32 {
        self.photos[row as usize]
    }

    /// For every keypoint of `query` its `count` nearest rows within reach among the nearest lists, nearest
    /// first; of equally near ones the first in the index. Where some photos are `in_it`, rows of the others are
    /// passed over. With the feature `train` on all threads.
    pub(super) fn nearest(
        &self,
        query: &Features,
        count: usize,
        options: &VoteOptions,
        in_it: Option<&[bool]>,
    ) -> Vec<Vec<Near>> {
        let places = places(query);
        let (descriptors, _) = query.descriptors.as_chunks::<DESCRIPTOR>();
        let keypoints = descriptors.len().min(places.len());
        let (descriptors, places) = (&descriptors[..keypoints], &places[..keypoints]);
        let part = |(descriptors, places): (&[Codes], &[Place])| {
            self.nearest_of_part(descriptors.as_flattened(), places, count, options, in_it)
        };
        #[cfg(feature = "train")]
        {
            use rayon::prelude::*;
            let parts = descriptors.par_chunks(PART).zip(places.par_chunks(PART));
            parts.flat_map_iter(part).collect()
        }
        #[cfg(not(feature = "train"))]
        {
            part((descriptors, places))
        }
    }

    /// A list is read once for all descriptors that look into it.
    fn nearest_of_part(
        &self,
        query: &[i8],
        places: &[Place],
        count: usize,
        options: &VoteOptions,
        in_it: Option<&[bool]>,
    ) -> Vec<Vec<Near>> {
        let reach = Reach::of(options.reach);
        let wide = Wide::new(query);
        let mut visits: Vec<Vec<(u32, Place)>> = vec![Vec::new(); self.lists()];
        for (list, visitor) in self.visits(&wide, options.probes as usize) {
            visits[list as usize].push((visitor, places[visitor as usize]));
        }
        let mut found = vec![Best::new(count); wide.len()];
        for (list, visitors) in visits.iter().enumerate() {
            if !visitors.is_empty() {
                self.read(list, &wide, visitors, (reach, in_it), &mut found);
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

    fn read(
        &self,
        list: usize,
        wide: &Wide,
        visitors: &[(u32, Place)],
        (reach, in_it): (Reach, Option<&[bool]>),
        found: &mut [Best],
    ) {
        let (begin, end) = (self.begins[list], self.begins[list + 1]);
        for first in (begin..end).step_by(ROWS_AT_ONCE) {
            let part = first..(first + ROWS_AT_ONCE).min(end);
            let rows = Wide::new(self.rows[part].as_flattened());
            for &(visitor, place) in visitors {
                let best = &mut found[visitor as usize];
                for (row, name) in (0..rows.len()).zip(first as u32..) {
                    let left_out = || in_it.is_some_and(|in_it| !in_it[self.photo(name) as usize]);
                    if !reach.covers(place, self.places[name as usize]) || left_out() {
                        continue;
                    }
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
