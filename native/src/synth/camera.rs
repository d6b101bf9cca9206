//! How a fluke hangs in the air and where the camera sees each point of it.

use super::dice::Dice;
use super::outline::Outline;

/// A photo's size in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// The attitude of a fluke, and how its lobes bend in that moment.
#[derive(Debug, Clone)]
pub(super) struct Pose {
    /// Rows of the rotation from fluke axes (right, up, towards the camera) to camera axes.
    rotation: [[f32; 3]; 3],
    /// From the camera to the fluke, in half spans.
    distance: f32,
    lobes: [Bend; 2],
    /// Curvature from the tail stock to the trailing edge.
    bow: f32,
}

#[derive(Debug, Clone)]
struct Bend {
    /// Curvature along the span, towards the camera where positive.
    curl: f32,
    /// Rotation about the span that grows towards the tip.
    twist: f32,
    /// How far the tip rises.
    lift: f32,
}

impl Bend {
    fn random(dice: &mut Dice, spread: f32) -> Self {
        Self {
            curl: dice.bell(0.0, 0.34 * spread),
            twist: dice.bell(0.0, 0.2 * spread),
            lift: dice.bell(0.0, 0.06 * spread),
        }
    }
}

impl Pose {
    /// A pose at random; `spread` scales all turns and bends, 1 being a real sea's worth.
    pub(super) fn random(dice: &mut Dice, spread: f32) -> Self {
        const DEGREE: f32 = core::f32::consts::PI / 180.0;
        let aside = if dice.chance(0.2) { 26.0 } else { 15.0 };
        let yaw = dice.bell(0.0, aside * spread) * DEGREE;
        let pitch = dice.bell(10.0, 21.0 * spread).clamp(-40.0, 62.0) * DEGREE;
        let roll = dice.bell(0.0, 5.0 * spread) * DEGREE;
        Self {
            rotation: rotation(yaw, pitch, roll),
            distance: dice.between(4.0, 14.0),
            lobes: [Bend::random(dice, spread), Bend::random(dice, spread)],
            bow: dice.bell(0.0, 0.22 * spread),
        }
    }

    /// The place of a point of the fluke in camera axes, in half spans from the notch.
    fn place(&self, u: f32, v: f32) -> [f32; 3] {
        let bend = &self.lobes[usize::from(u > 0.0)];
        let s = u.abs();
        let turned = bend.curl * s;
        let x = u * (1.0 - turned * turned / 6.0);
        let y = v + bend.lift * s * s;
        let z = turned * s / 2.0 + bend.twist * s * (v - 0.1) + self.bow * v * v;
        self.rotation
            .map(|row| row[0] * x + row[1] * y + row[2] * z)
    }

    /// The unit normal of the underside at a point, in camera axes.
    pub(super) fn normal(&self, u: f32, v: f32) -> [f32; 3] {
        const STEP: f32 = 0.01;
        let here = self.place(u, v);
        let towards =
            |there: [f32; 3]| [there[0] - here[0], there[1] - here[1], there[2] - here[2]];
        // Step away from the midline, where the two lobes' bends meet.
        let along = if u > 0.0 { STEP } else { -STEP };
        let a = towards(self.place(u + along, v)).map(|part| part * along.signum());
        let b = towards(self.place(u, v + STEP));
        unit([
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ])
    }
}

/// A vector of length 1 in the same direction.
pub(super) fn unit(a: [f32; 3]) -> [f32; 3] {
    let shrink = 1.0 / dot(a, a).sqrt().max(1e-9);
    a.map(|part| part * shrink)
}

/// The scalar product.
pub(super) fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn rotation(yaw: f32, pitch: f32, roll: f32) -> [[f32; 3]; 3] {
    let (sy, cy) = (libm::sinf(yaw), libm::cosf(yaw));
    let (sp, cp) = (libm::sinf(pitch), libm::cosf(pitch));
    let (sr, cr) = (libm::sinf(roll), libm::cosf(roll));
    [
        [cr * cy - sr * sp * sy, -sr * cp, cr * sy + sr * sp * cy],
        [sr * cy + cr * sp * sy, cr * cp, sr * sy - cr * sp * cy],
        [-cp * sy, sp, cp * cy],
    ]
}

