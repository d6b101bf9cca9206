//! Networks: sizes, folding, and tensors by name.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use flukeprint_core::model::{EmbedderConfig, FinderConfig, Network, named};

fn config(backbone: BackboneName) -> EmbedderConfig {
    EmbedderConfig {
        backbone,
        stripes: 4,
        head_width: 8,
        gem_p: 3.74,
    }
}

/// A network whose batch norms have statistics of their own, as after training.
fn trained<M: Module>(module: M) -> M {
    let mut tensors = named::read(&module).unwrap();
    for (name, values) in &mut tensors {
        let shift = if name.ends_with("running_var") || name.ends_with("gamma") {
            0.6
        } else {
            0.05
        };
        for (i, value) in values.values.iter_mut().enumerate() {
            *value += shift * (1.0 + (i as f32 * 0.37).sin());
        }
    }
    named::write(module, tensors, "made up").unwrap()
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

fn assert_near(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() <= 1e-4 * size, "{a} {b}");
    }
}

#[test]
fn maps_have_the_stated_channels_and_stride_for_any_size() {
    let device = Device::flex();
    for name in BackboneName::ALL {
        let backbone = Backbone::new(name, &device);
        for (height, width) in [(64usize, 128usize), (70, 50)] {
            let map = backbone
                .forward(Tensor::zeros([2, 3, height, width], &device))
                .dims();
            let stride = name.stride();
            assert_eq!(
                map,
                [
                    2,
                    name.channels(),
                    height.div_ceil(stride),
                    width.div_ceil(stride)
                ],
                "{name:?}"
            );
        }
    }
}

#[test]
fn mobilenet_v2_has_the_references_parameters() {
    // torchvision's features have 2,223,872; GluonCV's explicit first expansion adds a convolution
    // of 32 x 32 and a batch norm of 32.
    let backbone = Backbone::new(BackboneName::MobileNetV2, &Device::flex());
    let trainable: usize = named::read(&backbone)
        .unwrap()
        .iter()
        .filter(|(name, _)| !name.contains("running_"))
        .map(|(_, values)| values.values.len())
        .sum();
    assert_eq!(trainable, 2_223_872 + 32 * 32 + 2 * 32);
}

#[test]
fn folding_batch_norms_changes_nothing() {
    let device = Device::flex();
    device.seed(1);
    let input = Tensor::<4>::random([2, 3, 64, 128], Distribution::Normal(0.0, 1.0), &device);
    for name in BackboneName::ALL {
        let network = trained(Network::new(&config(name), 5, &device));
        let (features, logits) = network.forward(input.clone());
        let (folded_features, folded_logits) = network.fold().forward(input.clone());
        assert_near(&values(features), &values(folded_features));
        assert_near(&values(logits), &values(folded_logits));
    }
}

#[test]
fn tensors_read_by_name_can_be_written_back() {
    let device = Device::flex();
    let network = trained(Network::new(&config(BackboneName::Compact), 5, &device));
    let tensors = named::read(&network).unwrap();
    let fresh = Network::new(&config(BackboneName::Compact), 5, &device);
    let copy = named::write(fresh, tensors.clone(), "copy").unwrap();
    assert_eq!(named::read(&copy).unwrap(), tensors);
}

#[test]
fn missing_extra_and_misshapen_tensors_are_named() {
    let device = Device::flex();
    let network = || Network::new(&config(BackboneName::Compact), 5, &device);
    let tensors = named::read(&network()).unwrap();
    let message = |tensors| {
        named::write(network(), tensors, "w.safetensors")
            .unwrap_err()
            .to_string()
    };

    let mut missing = tensors.clone();
    missing.remove("total.weight").unwrap();
    assert!(message(missing).contains("w.safetensors: tensor `total.weight`: is missing"));
    let mut extra = tensors.clone();
    extra.insert("nonsense".to_owned(), tensors["total.bias"].clone());
    assert!(message(extra).contains("`nonsense`"));
    let mut misshapen = tensors.clone();
    misshapen.insert("total.weight".to_owned(), tensors["total.bias"].clone());
    assert!(message(misshapen).contains("has shape [5]"));
}

#[test]
fn too_small_an_input_is_refused() {
    let config = config(BackboneName::MobileNetV2);
    assert!(config.check(128, 256).is_ok());
    assert!(
        config
            .check(128, 90)
            .unwrap_err()
            .to_string()
            .contains("128 x 90")
    );
    assert!(config.check(16, 256).is_err());
}

#[test]
fn the_finders_outputs_are_shares_of_the_photo() {
    let config = FinderConfig::default();
    let region = config.region(&[0.1, 0.25, 0.6, 0.75], 1000, 400).unwrap();
    assert_eq!(
        (region.x0, region.y0, region.x1, region.y1),
        (100.0, 100.0, 600.0, 300.0)
    );
    assert_eq!(config.region(&[0.6, 0.25, 0.1, 0.75], 1000, 400), None);
    let device = Device::flex();
    let outputs = config
        .init(&device)
        .forward(Tensor::zeros([3, 1, config.side, config.side], &device));
    assert_eq!(outputs.dims(), [3, 4]);
}
