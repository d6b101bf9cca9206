//! What a user of trailing edges relies on.

use alloc::vec;
use alloc::vec::Vec;
use core::slice;

use proptest::prelude::*;

use super::curve::{EDGE, Edge, HEIGHTS};
use super::field::{FIRST, Field, WIDTH};
use super::fit::{Edges, FEWEST};
use super::guide::{self, Guide};
use super::segments::{PIECES, Scales, blurred};
use super::trace::{BLOCK, STEP, steps};
use crate::photo::{Photo, Region};

/// Numbers between -1 and 1 without meaning, the same every time (Knuth's MMIX generator).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) as f32 / (1 << 24) as f32) * 2.0 - 1.0
    }
}

/// A trailing edge as a share of the box's height at a share of its width: a hollow from each tip to the middle,
/// a notch there, and ripples of a whale's own.
fn drawn(ripples: &[f32], x: f32) -> f32 {
    let from_middle = (x - 0.5).abs();
    let hollow = 0.42 - 0.6 * from_middle;
    let notch = 0.12 * (1.0 - from_middle / 0.04).max(0.0);
    let wave = |(i, &height): (usize, &f32)| {
        height * libm::sinf((7.0 + 5.0 * i as f32) * core::f32::consts::PI * x)
    };
    hollow + notch + ripples.iter().enumerate().map(wave).sum::<f32>()
}

pub(super) const BOX: Region = Region {
    x0: 20.0,
    y0: 15.0,
    x1: 340.0,
    y1: 155.0,
};

/// A dark fluke before brighter water, in [`BOX`].
pub(super) fn photo(ripples: &[f32], [dark, bright]: [f32; 2], noise: f32) -> Photo {
    let (width, height) = (360, 170);
    let mut numbers = Numbers(5);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let share = (x as f32 + 0.5 - BOX.x0) / (BOX.x1 - BOX.x0);
            let line = BOX.y0 + (BOX.y1 - BOX.y0) * drawn(ripples, share);
            let covered = (y as f32 + 1.0 - line).clamp(0.0, 1.0);
            let value = bright + (dark - bright) * covered + noise * numbers.next();
            pixels.extend([value.clamp(0.0, 255.0) as u8; 3]);
        }
    }
    Photo {
        width: width as u32,
        height: height as u32,
        pixels,
    }
}

pub(super) fn ripples(numbers: &mut Numbers) -> [f32; 8] {
    core::array::from_fn(|_| 0.012 * numbers.next())
}

pub(super) fn traced(photo: &Photo, region: Region) -> Edge {
    Edge::trace(photo, region).unwrap().unwrap()
}

/// How far the traced heights are from those that were drawn, in widths of the box: half of all places are nearer,
/// and nine of ten.
fn error(edge: &Edge, ripples: &[f32]) -> [f32; 2] {
    let aspect = (BOX.y1 - BOX.y0) / (BOX.x1 - BOX.x0);
    // Both halves end at the notch, which lies in the middle; 6 of 640 columns at each tip are left out.
    let (first, half) = (6.5 / 640.0, HEIGHTS / 2);
    let expected: Vec<f32> = (0..HEIGHTS)
        .map(|place| {
            let share = (place % half) as f32 / (half - 1) as f32;
            let [from, to] = [[first, 0.5], [0.5, 1.0 - first]][place / half];
            aspect * drawn(ripples, from + share * (to - from))
        })
        .collect();
    let heights = edge.heights(1.0);
    // How high the first one is is not kept.
    let apart = |(a, b): (&f32, &f32)| a - b;
    let mut errors: Vec<f32> = heights.iter().zip(&expected).map(apart).collect();
    errors.sort_by(f32::total_cmp);
    let middle = errors[HEIGHTS / 2];
    let mut errors: Vec<f32> = errors.iter().map(|error| (error - middle).abs()).collect();
    errors.sort_by(f32::total_cmp);
    [errors[HEIGHTS / 2], errors[HEIGHTS * 9 / 10]]
}

