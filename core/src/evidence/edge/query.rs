//! The edges of a query.
//!
//! A box is given or found to within some hundredths of its sides, and where it lies decides what a tip is and where the line is
//! looked for. A gallery's photo has one edge, that of its box; a query is traced in two boxes beside its own, and its fits are
//! the mean: what only one of them says is the box's, and not the whale's (`docs/results/trailing-edge.md`).

use alloc::vec::Vec;

use super::curve::Edge;
use crate::Result;
use crate::photo::{Photo, Region};

/// By how much of its width and of its height a query's box is moved: twice what boxes are off by, and to both sides.
const MOVED: [[f32; 2]; 2] = [[-0.03, 0.06], [0.03, -0.06]];

impl Edge {
    /// The edges of a query, whose fluke is in `region`, for [`Edges::fit`](super::Edges::fit): traced in the box moved to the
    /// left and down, and to the right and up. Empty where the box is higher than wide as no fluke is; one where the other moved box
    /// leaves the photo.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the region has no pixel in the photo.
    pub fn of_query(photo: &Photo, region: Region) -> Result<Vec<Self>> {
        region.crop(0.0, photo.width, photo.height)?;
        let edges = MOVED.iter().filter_map(|&[right, down]| {
            let moved = region.moved(right, down);
            // The photo has pixels of the box itself; it need not have any of this one.
            moved.crop(0.0, photo.width, photo.height).ok()?;
            Self::trace(photo, moved).transpose()
        });
        edges.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BOX, Numbers, photo, ripples, traced};
    use super::*;

    #[test]
    fn a_query_is_traced_in_its_box_moved_to_both_sides() {
        let photo = photo(&ripples(&mut Numbers(12)), [40.0, 200.0], 0.0);
        // 0.03 of 320 pixels, 0.06 of 140.
        let (right, down) = (9.6, 8.4);
        let moved = |sign: f32| Region {
            x0: BOX.x0 + sign * right,
            x1: BOX.x1 + sign * right,
            y0: BOX.y0 - sign * down,
            y1: BOX.y1 - sign * down,
        };
        let expected = [-1.0, 1.0].map(|sign| traced(&photo, moved(sign)));
        assert!(expected[0] != expected[1]);
        assert_eq!(Edge::of_query(&photo, BOX).unwrap(), expected);
    }

    #[test]
    fn a_box_that_the_photo_hardly_has_gives_what_there_is() {
        let photo = photo(&[0.0; 8], [40.0, 200.0], 0.0);
        let at = |x0, y0, width, height| {
            let (x1, y1) = (x0 + width, y0 + height);
            Edge::of_query(&photo, Region { x0, y0, x1, y1 })
        };
        // The photo's last column: to the right there is none. Its first pixel: to the left is none, and above.
        let last = photo.width as f32 - 1.0;
        assert_eq!(at(last, 20.0, 100.0, 50.0).unwrap().len(), 1);
        assert_eq!(at(-99.0, -49.0, 100.0, 50.0).unwrap(), []);
        assert_eq!(at(10.0, 0.0, 30.0, 170.0).unwrap(), []);
        assert!(at(800.0, 0.0, 100.0, 50.0).is_err());
    }
}
