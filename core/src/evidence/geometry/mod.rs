//! Which matches agree on one way that two flukes lie to each other.
//!
//! Every match is asked: its two frames alone say how photo A would lie on photo B (an affine map), and
//! the others are inliers of that hypothesis where it takes their keypoint of A near that of B and the
//! piece of skin around it to one of like size and direction (Crall et al., *HotSpotter*, 2013, section
//! 3.3). The hypothesis with most to say for it is then refined by least squares: an affine map, and a
//! homography where there are enough inliers and it gains. Nothing is drawn at random.

pub mod fit;
#[cfg(test)]
mod tests;
mod transform;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::matching::{Match, diagonal};
use super::{Features, Keypoint};
use crate::{Error, Result};
use transform::{determinant, inverse, product};

pub use transform::Transform;

/// What counts as agreement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeometryOptions {
    /// How far from its match the map may take a keypoint, as a share of photo B's diagonal; above 0.
    pub tolerance: f32,
    /// The same once the map is refined; above 0.
    pub refined_tolerance: f32,
    /// The piece of skin may come out at most this many times larger or smaller than its match; above 1.
    pub scale_ratio: f32,
    /// A homography is tried from this many inliers on; at least 4.
    pub homography_from: u32,
}

impl GeometryOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Features`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name: &str, value: f32, range: &str| {
            Err(Error::Features {
                reason: format!("the geometry's {name} is {value}, it must be {range}"),
            })
        };
        for (name, value) in [
            ("tolerance", self.tolerance),
            ("refined_tolerance", self.refined_tolerance),
        ] {
            if !(value > 0.0 && value <= 1.0) {
                return refuse(name, value, "above 0 and at most 1");
            }
        }
        if !(self.scale_ratio > 1.0 && self.scale_ratio.is_finite()) {
            return refuse("scale_ratio", self.scale_ratio, "above 1");
        }
        match self.homography_from < 4 {
            true => refuse("homography_from", self.homography_from as f32, "at least 4"),
            false => Ok(()),
        }
    }
}

impl Default for GeometryOptions {
    /// As measured: `docs/results/local-features.md`, "Matching and geometry".
    fn default() -> Self {
        Self {
            tolerance: 0.05,
            refined_tolerance: 0.02,
            scale_ratio: 2.0,
            homography_from: 20,
        }
    }
}

/// A match that the map explains.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inlier {
    /// Its position among the matches.
    pub index: u32,
    /// How far the map takes A's keypoint from B's, pixels of photo B.
    pub residual: f32,
}

/// The map that most matches agree on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Takes photo A onto photo B. `None` where no match makes a hypothesis.
    pub transform: Option<Transform>,
    /// The matches that it explains, in the order of the matches. Every keypoint is in one at most.
    pub inliers: Vec<Inlier>,
    /// What speaks for the map, at most the number of inliers: each counts 1 - (residual / tolerance)².
    /// It orders candidates a little better than their number.
    pub support: f32,
}

/// Finds the map from photo A to photo B that most of `matches` agree on. Matches whose keypoints do
/// not exist are not looked at; of equally good hypotheses the first counts.
pub fn agree(
    matches: &[Match],
    a: &Features,
    b: &Features,
    options: &GeometryOptions,
) -> Agreement {
    let pairs: Vec<Pair> = (0_u32..)
        .zip(matches)
        .filter_map(|(index, found)| Pair::new(index, found, a, b))
        .collect();
    let mut count = Count::new(&pairs, [a, b], f64::from(options.scale_ratio));
    let reach = f64::from(options.tolerance * diagonal(b));
    let Some(hypothesis) = best_hypothesis(&pairs, &mut count, reach) else {
        return Agreement::default();
    };
    let explained = count.explained(&hypothesis, reach);
    let reach = f64::from(options.refined_tolerance * diagonal(b));
    let best = refine(&mut count, hypothesis, explained, reach, options);
    let mut inliers: Vec<Inlier> = best
        .explained
        .iter()
        .map(|&(pair, residual)| Inlier {
            index: pairs[pair].index,
            residual: residual as f32,
        })
        .collect();
    inliers.sort_by_key(|inlier| inlier.index);
    Agreement {
        transform: Some(best.transform),
        inliers,
        support: best.support as f32,
    }
}

/// A match with what every hypothesis asks of it.
struct Pair {
    index: u32,
    keypoints: [u32; 2],
    a: [f64; 2],
    b: [f64; 2],
    /// What this match alone says of the two photos.
    hypothesis: Transform,
    /// A_a · A_b⁻¹: the trace of its product with the map's linear part L is that of A_b⁻¹ · L · A_a,
    /// which is positive where the skin is turned by less than 90°.
    turn: [f64; 4],
    /// det A_a / det A_b, which times det L is the square of the ratio of sizes.
    area: f64,
}

impl Pair {
    fn new(index: u32, found: &Match, a: &Features, b: &Features) -> Option<Self> {
        let frame = |keypoint: &Keypoint| keypoint.frame;
        let frame_a = a.keypoints.get(found.a as usize).map(frame)?;
        let frame_b = b.keypoints.get(found.b as usize).map(frame)?;
        let [shape_a, shape_b] = [frame_a, frame_b].map(|frame| frame.shape.map(f64::from));
        let hypothesis = Transform::between(&frame_a, &frame_b)?;
        let finite = hypothesis.0.iter().flatten().all(|entry| entry.is_finite());
        finite.then_some(Self {
            index,
            keypoints: [found.a, found.b],
            a: frame_a.center.map(f64::from),
            b: frame_b.center.map(f64::from),
            hypothesis,
            turn: product(shape_a, inverse(shape_b)?),
            area: determinant(shape_a) / determinant(shape_b),
        })
    }

    /// The square of how far the map takes A's keypoint from B's; `None` where it makes the skin too
    /// large or small, turns it by 90° or more or shows its other side.
    fn residual(&self, transform: &Transform, linear: [f64; 4], scales: [f64; 2]) -> Option<f64> {
        let [x, y] = transform.map(self.a)?;
        let (dx, dy) = (x - self.b[0], y - self.b[1]);
        let scale = determinant(linear) * self.area;
        let [a, b, c, d] = linear;
        let [e, f, g, h] = self.turn;
        let upright = a * e + b * g + c * f + d * h > 0.0;
        let alike = scale > scales[0] && scale < scales[1];
        (upright && alike).then_some(dx * dx + dy * dy)
    }
}

/// Counts the pairs that a map explains, every keypoint once.
struct Count<'a> {
    pairs: &'a [Pair],
    /// Bounds of the square of the ratio of sizes.
    scales: [f64; 2],
    /// For every keypoint of A and of B the last map that used it.
    used: [Vec<u32>; 2],
    maps: u32,
    found: Vec<(usize, f64)>,
}

impl<'a> Count<'a> {
    fn new(pairs: &'a [Pair], photos: [&Features; 2], scale_ratio: f64) -> Self {
        let square = scale_ratio * scale_ratio;
        Self {
            pairs,
            scales: [1.0 / square, square],
            used: photos.map(|photo| vec![0; photo.keypoints.len()]),
            maps: 0,
            found: Vec::with_capacity(pairs.len()),
        }
    }

    /// What speaks for a map: every pair that it takes within `reach` of its match counts 1 - (residual
    /// / reach)² (Torr and Zisserman, *MLESAC*, 2000, section 3: nearer matches say more).
    fn support(&mut self, transform: &Transform, reach: f64) -> f64 {
        let Some(linear) = transform.linear_at([0.0, 0.0]) else {
            return 0.0;
        };
        self.maps += 1;
        let mut support = 0.0;
        for pair in self.pairs {
            match pair.residual(transform, linear, self.scales) {
                Some(square) if square <= reach * reach && self.take(pair) => {
                    support += 1.0 - square / (reach * reach);
                }
                _ => {}
            }
        }
        support
    }

    /// Marks the two keypoints of a pair as used by the present map, unless one of them is.
    fn take(&mut self, pair: &Pair) -> bool {
        let [a, b] = pair.keypoints.map(|keypoint| keypoint as usize);
        let [used_a, used_b] = &mut self.used;
        if used_a[a] == self.maps || used_b[b] == self.maps {
            return false;
        }
        (used_a[a], used_b[b]) = (self.maps, self.maps);
        true
    }

    /// The pairs within `reach` with their residuals, nearest first; a keypoint is left to the nearest.
    fn explained(&mut self, transform: &Transform, reach: f64) -> Vec<(usize, f64)> {
        self.maps += 1;
        let mut found = core::mem::take(&mut self.found);
        found.clear();
        found.extend(self.pairs.iter().enumerate().filter_map(|(index, pair)| {
            let linear = transform.linear_at(pair.a)?;
            let square = pair.residual(transform, linear, self.scales)?;
            (square <= reach * reach).then_some((index, square))
        }));
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        let pairs = self.pairs;
        let kept = found.iter().filter(|&&(index, _)| self.take(&pairs[index]));
        let explained = kept
            .map(|&(index, square)| (index, libm::sqrt(square)))
            .collect();
        self.found = found;
        explained
    }
}

fn best_hypothesis(pairs: &[Pair], count: &mut Count<'_>, reach: f64) -> Option<Transform> {
    let mut best: Option<(f64, Transform)> = None;
    for pair in pairs {
        let support = count.support(&pair.hypothesis, reach);
        if support > best.map_or(0.0, |(most, _)| most) {
            best = Some((support, pair.hypothesis));
        }
    }
    best.map(|(_, transform)| transform)
}

/// Rounds of fitting and counting again: the inliers of a fitted map are seldom quite those that it was
/// fitted to.
const ROUNDS: usize = 3;

/// The best of the hypothesis, affine fits and homographies to what it explains. A map with more
/// parameters has to explain more pairs, or as many of them better.
fn refine(
    count: &mut Count<'_>,
    hypothesis: Transform,
    explained: Vec<(usize, f64)>,
    reach: f64,
    options: &GeometryOptions,
) -> Refined {
    let within = count.explained(&hypothesis, reach);
    let mut best = Refined::new(hypothesis, within, reach);
    // The first fit is to all that the loose hypothesis explains.
    let mut basis = explained;
    for _ in 0..ROUNDS {
        let Some(better) = best.improved(count, &basis, reach, fit::affine) else {
            break;
        };
        best = better;
        basis.clone_from(&best.explained);
    }
    let enough = options.homography_from.max(4) as usize;
    for _ in 0..ROUNDS {
        if best.explained.len() < enough {
            break;
        }
        let basis = best.explained.clone();
        let Some(better) = best.improved(count, &basis, reach, fit::homography) else {
            break;
        };
        best = better;
    }
    best
}

struct Refined {
    transform: Transform,
    explained: Vec<(usize, f64)>,
    support: f64,
}

impl Refined {
    fn new(transform: Transform, explained: Vec<(usize, f64)>, reach: f64) -> Self {
        let share = |residual: f64| residual / reach;
        let worth = explained
            .iter()
            .map(|&(_, residual)| 1.0 - share(residual) * share(residual));
        Self {
            transform,
            support: worth.sum(),
            explained,
        }
    }

    /// The map fitted to `basis`, if there is more to say for it.
    fn improved(
        &self,
        count: &mut Count<'_>,
        basis: &[(usize, f64)],
        reach: f64,
        fit: impl Fn(&[fit::Pair]) -> Option<Transform>,
    ) -> Option<Self> {
        let points: Vec<fit::Pair> = basis
            .iter()
            .map(|&(index, _)| (count.pairs[index].a, count.pairs[index].b))
            .collect();
        let transform = fit(&points)?;
        let explained = count.explained(&transform, reach);
        let fitted = Self::new(transform, explained, reach);
        (fitted.support > self.support).then_some(fitted)
    }
}
