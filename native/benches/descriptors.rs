//! What a descriptor is worth on real photos: known top-1 by local features alone, as
//! `docs/results/local-features.md` has it.
//!
//! `cargo bench -p flukeprint --bench descriptors -- RUN [queries] [gallery] [keypoints] [width] ROW...`: known
//! photos of the run's half for tuning (100, drawn with seed 7) against photos of its training list (500:
//! all of the right whales, others drawn). At most 400 keypoints in a picture of width 512; 0 takes the box
//! as it is. A row is `rootsift`, `affnet=FILE` (RootSIFT on its shapes), `hardtfeat=FILE`, `hardnet=FILE` or
//! `affnet=FILE,hardnet=FILE`, and with each goes what differs from the defaults: `keypoints=N`, `width=N`,
//! `reach=SHARE` of the vote (2 is everywhere), `kept` (features as a bundle's files keep them), as in
//! `rootsift,reach=2,kept`. The first row is the one that others gain on or lose to.
//! Every query keypoint votes for its 4 nearest by their lead on the fifth, once a photo; a whale has its
//! best photo's votes. Then the first 20 whales' best photos are compared, and the inliers decide.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // prints a table, and stops at what is wrong

use burn::tensor::Device;
use flukeprint::data::{Catalogue, PhotoEntry};
use flukeprint::progress::Silent;
use flukeprint::train::{Run, read_catalogue};
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::evidence::{
    AffNet, Chip, DescriptorKind, Features, HardNet, HardTFeat, Networks, Options, features, file,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::photo::{Photo, Region};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

const SEED: u64 = 7;
const COMPARED: usize = 20;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, other| numbers.get(at).copied().unwrap_or(other);
    let rest = words.iter().filter(|word| word.parse::<usize>().is_err());
    let mut rest = rest.map(String::as_str);
    let Some(run) = rest.next() else {
        println!("name a run: see the head of native/benches/descriptors.rs");
        return;
    };
    let run = Run::open(Path::new(run)).unwrap();
    let catalogue = read_catalogue(&run.facts.catalogue, &Silent).unwrap();
    let drawn = Drawn::new(&run, &catalogue, number(0, 100), number(1, 500));
    let (keypoints, width) = (number(2, 400), number(3, 512));
    println!(
        "{} photos against {}, {keypoints} keypoints at most, width {width}",
        drawn.queries.len(),
        drawn.gallery.len()
    );
    let mut first: Option<Vec<usize>> = None;
    for row in rest {
        let ranks = measure(row, &drawn, &catalogue, (keypoints, width));
        if let Some(first) = &first {
            let count = |is: &dyn Fn(usize, usize) -> bool| {
                let pairs = ranks.iter().zip(first);
                pairs.filter(|&(&mine, &other)| is(mine, other)).count()
            };
            let (gained, lost) = (
                count(&|a, b| a == 1 && b > 1),
                count(&|a, b| a > 1 && b == 1),
            );
            println!("    beside the first row: {gained} gained, {lost} lost");
        }
        first.get_or_insert(ranks);
    }
}

/// Places in the catalogue.
struct Drawn {
    queries: Vec<usize>,
    gallery: Vec<usize>,
}

impl Drawn {
    fn new(run: &Run, catalogue: &Catalogue, queries: usize, gallery: usize) -> Self {
        let split = run.split(catalogue).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let whale = |photo: usize| match catalogue.photos[photo].label {
            Label::Individual(whale) => Some(whale),
            Label::New => None,
        };
        let mut asked: Vec<usize> = split
            .tune
            .iter()
            .copied()
            .filter(|&p| whale(p).is_some())
            .collect();
        asked.shuffle(&mut rng);
        asked.truncate(queries);
        let wanted: Vec<u32> = asked.iter().filter_map(|&photo| whale(photo)).collect();
        let is_wanted = |photo: &usize| whale(*photo).is_some_and(|whale| wanted.contains(&whale));
        let (mut shown, mut others): (Vec<usize>, Vec<usize>) =
            split.train.iter().partition(|photo| is_wanted(photo));
        others.retain(|&photo| whale(photo).is_some());
        others.shuffle(&mut rng);
        others.truncate(gallery.saturating_sub(shown.len()));
        shown.extend(others);
        shown.sort_unstable();
        Self {
            queries: asked,
            gallery: shown,
        }
    }
}

