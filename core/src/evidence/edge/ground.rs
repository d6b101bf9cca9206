//! An edge that another's pieces are laid on.

use super::background::{Background, USUAL};
use super::curve::Edge;
use super::segments::{PIECES, Scales};

/// How much of a place's background counts. A query's piece counts by its own, in full: together it is about the mean of both
/// sides' (as in Conneau et al., *Word Translation Without Parallel Data*, 2018, for words).
const SHARE: f32 = 0.6;

/// An edge, and how rare it is at every place.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    /// As it is kept.
    pub(super) edge: Edge,
    pub(super) scales: Scales,
    /// How much less near than usual strangers come to the piece of that number: below 0 where it is common.
    pub(super) rare: [f32; PIECES],
}

impl Ground {
    /// One whose places all count as of the usual rareness.
    pub(super) fn plain(edge: &Edge) -> Self {
        Self {
            edge: edge.clone(),
            scales: Scales::of(edge),
            rare: [0.0; PIECES],
        }
    }

    pub(super) fn of(edge: &Edge, background: &Background) -> Self {
        let plain = Self::plain(edge);
        let of_pieces = background.of_pieces(&plain.scales);
        Self {
            rare: of_pieces.map(|background| SHARE * (background - USUAL)),
            ..plain
        }
    }
}
