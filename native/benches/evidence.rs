//! Times of comparing two photos and of the catalogue's vote, with its size and its recall, on one core.
//!
//! `RAYON_NUM_THREADS=1 cargo bench -p flukeprint --bench evidence [-- PHOTOS]` (10,000 photos by default,
//! some 400 MB and a build of minutes). The descriptors are made up: places of skin that are unlike each
//! other, seen 3 times each with noise, among others that nobody sees again. So are the trailing edges, and the
//! photo whose edge is traced.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // prints a table, and stops at what is wrong

use flukeprint_core::evidence::edge::{Edge, Edges};
use flukeprint_core::evidence::matching::find_matches;
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::evidence::{CODE_OF_ONE, DESCRIPTOR, Features, Frame, Keypoint};
use flukeprint_core::photo::{Photo, Region};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use std::time::Instant;

const KEYPOINTS: usize = 300;
/// Photos of one whale, which share half of their keypoints.
const PHOTOS_A_WHALE: usize = 3;
/// Directions that descriptors gather around: real ones are far from evenly spread.
const KINDS: usize = 500;
/// How far a descriptor is from its kind, and a second look at one place from the first.
const SPREAD: f32 = 0.8;
const NOISE: f32 = 0.35;
const QUERIES: usize = 10;

type Descriptor = [f32; DESCRIPTOR];

struct Skin {
    kinds: Vec<Descriptor>,
    dice: ChaCha8Rng,
}

impl Skin {
    fn new() -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let kinds = (0..KINDS).map(|_| noise(&mut dice)).collect();
        Self { kinds, dice }
    }

    /// A new place.
    fn place(&mut self) -> Descriptor {
        let kind = self.kinds[self.dice.random_range(0..KINDS)];
        self.near(&kind, SPREAD)
    }

    fn near(&mut self, descriptor: &Descriptor, far: f32) -> Descriptor {
        let noise = noise(&mut self.dice);
        unit(std::array::from_fn(|i| descriptor[i] + far * noise[i]))
    }

    /// A photo: half of its keypoints are places of its whale.
    fn photo(&mut self, whale: &[Descriptor]) -> Features {
        let mut codes = Vec::with_capacity(KEYPOINTS * DESCRIPTOR);
        for place in whale {
            codes.extend(coded(&self.near(place, NOISE)));
        }
        for _ in whale.len()..KEYPOINTS {
            codes.extend(coded(&self.place()));
        }
        let keypoints = (0..KEYPOINTS).map(|i| Keypoint {
            frame: Frame {
                center: [10.0 + 11.0 * (i % 30) as f32, 10.0 + 15.0 * (i / 30) as f32],
                shape: [8.0, 0.0, 0.0, 8.0],
            },
            response: 1.0,
        });
        Features {
            size: [352, 176],
            keypoints: keypoints.collect(),
            descriptors: codes,
        }
    }
}

fn noise(dice: &mut ChaCha8Rng) -> Descriptor {
    unit(std::array::from_fn(|_| {
        dice.sample::<f32, _>(StandardNormal)
    }))
}

fn unit(values: Descriptor) -> Descriptor {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    values.map(|value| value / length)
}

fn coded(values: &Descriptor) -> [i8; DESCRIPTOR] {
    values.map(|value| (value * CODE_OF_ONE).round().clamp(-127.0, 127.0) as i8)
}

fn main() {
    let photos = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(10_000);
    let mut skin = Skin::new();
    let mut whales: Vec<Vec<Descriptor>> = Vec::new();
    let mut catalogue: Vec<Features> = Vec::new();
    while catalogue.len() < photos {
        let whale: Vec<Descriptor> = (0..KEYPOINTS / 2).map(|_| skin.place()).collect();
        catalogue.extend((0..PHOTOS_A_WHALE).map(|_| skin.photo(&whale)));
        whales.push(whale);
    }
    catalogue.truncate(photos);
    pair(&mut skin);
    edges(&mut skin.dice, photos);
    vote(&mut skin, &whales, &catalogue);
}

