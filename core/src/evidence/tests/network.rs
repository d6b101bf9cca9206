//! The networks: check values of the spec, published names, what is refused.

use super::super::patch::{AREA, normalise};
use super::super::shape::{is_too_long, product, upright_shape};
use super::super::{AffNet, DESCRIPTOR, HardNet, HardTFeat, OriNet, orientation};
use super::{AFFNET, affnet, answers, assert_near, hardtfeat, orinet, patches};
use crate::bundle::weights::{self, Stored};
use crate::model::named;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::Dtype;

/// What a network says of the normalised patches.
fn said<const N: usize>(
    network: impl Fn(Tensor<4>) -> Tensor<2>,
    patches: [Vec<f32>; N],
) -> Vec<f32> {
    let mut values = patches.concat();
    values.chunks_exact_mut(AREA).for_each(normalise);
    let data = TensorData::new(values, [N, 1, 32, 32]);
    let output = network(Tensor::from_data(data, &Device::flex()));
    output.into_data().try_into_vec().unwrap()
}

/// Trainable values of the published network.
fn parameters<M: Module>(module: &M) -> usize {
    let tensors = named::read(module).unwrap().into_iter();
    let ours_alone = ["running_mean", "running_var", "gamma", "beta"];
    tensors
        .filter(|(name, _)| !ours_alone.iter().any(|end| name.ends_with(end)))
        .map(|(_, values)| values.values.len())
        .sum()
}

#[test]
fn networks_have_the_published_sizes() {
    let device = Device::flex();
    assert_eq!(parameters(&AffNet::init(&device)), 83_859);
    assert_eq!(parameters(&OriNet::init(&device)), 79_762);
    assert_eq!(parameters(&HardTFeat::init(&device)), 599_808);
    assert_eq!(parameters(&HardNet::init(&device)), 1_334_560);
    let buffers = named::read(&HardNet::init(&device)).unwrap().into_iter();
    let buffers = buffers.filter(|(name, _)| name.contains("running_"));
    assert_eq!(
        buffers
            .map(|(_, values)| values.values.len())
            .sum::<usize>(),
        1_152
    );
}

#[test]
fn affnet_sees_the_shapes_of_the_spec() {
    let t = said(|x| affnet().forward(x), patches());
    let expected = [
        0.393_845, 0.588_820, -0.406_102, 0.240_995, -0.193_221, 0.375_588,
    ];
    assert_near("t", &t, &expected, 2e-5);
    let shapes: Vec<f32> = t
        .chunks(3)
        .flat_map(|t| upright_shape([t[0], t[1], t[2]]))
        .collect();
    let expected = [
        1.531_974, 0.0, 0.647_172, 0.652_753, 0.949_819, 0.0, -0.147_885, 1.052_833,
    ];
    assert_near("A", &shapes, &expected, 5e-5);
}

#[test]
fn orinet_sees_the_angles_of_the_spec() {
    let o = said(|x| orinet().forward(x), patches());
    assert_near(
        "o",
        &o,
        &[-0.056_416, 0.206_807, -0.270_147, 0.021_823],
        2e-5,
    );
    let angles: Vec<f32> = o
        .chunks(2)
        .map(|o| orientation::angle([o[0], o[1]]))
        .collect();
    assert_near("angle", &angles, &[-0.266_314, -1.490_19], 1e-4);
}

#[test]
fn hardtfeat_describes_as_in_the_spec() {
    let found = said(|x| hardtfeat().forward(x), patches());
    let (pa, pb) = found.split_at(DESCRIPTOR);
    // The stored weights have 16 bits, which moves PyTorch's own answer by up to 1e-4.
    let expected = [
        -0.086_692, -0.090_641, -0.028_351, -0.125_420, 0.045_401, 0.060_501, 0.105_679, 0.066_526,
    ];
    assert_near("PA", &pa[..8], &expected, 3e-4);
    let expected = [
        0.023_465, -0.117_854, -0.043_965, -0.126_113, 0.005_165, -0.062_089, -0.025_810, 0.098_034,
    ];
    assert_near("PB", &pb[..8], &expected, 3e-4);
    assert_near("PA to PB", &[distance(pa, pb)], &[0.7457], 3e-4);
}

#[test]
fn hardtfeat_does_not_see_light() {
    let [pa, _] = patches();
    let lit = pa.iter().map(|value| 0.5 * value + 30.0).collect();
    let found = said(|x| hardtfeat().forward(x), [pa, lit]);
    let (a, b) = found.split_at(DESCRIPTOR);
    assert!(distance(a, b) < 1e-6, "{}", distance(a, b));
}

#[test]
fn hardnet_of_published_names_describes_as_pytorch() {
    let network = HardNet::load("made", &made_hardnet(), &Device::flex()).unwrap();
    let found = said(|x| network.forward(x), patches());
    assert_near("HardNet", &found, &answers()["hardnet"].values, 1e-4);
}