/// Prints a row and returns the rank of every query's whale.
fn measure(row: &str, drawn: &Drawn, catalogue: &Catalogue, size: (usize, usize)) -> Vec<usize> {
    let how = How::parse(row, size);
    let (begun, worked) = (Instant::now(), processor_seconds());
    let find = |photos: &[usize]| -> Vec<Features> {
        let find = |&photo: &usize| how.look(&catalogue.photos[photo]);
        photos.par_iter().map(find).collect()
    };
    let (asked, gallery) = (find(&drawn.queries), find(&drawn.gallery));
    let photos = (asked.len() + gallery.len()) as f64;
    let each = 1e3 * (processor_seconds() - worked) / photos;
    let found: usize = asked.iter().map(|features| features.keypoints.len()).sum();
    let index = Index::build(&gallery, &IndexOptions::default());
    let labels: Vec<Label> = drawn
        .gallery
        .iter()
        .map(|&p| catalogue.photos[p].label)
        .collect();
    let ranks: Vec<[usize; 2]> = asked
        .par_iter()
        .zip(&drawn.queries)
        .map(|(query, &photo)| {
            rank(
                query,
                catalogue.photos[photo].label,
                (&index, &how.vote),
                &gallery,
                &labels,
            )
        })
        .collect();
    let share = |at: usize, most: usize| {
        let within = ranks.iter().filter(|ranks| ranks[at] <= most).count();
        within as f64 / ranks.len().max(1) as f64
    };
    println!(
        "{row}: top-1 {:.3}, top-5 {:.3}; top-1 by inliers {:.3}; {:.0} keypoints, {each:.0} ms of processors a \
         photo, {:.0} s",
        share(0, 1),
        share(0, 5),
        share(1, 1),
        found as f64 / asked.len().max(1) as f64,
        begun.elapsed().as_secs_f64()
    );
    ranks.into_iter().map(|ranks| ranks[0]).collect()
}

/// What a row asks for.
struct How {
    options: Options,
    networks: Networks,
    vote: VoteOptions,
    kept: bool,
}

impl How {
    fn parse(row: &str, (keypoints, width): (usize, usize)) -> Self {
        let mut how = Self {
            options: Options {
                keypoints,
                width,
                ..Options::default()
            },
            networks: Networks::default(),
            vote: VoteOptions::default(),
            kept: false,
        };
        row.split(',').for_each(|word| how.take(word));
        how
    }

    fn take(&mut self, word: &str) {
        let (options, networks) = (&mut self.options, &mut self.networks);
        let device = Device::flex();
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let bytes = || std::fs::read(value).unwrap();
        match name {
            "rootsift" => {}
            "affnet" => {
                options.affine = true;
                networks.affnet = Some(AffNet::load(value, &bytes(), &device).unwrap());
            }
            "hardtfeat" => {
                options.descriptor = DescriptorKind::HardTFeat;
                networks.hardtfeat = Some(HardTFeat::load(value, &bytes(), &device).unwrap());
            }
            "hardnet" => {
                options.descriptor = DescriptorKind::HardNet;
                networks.hardnet = Some(HardNet::load(value, &bytes(), &device).unwrap());
            }
            "keypoints" => options.keypoints = value.parse().unwrap(),
            "width" => options.width = value.parse().unwrap(),
            "reach" => self.vote.reach = value.parse().unwrap(),
            "kept" => self.kept = true,
            other => {
                println!("there is no row {other}");
                std::process::exit(2);
            }
        }
    }

    fn look(&self, entry: &PhotoEntry) -> Features {
        let photo = Photo::decode(&std::fs::read(&entry.path).unwrap()).unwrap();
        let whole = Region::whole(photo.width, photo.height);
        let region = entry.region.unwrap_or(whole);
        let image = Chip::default().image(&photo, region).unwrap();
        let options = Options {
            width: match self.options.width {
                0 => image.width(),
                width => width,
            },
            ..self.options.clone()
        };
        let device = Device::flex();
        let found = features(&image, &options, &self.networks, &device);
        let found = pollster::block_on(found).unwrap();
        match self.kept {
            true => file::kept(&found).unwrap(),
            false => found,
        }
    }
}

/// The rank of the right whale by votes, and by the inliers of the first whales; from 1.
fn rank(
    query: &Features,
    truth: Label,
    (index, vote): (&Index, &VoteOptions),
    gallery: &[Features],
    labels: &[Label],
) -> [usize; 2] {
    let votes = index.vote(query, vote);
    let mut best: BTreeMap<usize, (f32, usize)> = BTreeMap::new();
    let slot = |label: Label| label.slot(usize::MAX);
    for (photo, (&votes, &label)) in votes.iter().zip(labels).enumerate() {
        let most = best
            .entry(slot(label))
            .or_insert((f32::NEG_INFINITY, photo));
        if votes > most.0 {
            *most = (votes, photo);
        }
    }
    let mut whales: Vec<(usize, (f32, usize))> = best.into_iter().collect();
    whales.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    let place = |whales: &[(usize, (f32, usize))]| {
        let at = whales.iter().position(|(whale, _)| *whale == slot(truth));
        at.map_or(usize::MAX, |at| at + 1)
    };
    let by_votes = place(&whales);
    whales.truncate(COMPARED);
    let mut compared: Vec<(usize, (f32, usize))> = whales
        .into_iter()
        .map(|(whale, (_, photo))| {
            let found = compare(query, &gallery[photo], &CompareOptions::default());
            (whale, (found.inliers.len() as f32, photo))
        })
        .collect();
    // Of equally many inliers the more votes count: the order stays.
    compared.sort_by(|a, b| b.1.0.total_cmp(&a.1.0));
    [by_votes, place(&compared)]
}

/// User time of this process so far, in hundredths as Linux counts it; 0 elsewhere.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name in brackets, which may hold anything, user time is the twelfth value.
    let values = stat.rsplit(')').next().unwrap_or_default();
    let ticks = values.split_whitespace().nth(11);
    ticks
        .and_then(|ticks| ticks.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 100.0
}
