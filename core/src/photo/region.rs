//! The rectangle of a photo that holds the fluke.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A rectangle in the pixels of an upright photo; `x1` and `y1` are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Left edge.
    pub x0: f32,
    /// Top edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Bottom edge.
    pub y1: f32,
}

impl Region {
    /// The whole of a photo of `width` x `height` pixels.
    pub fn whole(width: u32, height: u32) -> Self {
        Self {
            x0: 0.0,
            y0: 0.0,
            x1: width as f32,
            y1: height as f32,
        }
    }

    /// Grown by `margin` of its width and height on each side (spec, *Data*: 0.1), clipped to the
    /// photo and widened to whole pixels. A negative margin, above -0.5, shrinks the part that lies
    /// in the photo, so that something of it is left.
    ///
    /// # Errors
    /// [`Error::Region`] when the region is empty, not finite, or has no pixel in the photo.
    pub fn crop(&self, margin: f32, width: u32, height: u32) -> Result<Crop> {
        let refuse = || Error::Region {
            x0: self.x0,
            y0: self.y0,
            x1: self.x1,
            y1: self.y1,
            width,
            height,
        };
        let Self { x0, y0, x1, y1 } = *self;
        let sides = [x0, y0, x1, y1];
        let meets_photo = x0 < width as f32 && y0 < height as f32 && x1 > 0.0 && y1 > 0.0;
        if sides.iter().any(|side| !side.is_finite()) || x1 <= x0 || y1 <= y0 || !meets_photo {
            return Err(refuse());
        }
        let Self { x0, y0, x1, y1 } = match margin < 0.0 {
            true => self.within(width as f32, height as f32),
            false => *self,
        };
        let (dx, dy) = ((x1 - x0) * margin, (y1 - y0) * margin);
        let low = |value: f32| libm::floorf(value).max(0.0) as u32;
        let high = |value: f32, limit: u32| (libm::ceilf(value) as u32).min(limit);
        let (left, top) = (low(x0 - dx), low(y0 - dy));
        let (right, bottom) = (high(x1 + dx, width), high(y1 + dy, height));
        if right <= left || bottom <= top {
            return Err(refuse());
        }
        Ok(Crop {
            left,
            top,
            width: right - left,
            height: bottom - top,
        })
    }

    /// The part that lies in a photo of `width` x `height` pixels.
    fn within(&self, width: f32, height: f32) -> Self {
        Self {
            x0: self.x0.max(0.0),
            y0: self.y0.max(0.0),
            x1: self.x1.min(width),
            y1: self.y1.min(height),
        }
    }

    /// Moved to the right and down by these shares of its width and of its height.
    pub(crate) fn moved(&self, right: f32, down: f32) -> Self {
        let Self { x0, y0, x1, y1 } = *self;
        let (dx, dy) = ((x1 - x0) * right, (y1 - y0) * down);
        Self {
            x0: x0 + dx,
            y0: y0 + dy,
            x1: x1 + dx,
            y1: y1 + dy,
        }
    }

    /// Intersection over union with `other`: 0 for disjoint rectangles, 1 for equal ones.
    pub fn overlap(&self, other: &Self) -> f32 {
        let side = |a0: f32, a1: f32, b0: f32, b1: f32| (a1.min(b1) - a0.max(b0)).max(0.0);
        let shared =
            side(self.x0, self.x1, other.x0, other.x1) * side(self.y0, self.y1, other.y0, other.y1);
        let area = |r: &Self| (r.x1 - r.x0).max(0.0) * (r.y1 - r.y0).max(0.0);
        let union = area(self) + area(other) - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }
}

/// Whole pixels of a photo, inside it and not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crop {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tenth_is_added_on_each_side_and_clipped() {
        let region = Region {
            x0: 10.0,
            y0: 0.0,
            x1: 110.0,
            y1: 50.0,
        };
        let crop = region.crop(0.1, 200, 52).unwrap();
        assert_eq!(
            crop,
            Crop {
                left: 0,
                top: 0,
                width: 120,
                height: 52
            }
        );
    }

    #[test]
    fn a_negative_margin_shrinks_the_part_in_the_photo() {
        // Of columns -60 to 40 those from 0 to 40 are there; a fifth of 40 goes on either side.
        let region = Region {
            x0: -60.0,
            y0: 10.0,
            x1: 40.0,
            y1: 60.0,
        };
        let crop = region.crop(-0.2, 200, 100).unwrap();
        assert_eq!(
            crop,
            Crop {
                left: 8,
                top: 20,
                width: 24,
                height: 30
            }
        );
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let outside = [
            (200.0, 0.0, 210.0, 10.0),
            (5.0, 5.0, 5.0, 9.0),
            (f32::NAN, 0.0, 1.0, 1.0),
        ];
        for (x0, y0, x1, y1) in outside {
            assert!(Region { x0, y0, x1, y1 }.crop(0.1, 100, 100).is_err());
        }
    }

    #[test]
    fn overlap_of_hand_calculated_rectangles() {
        let a = Region {
            x0: 0.0,
            y0: 0.0,
            x1: 2.0,
            y1: 2.0,
        };
        let b = Region {
            x0: 1.0,
            y0: 0.0,
            x1: 3.0,
            y1: 2.0,
        };
        assert!((a.overlap(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.overlap(&a), 1.0);
    }

    proptest! {
        #[test]
        fn a_crop_lies_in_the_photo(x0 in -50f32..150.0, y0 in -50f32..150.0, w in 0.1f32..200.0, h in 0.1f32..200.0, margin in -0.2f32..1.0) {
            let region = Region { x0, y0, x1: x0 + w, y1: y0 + h };
            // What no margin takes, every margin takes.
            prop_assert!(region.crop(margin, 100, 80).is_ok() || region.crop(0.0, 100, 80).is_err());
            if let Ok(crop) = region.crop(margin, 100, 80) {
                prop_assert!(crop.width >= 1 && crop.height >= 1);
                prop_assert!(crop.left + crop.width <= 100 && crop.top + crop.height <= 80);
            }
        }
    }
}
