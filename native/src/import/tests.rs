//! Maps against the reference implementations, and checkpoints that do not fit.

use super::layers::namings;
use super::{Fit, hardnet, import, start_backbone, tensors_of, with_tensors};
use crate::train::{load_weights, save_weights};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::evidence::HardNet;
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use flukeprint_core::model::named::{Named, Values};
use std::path::{Path, PathBuf};

/// The formula of `tests/fixtures/backbones.py`: FNV-1a of the name, then a mixing of name and index,
/// to −1…1.
fn uniform(name: &str, count: usize) -> Vec<f32> {
    let seed = name.bytes().fold(0x811C_9DC5_u32, |seed, byte| {
        (seed ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let value = |index: usize| {
        let mut x = seed.wrapping_add((index as u32).wrapping_mul(0x9E37_79B9));
        x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D);
        x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
        x ^= x >> 16;
        (f64::from(x) / 2_147_483_648.0 - 1.0) as f32
    };
    (0..count).map(value).collect()
}

/// What the script gives a tensor of that name and shape.
fn made(name: &str, shape: &[usize]) -> Values {
    let mut values = uniform(name, shape.iter().product());
    if shape.len() == 4 {
        let fan_in: usize = shape[1..].iter().product();
        let scale = (6.0 / fan_in as f64).sqrt() as f32;
        values.iter_mut().for_each(|v| *v *= scale);
    } else if name.ends_with("running_var") {
        values.iter_mut().for_each(|v| *v = 1.0 + *v * 0.3);
    } else if name.ends_with("weight") {
        values.iter_mut().for_each(|v| *v = 1.0 + *v * 0.1);
    } else {
        values.iter_mut().for_each(|v| *v *= 0.1);
    }
    let shape = shape.to_vec();
    Values { shape, values }
}

/// A checkpoint by the formula, under the names of the naming with that number.
fn checkpoint(name: BackboneName, naming: usize) -> Named {
    let ours = tensors_of(&Backbone::new(name, &Device::flex())).unwrap();
    let renaming = namings(name)[naming].tensors();
    renaming
        .iter()
        .filter_map(|(theirs, our)| Some((theirs.clone(), made(theirs, &ours.get(our)?.shape))))
        .collect()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

#[test]
fn maps_are_those_of_the_reference_implementations() {
    let device = Device::flex();
    let references = load_weights(&fixture("backbones.safetensors")).unwrap();
    let mut compared = 0;
    for (title, reference) in &references {
        let (model, size) = title.split_once(' ').unwrap();
        let (height, width) = size.split_once('x').unwrap();
        let (height, width): (usize, usize) = (height.parse().unwrap(), width.parse().unwrap());
        let (arch, naming) = match model {
            "mobilenet-v2-timm" => ("mobilenet-v2", 1),
            "se-resnext50-cadene" => (model, 1),
            _ => (model, 0),
        };
        let name = *BackboneName::ALL.iter().find(|n| n.name() == arch).unwrap();

        let backbone = Backbone::new(name, &device);
        let ours = tensors_of(&backbone).unwrap();
        let renaming = namings(name)[naming].tensors();
        let fit = Fit::new(&ours, &renaming, checkpoint(name, naming));
        assert!(fit.misfits.is_empty(), "{title}: {}", fit.summary());
        let backbone = with_tensors(name, backbone, fit.tensors, "made").unwrap();
        let input = TensorData::new(uniform("input", 3 * height * width), [1, 3, height, width]);
        let input = Tensor::from_data(input, &device);
        for backbone in [backbone.clone(), backbone.fold()] {
            let map = backbone.forward(input.clone());
            assert_eq!(map.dims().to_vec(), reference.shape, "{title}");
            let map: Vec<f32> = map.into_data().try_into_vec().unwrap();
            let error = relative_error(&map, &reference.values);
            assert!(error <= 1e-4, "{title}: relative error {error:e}");
            println!("{title}: relative error {error:.1e}");
        }
        compared += 1;
    }
    assert_eq!(compared, 18);
}

/// ‖a − b‖ / ‖b‖.
fn relative_error(a: &[f32], b: &[f32]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let gap = norm(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b)));
    gap / norm(&mut b.iter().map(|&b| f64::from(b)))
}

/// A checkpoint in a temporary folder.
fn saved(tensors: &Named) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    save_weights(tensors, &path).unwrap();
    (folder, path)
}

