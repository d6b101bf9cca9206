//! One change of a photo, done in one pass: every target pixel is sampled once.

use super::erasing::Erased;
use super::homography::Homography;
use super::light::Light;
use flukeprint_core::photo::Gray;

/// What is done to a photo. The default changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Mirrored left to right.
    pub flip: bool,
    /// Rotation of the picture, degrees; positive is counter-clockwise.
    pub rotation_degrees: f32,
    /// Zoom, at least 1.
    pub zoom: f32,
    /// The part shown by the zoom: -1 is the left or top edge, 1 the right or bottom one.
    pub centre: [f32; 2],
    /// How far the right, left, bottom and top edges grow at both their ends, as a share of half
    /// their length: fastai's `symmetric_warp`. Negative ones shrink.
    pub warp: [f32; 4],
    /// Brightness, see [`Light::brightness`].
    pub brightness: f32,
    /// Contrast, see [`Light::contrast`].
    pub contrast: f32,
    /// The part that is erased, after all of the above.
    pub erased: Option<Erased>,
    /// Each channel's own light, on top of the common one. Without it the channels are equal.
    pub channels: Option<[Light; 3]>,
}

impl Default for Change {
    fn default() -> Self {
        Self {
            flip: false,
            rotation_degrees: 0.0,
            zoom: 1.0,
            centre: [0.0; 2],
            warp: [0.0; 4],
            brightness: 0.5,
            contrast: 1.0,
            erased: None,
            channels: None,
        }
    }
}

impl Change {
    /// The changed crop, squashed to `width` x `height`: `[height, width]` values in 0…1.
    ///
    /// The crop is sampled bilinearly and mirrored at its edges. Nothing is averaged, so a crop more
    /// than about 1.3 times the target's size should be shrunk before. It is what the channels have
    /// in common: their own lights are [`Change::channels`].
    pub fn apply(&self, crop: &Gray, width: usize, height: usize) -> Vec<f32> {
        let mut values = Vec::with_capacity(width * height);
        let map = self
            .map(crop, width, height)
            .0
            .map(|row| row.map(|entry| entry as f32));
        for y in 0..height {
            let start = map.map(|[_, by_y, constant]| by_y * y as f32 + constant);
            for x in 0..width {
                let [u, v, w] = [0, 1, 2].map(|row| start[row] + map[row][0] * x as f32);
                let scale = 1.0 / w;
                values.push(sample(crop, u * scale, v * scale));
            }
        }
        Light {
            brightness: self.brightness,
            contrast: self.contrast,
        }
        .shine(&mut values);
        if let Some(erased) = &self.erased {
            erased.erase(&mut values, width);
        }
        values
    }

    /// The three channels of what [`Change::apply`] gave, where each has its own light.
    pub fn channels(&self, gray: &[f32]) -> Option<[Vec<f32>; 3]> {
        let lights = self.channels?;
        Some(lights.map(|light| {
            let mut channel = gray.to_vec();
            light.shine(&mut channel);
            channel
        }))
    }

    /// Takes the columns and rows of the target to those of the crop. As in fastai the warp stands
    /// next to the target, then the zoom, then the rotation.
    fn map(&self, crop: &Gray, width: usize, height: usize) -> Homography {
        let [target_width, target_height] = [width, height].map(|side| side as f64);
        let from_pixels = Homography::scale_and_move(
            [2.0 / target_width, 2.0 / target_height],
            [1.0 / target_width - 1.0, 1.0 / target_height - 1.0],
        );
        let flip = Homography::scale_and_move([if self.flip { -1.0 } else { 1.0 }, 1.0], [0.0; 2]);
        let shown = 1.0 / f64::from(self.zoom);
        let zoom = Homography::scale_and_move(
            [shown; 2],
            self.centre.map(|centre| f64::from(centre) * (1.0 - shown)),
        );
        let radians = f64::from(self.rotation_degrees).to_radians();
        let rotation = Homography::rotation(radians, target_width / target_height);
        let half = [crop.width, crop.height].map(|side| f64::from(side) / 2.0);
        let to_pixels = Homography::scale_and_move(half, half.map(|half| half - 0.5));
        let steps = [self.unwarp(), zoom, rotation, flip, to_pixels];
        steps.iter().fold(from_pixels, |map, step| step.after(&map))
    }