#[test]
fn the_edge_of_a_fluke_is_traced_to_a_pixel() {
    let mut numbers = Numbers(1);
    for _ in 0..4 {
        let ripples = ripples(&mut numbers);
        for (light, noise) in [
            ([40.0, 200.0], 0.0),
            ([90.0, 120.0], 0.0),
            ([40.0, 160.0], 25.0),
        ] {
            let edge = traced(&photo(&ripples, light, noise), BOX);
            let [half, most] = error(&edge, &ripples);
            // A pixel of the photo is 1/320 of the width; the notch is steep.
            assert!(
                half < 1.0 / 320.0 && most < 3.0 / 320.0,
                "{half} {most} {light:?} {noise}"
            );
        }
    }
}

/// The shipped guide was trained on photos; a fluke that is drawn is one too.
#[test]
fn the_guide_holds_the_edge_of_a_fluke_for_likely() {
    let ripples = ripples(&mut Numbers(8));
    let photo = photo(&ripples, [60.0, 180.0], 15.0);
    let field = Field::of(&photo, BOX).unwrap().unwrap();
    let likely = Guide::shipped().unwrap().likely(&Guide::picture(&field));
    let height = (field.rows - field.top - 10) as f32;
    let mut near = 0;
    let seen = super::SEEN;
    for column in seen.clone() {
        let at = |row: usize| likely[row * guide::COLUMNS + column];
        let sum: f32 = (0..guide::ROWS).map(|row| libm::expf(at(row))).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{column}: {sum}");
        let most =
            (0..guide::ROWS).fold(0, |most, row| if at(row) > at(most) { row } else { most });
        let pixel = (column as f32 + 0.5) / guide::COLUMNS as f32 * field.columns as f32;
        let share = (pixel - (FIRST - 6) as f32) / WIDTH as f32;
        let row = field.top as f32 + height * drawn(&ripples, share);
        let expected = row / field.rows as f32 * guide::ROWS as f32 - 0.5;
        near += usize::from((most as f32 - expected).abs() < 3.0);
    }
    assert!(near * 10 > seen.len() * 9, "{near} of {}", seen.len());
}