const DENSENET: BackboneName = BackboneName::DenseNet121;

#[test]
fn wrappers_older_names_classifiers_and_counters_are_understood() {
    let mut wrapped = Named::new();
    for (name, values) in checkpoint(DENSENET, 0) {
        let name = name
            .replace(".norm1.", ".norm.1.")
            .replace(".conv2.", ".conv.2.");
        wrapped.insert(format!("state_dict.module.{name}"), values);
    }
    let one = |shape: Vec<usize>| made("any", &shape);
    wrapped.insert(
        "state_dict.module.classifier.weight".into(),
        one(vec![10, 1024]),
    );
    wrapped.insert(
        "state_dict.module.features.norm0.num_batches_tracked".into(),
        one(vec![1]),
    );
    wrapped.insert("optimizer.state.0".into(), one(vec![3]));
    let (_folder, path) = saved(&wrapped);
    let imported = import(DENSENET, &path, false).unwrap();
    let (_folder, path) = saved(&checkpoint(DENSENET, 0));
    let plain = import(DENSENET, &path, false).unwrap();
    assert!(imported.tensors == plain.tensors);
    let stem = made("features.conv0.weight", &[64, 3, 7, 7]);
    assert!(imported.tensors["stem.conv.weight"] == stem);
}

#[test]
fn missing_unknown_and_misshapen_tensors_are_named() {
    let mut tensors = checkpoint(DENSENET, 0);
    tensors.remove("features.norm5.bias");
    tensors.insert("features.norm6.bias".into(), made("x", &[4]));
    tensors.insert("features.norm5.weight".into(), made("x", &[4]));
    let (_folder, path) = saved(&tensors);
    let message = import(DENSENET, &path, false).unwrap_err().to_string();
    for part in [
        "checkpoint.safetensors",
        "`features.norm5.bias` is missing",
        "`features.norm6.bias` is unknown",
        "`features.norm5.weight` is [4] and not [1024]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    let lenient = import(DENSENET, &path, true).unwrap();
    assert_eq!(lenient.misfits.len(), 3);
    assert_eq!(lenient.tensors.len(), import_all(DENSENET).len());
}

fn import_all(name: BackboneName) -> Named {
    tensors_of(&Backbone::new(name, &Device::flex())).unwrap()
}

#[test]
fn another_architecture_is_recognised() {
    let (_folder, path) = saved(&checkpoint(DENSENET, 0));
    let message = import(BackboneName::ResNet50, &path, false)
        .unwrap_err()
        .to_string();
    assert!(message.contains("is no resnet50"), "{message}");
    assert!(message.contains("looks like densenet121"), "{message}");
    assert!(!message.contains('\n'));
}

#[test]
fn training_starts_from_a_checkpoint_or_from_what_import_wrote() {
    let (_folder, path) = saved(&checkpoint(DENSENET, 0));
    let fresh = || Backbone::new(DENSENET, &Device::flex());
    let first = start_backbone(DENSENET, fresh(), &path).unwrap();
    let (_folder, path) = saved(&import(DENSENET, &path, false).unwrap().tensors);
    let second = start_backbone(DENSENET, fresh(), &path).unwrap();
    assert!(tensors_of(&first).unwrap() == tensors_of(&second).unwrap());
}

#[test]
fn a_pth_is_read_as_data() {
    // Written by tests/fixtures/checkpoints.py.
    let message = |name: &str| {
        import(BackboneName::MobileNetV2, &fixture(name), false)
            .unwrap_err()
            .to_string()
    };
    let small = message("small.pth");
    assert!(
        small.contains("`features.0.0.weight` is [2, 3, 1, 1] and not [32, 3, 3, 3]"),
        "{small}"
    );
    let hostile = message("hostile.pth");
    assert!(
        hostile.contains("hostile.pth: holds no weights"),
        "{hostile}"
    );
    assert!(!Path::new("/tmp/flukeprint-was-here").exists());
    let truncated = tempfile::Builder::new().suffix(".pth").tempfile().unwrap();
    let whole = std::fs::read(fixture("small.pth")).unwrap();
    std::fs::write(truncated.path(), &whole[..whole.len() / 2]).unwrap();
    let error = import(BackboneName::MobileNetV2, truncated.path(), false).unwrap_err();
    assert!(
        error.to_string().contains("is no PyTorch checkpoint"),
        "{error}"
    );
}

/// What checkpoints.py gives a tensor of HardNet.
fn stand_in(name: &str, shape: &[usize]) -> Vec<f32> {
    let strides = &[7, 5, 3, 1][4 - shape.len()..];
    let last: usize = shape
        .iter()
        .zip(strides)
        .map(|(side, stride)| (side - 1) * stride)
        .sum();
    let mut values = uniform(name, last + 1);
    if name.ends_with("running_var") {
        values
            .iter_mut()
            .for_each(|value| *value = 1.0 + *value * 0.25);
    }
    let at = |mut index: usize| {
        let mut place = 0;
        for (side, stride) in shape.iter().zip(strides).rev() {
            place += index % side * stride;
            index /= side;
        }
        values[place]
    };
    (0..shape.iter().product()).map(at).collect()
}

#[test]
fn hardnet_is_read_as_torch_writes_it_now_and_as_it_was_published() {
    for file in ["hardnet.pth", "hardnet-legacy.pth"] {
        let tensors = hardnet(&fixture(file)).unwrap();
        let count: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
        assert_eq!((tensors.len(), count), (21, 1_334_560 + 1_152), "{file}");
        for (name, found) in &tensors {
            assert!(
                found.values == stand_in(name, &found.shape),
                "{file} {name}"
            );
        }
        // What import writes is what the core loads.
        let (_folder, path) = saved(&tensors);
        let bytes = std::fs::read(path).unwrap();
        HardNet::load(file, &bytes, &Device::flex()).unwrap();
    }
}

#[test]
fn what_is_no_hardnet_is_refused_by_the_tensor() {
    let whole = hardnet(&fixture("hardnet.pth")).unwrap();
    let refusal = |tensors: &Named| {
        let (_folder, path) = saved(tensors);
        let message = hardnet(&path).unwrap_err().to_string();
        assert!(
            message.contains("checkpoint.safetensors") && !message.contains('\n'),
            "{message}"
        );
        message
    };
    let mut lacks = whole.clone();
    lacks.remove("features.20.running_var");
    assert!(refusal(&lacks).contains("`features.20.running_var`: is missing"));
    let mut other = whole.clone();
    other.insert("features.6.weight".to_owned(), made("x", &[64, 32, 5, 5]));
    let said = refusal(&other);
    assert!(
        said.contains("`features.6.weight`: has shape [64, 32, 5, 5]"),
        "{said}"
    );
    // A norm with a scale is another network.
    let mut scaled = whole;
    scaled.insert("features.1.weight".to_owned(), made("x", &[32]));
    assert!(refusal(&scaled).contains("`features.1.weight`"));
    let message = hardnet(&fixture("small.pth")).unwrap_err().to_string();
    assert!(
        message.contains("is no HardNet") && message.contains("features.0.0.weight"),
        "{message}"
    );
    let rubbish = tempfile::Builder::new().suffix(".pth").tempfile().unwrap();
    std::fs::write(rubbish.path(), b"not found\n").unwrap();
    let message = hardnet(rubbish.path()).unwrap_err().to_string();
    assert!(
        message.contains("is no PyTorch checkpoint") && !message.contains('\n'),
        "{message}"
    );
}