/// Two photos of one whale: the same places, moved a little.
fn pair(skin: &mut Skin) {
    let whale: Vec<Descriptor> = (0..KEYPOINTS / 2).map(|_| skin.place()).collect();
    let (a, b) = (skin.photo(&whale), skin.photo(&whale));
    let options = CompareOptions::default();
    let matching = median(|| drop(find_matches(&a, &b, &options.matching)));
    let both = median(|| drop(compare(&a, &b, &options)));
    let inliers = compare(&a, &b, &options).inliers.len();
    println!(
        "{KEYPOINTS} x {KEYPOINTS} keypoints: matching {matching:.2} ms, with geometry {both:.2} ms, {inliers} inliers"
    );
}

/// Tracing a query's two edges, and laying them on those of so many photos.
fn edges(dice: &mut ChaCha8Rng, photos: usize) {
    let pixels =
        (0..352 * 176).flat_map(|i| [if i / 352 < 60 + i % 352 / 8 { 190 } else { 60 }; 3]);
    let photo = Photo {
        width: 352,
        height: 176,
        pixels: pixels.collect(),
    };
    let box_of_it = Region {
        x0: 20.0,
        y0: 10.0,
        x1: 330.0,
        y1: 160.0,
    };
    let tracing = median(|| drop(Edge::of_query(&photo, box_of_it)));
    let mut any = || Edge::from_steps(std::array::from_fn(|_| dice.random_range(-30..=30)));
    let query = [any(), any()];
    let gallery: Vec<Edge> = (0..photos).map(|_| any()).collect();
    let gallery = Edges::of(gallery.iter().map(Some)).unwrap();
    let begun = Instant::now();
    for _ in 0..QUERIES {
        drop(gallery.fit(&query));
    }
    println!(
        "trailing edges: tracing {tracing:.1} ms, laid on {photos} photos in {:.0} ms, {:.0} MB",
        begun.elapsed().as_secs_f64() * 1e3 / QUERIES as f64,
        gallery.bytes() as f64 / 1e6
    );
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn vote(skin: &mut Skin, whales: &[Vec<Descriptor>], catalogue: &[Features]) {
    let begun = Instant::now();
    let index = Index::build(catalogue, &IndexOptions::default());
    println!(
        "{} photos, {} descriptors, {} lists: built in {:.0} s, {:.0} MB",
        index.photos(),
        index.descriptors(),
        index.lists(),
        begun.elapsed().as_secs_f64(),
        index.bytes() as f64 / 1e6
    );
    let step = (whales.len() / QUERIES).max(1);
    let asked: Vec<usize> = (0..whales.len()).step_by(step).take(QUERIES).collect();
    let queries: Vec<Features> = asked
        .iter()
        .map(|&whale| skin.photo(&whales[whale]))
        .collect();
    let exact = ask(&index, &queries, u32::MAX);
    println!("probes   ms a query   recall of the 20 best photos   whale first");
    for probes in [4, 8, 16, 32] {
        report(
            &probes.to_string(),
            &ask(&index, &queries, probes),
            &exact,
            &asked,
        );
    }
    report("all", &exact, &exact, &asked);
}

fn report(name: &str, found: &Asked, exact: &Asked, asked: &[usize]) {
    let (mut same, mut right) = (0, 0);
    for ((exact, found), &whale) in exact.1.iter().zip(&found.1).zip(asked) {
        let (exact, found) = (best(exact), best(found));
        same += exact.iter().filter(|photo| found.contains(photo)).count();
        right += usize::from(found[0] / PHOTOS_A_WHALE == whale);
    }
    println!(
        "{name:>6} {:12.0} {:30.3} {:13.3}",
        found.0,
        same as f64 / (20 * asked.len()) as f64,
        right as f64 / asked.len() as f64
    );
}

/// Milliseconds a query, and the votes of each.
type Asked = (f64, Vec<Vec<f32>>);

fn ask(index: &Index, queries: &[Features], probes: u32) -> Asked {
    let options = VoteOptions {
        probes,
        ..VoteOptions::default()
    };
    let begun = Instant::now();
    let votes = queries
        .iter()
        .map(|query| index.vote(query, &options))
        .collect();
    (
        begun.elapsed().as_secs_f64() * 1e3 / queries.len() as f64,
        votes,
    )
}

/// The 20 photos with most votes.
fn best(votes: &[f32]) -> Vec<usize> {
    let mut photos: Vec<usize> = (0..votes.len()).collect();
    photos.sort_by(|&a, &b| votes[b].total_cmp(&votes[a]));
    photos.truncate(20);
    photos
}