/// A pose and where it stands in the frame: everything that says which pixel shows which point.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) pose: Pose,
    /// Pixels per half span at the notch.
    pub(super) scale: f32,
    /// The pixel of the notch.
    centre: (f32, f32),
    /// The height of the calm water, in pixels from the top.
    pub(super) water: f32,
}

/// A point of the fluke as the camera sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) x: f32,
    pub(super) y: f32,
    /// One over the distance from the camera: larger is nearer.
    pub(super) nearness: f32,
}

impl View {
    /// A view in which the part above water fills 35 to 95 % of the frame's width, now and then
    /// cut by the frame.
    pub(super) fn random(dice: &mut Dice, outline: &Outline, frame: Frame, spread: f32) -> Self {
        let pose = Pose::random(dice, spread);
        let sunk = if dice.chance(0.2) {
            dice.between(-0.25, -0.05)
        } else {
            dice.between(-0.62, -0.22)
        };
        let mut view = Self {
            pose,
            scale: 1.0,
            centre: (0.0, 0.0),
            water: 0.0,
        };
        view.water = view.project(0.0, sunk).y;
        let (left, top, right, bottom) = view.extent(outline);
        let (wide, high) = (right - left, (bottom - top).max(0.05));
        let (w, h) = (frame.width as f32, frame.height as f32);
        let fill = dice.between(0.35, 0.95).max(dice.between(0.45, 0.95));
        view.scale = (fill * w / wide).min(0.88 * h / high);
        let slack = |dice: &mut Dice, room: f32| {
            let cut = if dice.chance(0.06) {
                dice.between(-0.15, 0.0) * w
            } else {
                0.0
            };
            let at = dice.bell(0.5, 0.2).clamp(0.03, 0.97) * room;
            if dice.chance(0.5) { at + cut } else { at - cut }
        };
        let x = slack(dice, w - wide * view.scale);
        let y = slack(dice, h - high * view.scale).clamp(0.0, h - high * view.scale * 0.9);
        view.centre = (x - left * view.scale, y - top * view.scale);
        view.water = view.centre.1 + view.water * view.scale;
        view
    }

    /// The pixel and depth at which a point of the fluke is seen.
    pub(super) fn project(&self, u: f32, v: f32) -> Seen {
        let [x, y, z] = self.pose.place(u, v);
        let nearness = 1.0 / (self.pose.distance - z).max(0.5);
        let zoom = self.scale * self.pose.distance * nearness;
        Seen {
            x: self.centre.0 + x * zoom,
            y: self.centre.1 - y * zoom,
            nearness,
        }
    }

    /// Left, top, right and bottom of what is above the water.
    fn extent(&self, outline: &Outline) -> (f32, f32, f32, f32) {
        let mut extent = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
        for step in -48..=48_i16 {
            let u = f32::from(step) / 48.0;
            for v in [outline.trailing(u), outline.leading(u).max(-0.6)] {
                let Seen { x, y, .. } = self.project(u, v);
                if y < self.water {
                    extent = (
                        extent.0.min(x),
                        extent.1.min(y),
                        extent.2.max(x),
                        extent.3.max(y),
                    );
                }
            }
        }
        (extent.0, extent.1, extent.2, extent.3.max(self.water))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_keeps_lengths_and_handedness() {
        let [a, b, c] = rotation(0.4, -0.7, 0.2);
        for (row, other) in [(a, b), (b, c), (c, a)] {
            assert!((dot(row, row) - 1.0).abs() < 1e-6);
            assert!(dot(row, other).abs() < 1e-6);
        }
        let cross = [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ];
        assert!(
            (dot(cross, c) - 1.0).abs() < 1e-6,
            "a mirrored whale is another whale"
        );
    }
}