    /// Takes the warped corners back to the picture's.
    fn unwarp(&self) -> Homography {
        let [right, left, bottom, top] = self.warp.map(|by| 1.0 + f64::from(by));
        Homography::to_quad([
            [-top, -left],
            [top, -right],
            [bottom, right],
            [-bottom, left],
        ])
        .inverse()
    }
}

/// The crop between its pixels at column `x` and row `y`, in 0…1.
fn sample(crop: &Gray, x: f32, y: f32) -> f32 {
    let (x, y) = (mirrored(x, crop.width), mirrored(y, crop.height));
    // Not negative, so that this rounds down; 32 bits are converted faster than 64.
    let (left, top) = (x as i32 as usize, y as i32 as usize);
    let stride = crop.width as usize;
    let right = (left + 1).min(stride - 1);
    let bottom = (top + 1).min(crop.height as usize - 1);
    let (across, down) = (x - left as f32, y - top as f32);
    let in_row = |row: usize| {
        let row = &crop.pixels[row * stride..][..stride];
        let (left, right) = (f32::from(row[left]), f32::from(row[right]));
        left + (right - left) * across
    };
    let (upper, lower) = (in_row(top), in_row(bottom));
    (upper + (lower - upper) * down) * (1.0 / 255.0)
}

/// `at` reflected about the outer edges, -0.5 and `size` - 0.5, into the pixels 0 to `size` - 1.
fn mirrored(at: f32, size: u32) -> f32 {
    let size = size as f32;
    if (0.0..=size - 1.0).contains(&at) {
        return at;
    }
    let from_edge = (at + 0.5).rem_euclid(2.0 * size);
    (from_edge.min(2.0 * size - from_edge) - 0.5).clamp(0.0, size - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn crop(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Gray {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Gray {
            width,
            height,
            pixels: pixels.map(|(x, y)| value(x, y)).collect(),
        }
    }

    fn near(values: &[f32], expected: &[f32]) {
        assert_eq!(values.len(), expected.len());
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-3, "{values:?}");
        }
    }

    #[test]
    fn no_change_gives_the_pixels_back() {
        let crop = crop(7, 5, |x, y| (31 * x + 17 * y) as u8);
        let expected: Vec<f32> = crop
            .pixels
            .iter()
            .map(|&value| f32::from(value) / 255.0)
            .collect();
        near(&Change::default().apply(&crop, 7, 5), &expected);
    }

    #[test]
    fn squashing_samples_between_the_pixels() {
        // Target pixel i has its middle at (i + 0.5) · 8 / 4 - 0.5 = 2 i + 0.5.
        let ramp = crop(8, 1, |x, _| (10 * x) as u8);
        near(
            &Change::default().apply(&ramp, 4, 1),
            &[5.0, 25.0, 45.0, 65.0].map(|v| v / 255.0),
        );
    }

    #[test]
    fn a_flip_mirrors() {
        let ramp = crop(4, 1, |x, _| (10 * x) as u8);
        let flipped = Change {
            flip: true,
            ..Change::default()
        }
        .apply(&ramp, 4, 1);
        near(&flipped, &[30.0, 20.0, 10.0, 0.0].map(|v| v / 255.0));
    }

    #[test]
    fn a_quarter_turn_is_counter_clockwise() {
        let square = crop(3, 3, |x, y| (30 * y + 10 * x) as u8);
        let turned = Change {
            rotation_degrees: 90.0,
            ..Change::default()
        }
        .apply(&square, 3, 3);
        // Rows 0 10 20 / 30 40 50 / 60 70 80: the right column becomes the top row.
        let expected = [20.0, 50.0, 80.0, 10.0, 40.0, 70.0, 0.0, 30.0, 60.0];
        near(&turned, &expected.map(|value| value / 255.0));
    }

    #[test]
    fn a_zoom_of_two_shows_the_half_that_it_is_centred_on() {
        let ramp = crop(8, 1, |x, _| (10 * x) as u8);
        let zoomed = |x: f32| {
            Change {
                zoom: 2.0,
                centre: [x, 0.0],
                ..Change::default()
            }
            .apply(&ramp, 4, 1)
        };
        near(&zoomed(-1.0), &[0.0, 10.0, 20.0, 30.0].map(|v| v / 255.0));
        near(&zoomed(0.0), &[20.0, 30.0, 40.0, 50.0].map(|v| v / 255.0));
        near(&zoomed(1.0), &[40.0, 50.0, 60.0, 70.0].map(|v| v / 255.0));
    }

    #[test]
    fn a_warp_moves_the_corners_of_the_edge_it_is_for() {
        let crop = crop(10, 10, |_, _| 0);
        let change = Change {
            warp: [0.0, 0.0, 0.0, 0.2],
            ..Change::default()
        };
        let map = change.map(&crop, 10, 10).0;
        let at = |x: f64, y: f64| {
            let [u, v, w] = map.map(|[a, b, c]| a * x + b * y + c);
            [u / w, v / w]
        };
        // The top left corner, at (-0.5, -0.5), is found a fifth of half a side further out, at -1.5;
        // the bottom left stays.
        for (target, source) in [([-1.5, -0.5], [-0.5, -0.5]), ([-0.5, 9.5], [-0.5, 9.5])] {
            let [x, y] = at(target[0], target[1]);
            assert!(
                (x - source[0]).abs() < 1e-6 && (y - source[1]).abs() < 1e-6,
                "{x} {y}"
            );
        }
    }

    #[test]
    fn edges_are_mirrored() {
        for (at, expected) in [
            (-0.5, 0.0),
            (-1.0, 0.0),
            (-2.0, 1.0),
            (4.0, 3.0),
            (5.0, 2.0),
            (2.25, 2.25),
        ] {
            assert_eq!(mirrored(at, 4), expected, "{at}");
        }
    }

    #[test]
    fn light_is_done_before_erasing_and_erasing_before_the_channels() {
        // 0.2 and 0.8 become 3/11 and 6/7 by brightness 0.6; the left half becomes their mean.
        let change = Change {
            brightness: 0.6,
            erased: Some(Erased {
                area: 0.5,
                aspect: 2.0,
                centre: [-1.0, 0.0],
            }),
            channels: Some([0.5, 0.4, 0.6].map(|brightness| Light {
                brightness,
                contrast: 1.0,
            })),
            ..Change::default()
        };
        let gray = change.apply(&crop(2, 1, |x, _| [51, 204][x as usize]), 2, 1);
        let mean = (3.0 / 11.0 + 6.0 / 7.0) / 2.0;
        near(&gray, &[mean, 6.0 / 7.0]);
        // Brightness 0.4 takes the odds times 2/3, 0.6 times 3/2.
        let brighter = |x: f32, by: f32| x * by / (1.0 - x + x * by);
        let channels = change.channels(&gray).unwrap();
        for (channel, by) in channels.iter().zip([1.0, 2.0 / 3.0, 1.5]) {
            near(channel, &[brighter(mean, by), brighter(6.0 / 7.0, by)]);
        }
        assert_eq!(Change::default().channels(&gray), None);
    }

    fn any_change() -> impl Strategy<Value = Change> {
        let geometry = (
            -180f32..180.0,
            1f32..3.0,
            prop::array::uniform2(-1f32..1.0),
            prop::array::uniform4(-0.4f32..0.4),
        );
        let rectangle = (0.02f32..0.2, 0.3f32..3.3, prop::array::uniform2(-1f32..1.0));
        let erased = prop::option::of(rectangle.prop_map(|(area, aspect, centre)| Erased {
            area,
            aspect,
            centre,
        }));
        (any::<bool>(), geometry, 0.05f32..0.95, 0.1f32..5.0, erased).prop_map(
            |(flip, (rotation_degrees, zoom, centre, warp), brightness, contrast, erased)| Change {
                flip,
                rotation_degrees,
                zoom,
                centre,
                warp,
                brightness,
                contrast,
                erased,
                channels: None,
            },
        )
    }

    proptest! {
        #[test]
        fn values_stay_between_the_darkest_and_the_lightest(change in any_change(), width in 1u32..9, height in 1u32..9) {
            let crop = crop(width, height, |x, y| (x * 97 + y * 31) as u8);
            let values = change.apply(&crop, 5, 3);
            prop_assert_eq!(values.len(), 15);
            prop_assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{:?}", values);
        }

        #[test]
        fn an_even_crop_stays_even_and_only_light_changes_it(change in any_change(), value: u8) {
            let values = change.apply(&crop(6, 4, |_, _| value), 5, 3);
            prop_assert!(values.iter().all(|other| (other - values[0]).abs() < 1e-5));
        }
    }
}