#[test]
fn an_edge_is_kept_in_halves_of_a_pixel() {
    let mut numbers = Numbers(6);
    let mut at = 0.0;
    let line: Vec<f32> = (0..HEIGHTS)
        .map(|_| {
            at += numbers.next();
            at
        })
        .collect();
    let edge = Edge::of(&line);
    let smooth = blurred(&line, 1.2);
    // Both ends of both halves are kept places, the others lie between two of them.
    for place in [0, HEIGHTS / 2 - 1, HEIGHTS / 2, HEIGHTS - 1] {
        let kept = 640.0 * edge.heights(1.0)[place];
        let written = smooth[place] - smooth[0];
        assert!(
            (kept - written).abs() <= 0.25 + 1e-3,
            "{place}: {kept} {written}"
        );
    }
    let json = serde_json::to_string(&edge).unwrap();
    assert_eq!(json.len(), EDGE + 2);
    assert_eq!(serde_json::from_str::<Edge>(&json).unwrap(), edge);
    assert_eq!(Edge::from_steps(*edge.as_steps()), edge);
    for wrong in ["\"\"", "\"gg\"", &json.replace('g', "+"), "7"] {
        assert!(serde_json::from_str::<Edge>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_photo_of_the_same_whale_fits_best_by_far() {
    let mut numbers = Numbers(3);
    let whales: Vec<[f32; 8]> = (0..40).map(|_| ripples(&mut numbers)).collect();
    let seen = |whale: usize, light, region| traced(&photo(&whales[whale], light, 8.0), region);
    let gallery: Vec<Edge> = (0..40)
        .map(|whale| seen(whale, [40.0, 200.0], BOX))
        .collect();
    let edges = Edges::of(gallery.iter().map(Some)).unwrap();
    // A box that is a little off, in other light.
    let off = Region {
        x0: BOX.x0 - 4.0,
        x1: BOX.x1 + 3.0,
        y0: BOX.y0 + 3.0,
        y1: BOX.y1 + 2.0,
    };
    for whale in [0, 7, 23, 39] {
        let query = seen(whale, [80.0, 150.0], off);
        let fits = edges.fit(slice::from_ref(&query));
        let others = fits.iter().enumerate().filter(|(photo, _)| *photo != whale);
        let second = others
            .map(|(_, &fit)| fit)
            .fold(f32::NEG_INFINITY, f32::max);
        assert!(
            fits[whale] > second + 0.5,
            "{whale}: {} {second}",
            fits[whale]
        );
    }
}

pub(super) fn any_edge(numbers: &mut Numbers) -> Edge {
    Edge::from_steps(core::array::from_fn(|_| (11.0 * numbers.next()) as i8))
}

#[test]
fn some_photos_fit_as_if_the_others_were_not_there() {
    let mut numbers = Numbers(9);
    let gallery: Vec<Edge> = (0..60).map(|_| any_edge(&mut numbers)).collect();
    let query = any_edge(&mut numbers);
    let in_it: Vec<bool> = (0..60).map(|photo| photo % 3 != 1).collect();
    let all = Edges::of(gallery.iter().map(Some)).unwrap();
    let some = gallery
        .iter()
        .zip(&in_it)
        .map(|(edge, &is)| is.then_some(edge));
    let alone = Edges::of(some).unwrap();
    let fits = all.fit_of_some(&in_it, slice::from_ref(&query));
    assert_eq!(fits, alone.fit(slice::from_ref(&query)));
    assert!(
        in_it
            .iter()
            .zip(&fits)
            .all(|(&is, &fit)| is == (fit != 0.0))
    );
}

#[test]
fn without_an_edge_or_with_few_photos_nothing_fits() {
    let mut numbers = Numbers(2);
    let gallery: Vec<Edge> = (0..FEWEST).map(|_| any_edge(&mut numbers)).collect();
    let enough = Edges::of(gallery.iter().map(Some)).unwrap();
    assert_eq!(enough.fit(&[]), vec![0.0; FEWEST]);
    assert!(enough.fit(&gallery[3..4]).iter().any(|&fit| fit > 1.0));
    let few = Edges::of(gallery[1..].iter().map(Some).chain([None])).unwrap();
    assert_eq!(few.fit(&gallery[3..4]), vec![0.0; FEWEST]);
    assert_eq!(few.photos(), FEWEST);
    // All alike: nobody is better than the others.
    let alike = Edges::of((0..30).map(|_| Some(&gallery[0]))).unwrap();
    assert_eq!(alike.fit(&gallery[1..2]), vec![0.0; 30]);
    let none = Edges::of([]).unwrap();
    assert_eq!(none.fit(&gallery[..1]), Vec::<f32>::new());
}

#[test]
fn of_a_query_of_two_edges_both_are_heard() {
    let mut numbers = Numbers(7);
    let gallery: Vec<Edge> = (0..30).map(|_| any_edge(&mut numbers)).collect();
    let edges = Edges::of(gallery.iter().map(Some)).unwrap();
    let best = |fits: &[f32]| {
        let mut photos: Vec<usize> = (0..30).collect();
        photos.sort_by(|&a, &b| fits[b].total_cmp(&fits[a]));
        [photos[0], photos[1]]
    };
    let both = edges.fit(&[gallery[4].clone(), gallery[9].clone()]);
    let mut first = best(&both);
    first.sort_unstable();
    assert_eq!(first, [4, 9]);
    // One edge says all of it alone: as much as both that say the same.
    let alone = edges.fit(&gallery[4..5]);
    let twice = edges.fit(&[gallery[4].clone(), gallery[4].clone()]);
    assert_eq!([best(&alone)[0], best(&twice)[0]], [4, 4]);
    assert!(
        (alone[4] - twice[4]).abs() < 0.05 * alone[4],
        "{} {}",
        alone[4],
        twice[4]
    );
    assert!(both[4] < alone[4] && both[9] < alone[4]);
}

/// The distance of a piece of an edge to one of another's.
fn distance(a: &Scales, number: usize, b: &Scales, other: usize) -> f32 {
    let piece = a.piece(number);
    let mut distance = [b.product(other, &piece)];
    piece.distances(&mut distance, &b.scales_of_pieces()[other..]);
    distance[0]
}

#[test]
fn pieces_are_of_unit_length_and_know_no_height() {
    let mut numbers = Numbers(4);
    let edge = any_edge(&mut numbers);
    let scales = Scales::of(&edge);
    // A box whose upper side lies elsewhere changes nothing, and what is upside down is as far away as can be.
    let mut steps = *edge.as_steps();
    steps[0] += 20;
    let lower = Scales::of(&Edge::from_steps(steps));
    let turned = Scales::of(&Edge::from_steps(edge.as_steps().map(|step| -step)));
    for number in 0..PIECES {
        assert!(distance(&scales, number, &scales, number) < 0.002);
        assert!(distance(&scales, number, &lower, number) < 0.01);
        assert!((distance(&scales, number, &turned, number) - 2.0).abs() < 1e-3);
    }
}

#[test]
fn a_piece_is_what_lies_around_its_place() {
    // A step at 48 of 95 places of the left half, that is at 128.8 of its 255, where piece 46 lies.
    let step = |at: usize| {
        let steps = core::array::from_fn(|place| if place == at { 20 } else { 0 });
        Scales::of(&Edge::from_steps(steps))
    };
    let (scales, shifted) = (step(48), step(49));
    // A place of 95 is 2.7 of 255, hardly more than the 2.6 from a piece to the next.
    let [before, there, after] = [46, 47, 48].map(|other| distance(&scales, 46, &shifted, other));
    assert!(
        there < 0.1 && there < before && there < after,
        "{before} {there} {after}"
    );
}

#[test]
fn a_blur_is_gaussian() {
    // scipy.ndimage.gaussian_filter1d([0]*8+[1]+[0]*8, 2, mode="nearest")[8:12]
    let mut line = vec![0.0; 17];
    line[8] = 1.0;
    let blurred = blurred(&line, 2.0);
    for (value, expected) in blurred[8..]
        .iter()
        .zip([0.199_477, 0.176_036, 0.120_989, 0.064_760])
    {
        assert!((value - expected).abs() < 1e-5, "{value} {expected}");
    }
    assert!((blurred.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn a_box_that_no_fluke_has_gives_no_edge_and_one_outside_is_refused() {
    let photo = photo(&[0.0; 8], [40.0, 200.0], 0.0);
    let tall = Region {
        x0: 10.0,
        y0: 0.0,
        x1: 40.0,
        y1: 170.0,
    };
    assert_eq!(Edge::trace(&photo, tall).unwrap(), None);
    let outside = Region {
        x0: 800.0,
        y0: 0.0,
        x1: 900.0,
        y1: 50.0,
    };
    assert!(Edge::trace(&photo, outside).is_err());
}

proptest! {
    #[test]
    fn steps_are_the_best_within_reach(begin in prop::collection::vec(-9.0_f32..9.0, 1..60)) {
        let mut most = vec![0.0; begin.len()];
        let mut from = vec![0; begin.len()];
        let none = vec![f32::NEG_INFINITY; STEP + BLOCK];
        steps(&[&none[BLOCK..], &begin, &none].concat(), &mut most, &mut from);
        for row in 0..begin.len() {
            let value = |other: usize| begin[other] - 0.5 * row.abs_diff(other) as f32;
            let within = (0..begin.len()).filter(|&other| row.abs_diff(other) <= 14);
            let expected = within.map(value).fold(f32::NEG_INFINITY, f32::max);
            prop_assert_eq!(most[row], expected);
            prop_assert_eq!(value(usize::from(from[row])), expected);
            prop_assert!(row.abs_diff(usize::from(from[row])) <= 14);
        }
    }

    #[test]
    fn any_photo_and_box_have_an_edge_or_none(
        (width, height) in (1_u32..40, 1_u32..40),
        corners in prop::array::uniform4(-5.0_f32..45.0),
        value in any::<u8>(),
    ) {
        let pixels = (0..3 * width * height).map(|i| (i as u8).wrapping_mul(value)).collect();
        let photo = Photo { width, height, pixels };
        let [x0, y0, x1, y1] = corners;
        if let Ok(Some(edge)) = Edge::trace(&photo, Region { x0, y0, x1, y1 }) {
            prop_assert!(edge.heights(1.0).iter().all(|height| height.is_finite()));
        }
    }
}
