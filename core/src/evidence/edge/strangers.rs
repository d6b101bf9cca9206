//! What a [`Background`](super::background::Background) is trained to tell.

use alloc::vec::Vec;

use super::curve::Edge;
use super::fit::{background, of_all};
use super::ground::Ground;
use super::lay::{Asked, Distances};
use super::segments::PIECES;

/// Edges, most of them of whales that are strangers to each other.
#[derive(Clone, Debug)]
pub struct Strangers(Vec<Ground>);

impl<'a> FromIterator<&'a Edge> for Strangers {
    fn from_iter<Edges: IntoIterator<Item = &'a Edge>>(edges: Edges) -> Self {
        Self(edges.into_iter().map(Ground::plain).collect())
    }
}

impl Strangers {
    /// The distance, 0 to 2, at which all but the nearest fifty of the others are background for every piece of the edge of that number,
    /// `[192]`; empty where there is no such edge or no other.
    pub fn background(&self, number: usize) -> Vec<f32> {
        let Some(edge) = self.0.get(number) else {
            return Vec::new();
        };
        let asked: Vec<Asked> = (0..PIECES)
            .map(|piece| Asked::of(&edge.scales, piece))
            .collect();
        let others = self.0.iter().enumerate();
        let others = others.filter_map(|(other, ground)| (other != number).then_some(ground));
        let others: Vec<&Ground> = others.collect();
        if others.is_empty() {
            return Vec::new();
        }
        let distances = of_all(&others, |other| Distances::of(&asked, other).nearest);
        let of_piece = |piece: usize| {
            let nearest = distances.iter().map(|photo| (photo[piece], 1.0));
            background(nearest.collect())
        };
        (0..PIECES).map(of_piece).collect()
    }
}