#[test]
fn a_network_of_our_own_names_comes_back() {
    let device = Device::flex();
    let before = HardNet::init(&device);
    let file = weights::encode(&named::read(&before).unwrap()).unwrap();
    let after = HardNet::load("ours", &file, &device).unwrap();
    // A fresh norm in evaluation only divides by √(1 + 1e-5). Weights come back in 8 bits.
    let a = said(|x| before.clone().fold().forward(x), patches());
    let b = said(|x| after.forward(x), patches());
    assert!(distance(&a, &b) < 0.1, "{}", distance(&a, &b));
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let device = Device::flex();
    let message = |error: crate::Error| error.to_string();
    let found = message(OriNet::load("a.safetensors", AFFNET, &device).unwrap_err());
    assert_eq!(
        found,
        "a.safetensors: tensor `features.19.weight`: has shape [3, 64, 8, 8], the network wants [2, 64, 8, 8]"
    );
    let found = message(HardTFeat::load("a.safetensors", AFFNET, &device).unwrap_err());
    assert!(
        found.starts_with("a.safetensors: tensor `features.0.weight`: has shape"),
        "{found}"
    );
    let nothing = weights::serialize("nothing", &BTreeMap::new()).unwrap();
    let found = message(AffNet::load("b.safetensors", &nothing, &device).unwrap_err());
    assert_eq!(
        found,
        "b.safetensors: tensor `features.0.weight`: is missing"
    );
    let found = message(AffNet::load("c.pth", b"PK\x03\x04", &device).unwrap_err());
    assert!(
        found.starts_with("c.pth: is no safetensors file"),
        "{found}"
    );
}

#[test]
fn shapes_are_upright_of_determinant_one_and_refused_when_long() {
    for t in [[0.0; 3], [0.4, 0.6, -0.4], [-0.9, 0.3, 0.8]] {
        let [a, b, c, d] = upright_shape(t);
        assert!(b == 0.0 && (a * d - b * c - 1.0).abs() < 1e-5, "{t:?}");
    }
    // Eigenvalues of diag(a, 1 / a): their ratio is a².
    assert!(!is_too_long([2.4, 0.0, 1.0, 1.0 / 2.4]));
    assert!(is_too_long([2.5, 0.0, 0.0, 1.0 / 2.5]) && is_too_long([1.0 / 2.5, 0.0, 0.0, 2.5]));
    assert!(is_too_long([f32::NAN, 0.0, 0.0, 1.0]));
    let quarter = orientation::turn(core::f32::consts::FRAC_PI_2);
    assert_near(
        "turned",
        &product([2.0, 0.0, 0.0, 3.0], quarter),
        &[0.0, 2.0, -3.0, 0.0],
        1e-6,
    );
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
    libm::sqrtf(squares.sum())
}

/// The file of features.py's HardNet, with a counter that nothing needs.
fn made_hardnet() -> Vec<u8> {
    let channels = [1, 32, 32, 64, 64, 128, 128];
    let mut tensors = BTreeMap::new();
    for place in 0..7 {
        let (input, output) = (channels[place], *channels.get(place + 1).unwrap_or(&128));
        let (at, side) = if place < 6 { (3 * place, 3) } else { (19, 8) };
        let scale = libm::sqrtf(6.0 / (input * side * side) as f32);
        let mut add = |name: String, shape: Vec<usize>, scale: f32, shift: f32| {
            let values = uniform(&name, shape.iter().product());
            let values: Vec<f32> = values.iter().map(|value| shift + value * scale).collect();
            tensors.insert(name, Stored::f32(shape, &values));
        };
        add(
            format!("features.{at}.weight"),
            vec![output, input, side, side],
            scale,
            0.0,
        );
        add(
            format!("features.{}.running_mean", at + 1),
            vec![output],
            0.1,
            0.0,
        );
        add(
            format!("features.{}.running_var", at + 1),
            vec![output],
            0.3,
            1.0,
        );
    }
    let counter = Stored {
        dtype: Dtype::I64,
        shape: vec![1],
        bytes: vec![0; 8],
    };
    tensors.insert("features.1.num_batches_tracked".to_string(), counter);
    weights::serialize("made", &tensors).unwrap()
}

/// features.py's `uniform`.
fn uniform(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0x811C_9DC5_u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let value = |i: u32| {
        let mut x = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9));
        for (shift, factor) in [(16, 0x7FEB_352D), (15, 0x846C_A68B)] {
            x = (x ^ (x >> shift)).wrapping_mul(factor);
        }
        x ^= x >> 16;
        (f64::from(x) / f64::from(1u32 << 31) - 1.0) as f32
    };
    (0..count as u32).map(value).collect()
}
