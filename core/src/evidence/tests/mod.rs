//! The front half against what was computed elsewhere, and what a user relies on.

#![allow(clippy::unwrap_used, clippy::panic)]

mod law;
mod network;
mod reference;

use super::patch::AREA;
use super::{AffNet, GrayImage, HardTFeat, OriNet};
use crate::bundle::weights;
use crate::model::named::Named;
use alloc::vec::Vec;
use burn::tensor::Device;

const AFFNET: &[u8] = include_bytes!("../../../tests/fixtures/affnet.safetensors");
const ORINET: &[u8] = include_bytes!("../../../tests/fixtures/orinet.safetensors");
const HARDTFEAT: &[u8] = include_bytes!("../../../tests/fixtures/hardtfeat.safetensors");

fn affnet() -> AffNet {
    AffNet::load("affnet", AFFNET, &Device::flex()).unwrap()
}

fn orinet() -> OriNet {
    OriNet::load("orinet", ORINET, &Device::flex()).unwrap()
}

fn hardtfeat() -> HardTFeat {
    HardTFeat::load("hardtfeat", HARDTFEAT, &Device::flex()).unwrap()
}

/// What PyTorch and numpy answered (core/tests/fixtures/features.py).
fn answers() -> Named {
    let bytes = include_bytes!("../../../tests/fixtures/features.safetensors");
    weights::decode("features.safetensors", bytes).unwrap()
}

/// The picture of features.py.
fn picture(width: usize, height: usize) -> GrayImage {
    let (sin, cos) = (libm::sin, libm::cos);
    let value = |x: f64, y: f64| {
        let fine = 30.0 * sin(0.13 * x + 0.004 * x * y) + 25.0 * cos(0.27 * y - 0.002 * x * x);
        let coarse = 60.0 * sin(x / 14.0) * cos(y / 12.0);
        128.0 + fine * sin(0.021 * x) * sin(0.013 * y + 0.4) + coarse
    };
    let places = (0..width * height).map(|i| ((i % width) as f64, (i / width) as f64));
    let values = places.map(|(x, y)| value(x, y) as f32).collect();
    GrayImage::new(width, height, values).unwrap()
}

/// PA and PB of the spec's check values.
fn patches() -> [Vec<f32>; 2] {
    let (sin, cos) = (libm::sin(0.5), libm::cos(0.5));
    let places = || (0..AREA).map(|i| ((i % 32) as f64, (i / 32) as f64));
    let pa = places().map(|(x, y)| {
        let u = (x - 15.5) * cos + (y - 15.5) * sin;
        let v = -(x - 15.5) * sin + (y - 15.5) * cos;
        200.0 * libm::exp(-(u * u / 128.0 + v * v / 18.0)) + 0.5 * x
    });
    let pb = places().map(|(x, y)| {
        128.0 + 60.0 * libm::sin(0.35 * x + 0.1 * y) + 40.0 * libm::cos(0.05 * x - 0.3 * y)
    });
    [
        pa.map(|value| value as f32).collect(),
        pb.map(|value| value as f32).collect(),
    ]
}

fn assert_near(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{what}: {a}, expected {b}");
    }
}
