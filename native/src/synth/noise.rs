//! Value noise on a hashed lattice, and the blending functions that go with it.
//!
//! Everything here is built of exact IEEE operations, so it gives the same bits on every machine.

/// 0 below `low`, 1 above `high`, a cubic in between.
#[inline]
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    // With constant ends the reciprocal is a constant too.
    let t = ((x - low) * (1.0 / (high - low))).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// `a` at `t = 0`, `b` at `t = 1`.
pub(super) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// [`mix`] of two colours.
pub(super) fn mix3(a: [f32; 3], b: [f32; 3], t: f32) -> [f32; 3] {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

/// A bell of height 1 and width `width` around 0.
pub(super) fn bump(x: f32, width: f32) -> f32 {
    libm::expf(-(x / width) * (x / width))
}

/// The finaliser "lowbias32" of C. Wellons' hash prospector.
pub(super) fn hash(mut bits: u32) -> u32 {
    bits ^= bits >> 16;
    bits = bits.wrapping_mul(0x7feb_352d);
    bits ^= bits >> 15;
    bits = bits.wrapping_mul(0x846c_a68b);
    bits ^ (bits >> 16)
}

/// A smooth random field over the plane, of feature size 1, with values in `0..1`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise(pub(super) u32);

impl Noise {
    /// The field at a point.
    #[inline]
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        let (ix, iy) = (floor(x), floor(y));
        let (tx, ty) = (fade(x - ix as f32), fade(y - iy as f32));
        // The corners' keys: one product for each line of the lattice.
        let left = (ix as u32).wrapping_mul(COLUMN);
        let low = (iy as u32).wrapping_mul(ROW).wrapping_add(self.0);
        let (right, high) = (left.wrapping_add(COLUMN), low.wrapping_add(ROW));
        let near = mix(height(left ^ low), height(right ^ low), tx);
        let far = mix(height(left ^ high), height(right ^ high), tx);
        mix(near, far, ty)
    }

    /// Octaves of the field, each at twice the frequency and half the height of the one before,
    /// scaled back to −1..1.
    pub(super) fn octaves(self, x: f32, y: f32, count: u32) -> f32 {
        let (mut sum, mut height, mut total, mut scale) = (0.0, 1.0, 0.0, 1.0);
        for octave in 0..count {
            let field = Noise(self.0.wrapping_add(octave.wrapping_mul(0x9e37_79b9)));
            sum += height * (2.0 * field.at(x * scale, y * scale) - 1.0);
            total += height;
            height *= 0.5;
            scale *= 2.03;
        }
        sum / total * 1.6
    }
}

/// Large odd numbers, so that neighbouring lines of the lattice get unrelated keys.
const COLUMN: u32 = 0x9e37_79b1;
const ROW: u32 = 0x85eb_ca77;

/// A random height in `0..1` for a corner of the lattice.
fn height(key: u32) -> f32 {
    // A signed conversion is one instruction, an unsigned one is not.
    (hash(key) >> 8) as i32 as f32 * (1.0 / 16_777_216.0)
}

/// `f32::floor` is a function call where the processor's baseline has no instruction for it.
fn floor(x: f32) -> i32 {
    let cut = x as i32;
    if x < cut as f32 { cut - 1 } else { cut }
}

fn fade(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}
