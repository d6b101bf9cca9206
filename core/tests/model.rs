//! Networks: sizes, folding, and tensors by name.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::backbone::{Backbone, BackboneName, NARROWINGS, check_narrow};
use flukeprint_core::model::{EmbedderConfig, FinderConfig, Network, named};
use flukeprint_core::photo::Region;

fn config(backbone: BackboneName) -> EmbedderConfig {
    EmbedderConfig::new(backbone, 4, 8)
}

/// A network whose batch norms have statistics of their own, as after training.
fn trained<M: Module>(module: M) -> M {
    let mut tensors = named::read(&module).unwrap();
    for (name, values) in &mut tensors {
        if values.shape.len() > 1 {
            continue; // deep networks overflow where all weights of a layer are raised
        }
        let shift = match name.rsplit('.').next() {
            Some("running_var") => 0.6,
            Some("gamma") => -0.3,
            _ => 0.05,
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

fn assert_near(what: &str, a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let size = a.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    for (a, b) in a.iter().zip(b) {
        assert!(
            (a - b).abs() <= 1e-4 * size,
            "{what}: {a} and {b} of {size}"
        );
    }
}

#[test]
fn maps_have_the_stated_size_for_any_input() {
    let device = Device::flex();
    for &name in BackboneName::ALL {
        let (backbone, facts) = (Backbone::new(name, &device), name.facts());
        for size in [[64, 128], [70, 50], [facts.stride, facts.stride]] {
            let [height, width] = size;
            let map = backbone
                .forward(Tensor::zeros([1, 3, height, width], &device))
                .dims();
            let [rows, columns] = size.map(facts.map_side);
            assert_eq!(map, [1, facts.channels, rows, columns], "{name:?} {size:?}");
            assert!(rows > 0 && columns > 0, "{name:?} {size:?}");
        }
    }
}

#[test]
fn every_narrowing_gives_a_network_of_the_stated_width() {
    let device = Device::flex();
    for &name in BackboneName::ALL {
        let full = name.facts().channels;
        for narrow in NARROWINGS {
            assert_eq!(name.channels(narrow) * narrow, full, "{name:?} {narrow}");
            if narrow == 1 {
                continue; // another test's
            }
            let backbone = Backbone::narrowed(name, narrow, &device);
            let map = backbone.forward(Tensor::zeros([1, 3, 64, 64], &device));
            assert_eq!(map.dims()[1], name.channels(narrow), "{name:?} {narrow}");
        }
    }
}

#[test]
fn only_whole_narrowings_are_taken() {
    assert!(NARROWINGS.into_iter().all(|n| check_narrow(n).is_ok()));
    for narrow in [0, 3, 16] {
        let message = check_narrow(narrow).unwrap_err().to_string();
        assert!(message.contains(&format!("narrow = {narrow}")), "{message}");
    }
}

#[test]
fn backbones_have_the_references_parameters() {
    // torchvision's, timm's and Cadene's trunks without classifier, trainable parameters. GluonCV's
    // MobileNetV2 has a convolution of 32 x 32 and a batch norm of 32 more than torchvision's.
    for (name, count) in [
        (BackboneName::ResNet50, 23_508_032),
        (BackboneName::ResNet152, 58_143_808),
        (BackboneName::SeResNeXt50, 25_510_896),
        (BackboneName::SeResNeXt50Cadene, 25_510_896),
        (BackboneName::Vgg16Bn, 14_723_136),
        (BackboneName::DenseNet121, 6_953_856),
        (BackboneName::InceptionV4, 41_142_816),
        (BackboneName::MobileNetV2, 2_223_872),
        (BackboneName::MobileNetV2Gluon, 2_223_872 + 32 * 32 + 2 * 32),
    ] {
        let backbone = Backbone::new(name, &Device::flex());
        assert_eq!(backbone.parameters(), count as u64, "{name:?}");
        let trainable: usize = named::read(&backbone)
            .unwrap()
            .iter()
            .filter(|(name, _)| !name.contains("running_"))
            .map(|(_, values)| values.values.len())
            .sum();
        assert_eq!(trainable, count, "{name:?}");
    }
}

#[test]
fn multiply_adds_are_those_that_pytorch_counts() {
    // torch.utils.flop_counter on the trunks of torchvision and timm, two operations each.
    for (name, side, count) in [
        (BackboneName::ResNet50, 384, 12_011_175_936),
        (BackboneName::ResNet50, 224, 4_087_136_256),
        (BackboneName::ResNet152, 384, 33_829_945_344),
        (BackboneName::ResNet152, 224, 11_511_578_624),
        (BackboneName::SeResNeXt50, 384, 12_428_926_976),
        (BackboneName::SeResNeXt50, 224, 4_230_946_816),
        (BackboneName::SeResNeXt50Cadene, 384, 12_428_926_976),
        (BackboneName::SeResNeXt50Cadene, 224, 4_230_946_816),
        (BackboneName::Vgg16Bn, 384, 45_100_302_336),
        (BackboneName::Vgg16Bn, 224, 15_346_630_656),
        (BackboneName::DenseNet121, 384, 8_325_955_584),
        (BackboneName::DenseNet121, 224, 2_833_137_664),
        (BackboneName::InceptionV4, 384, 20_335_040_352),
        (BackboneName::InceptionV4, 299, 12_252_438_624),
        (BackboneName::MobileNetV2, 384, 880_146_432),
        (BackboneName::MobileNetV2, 224, 299_494_272),
    ] {
        let backbone = Backbone::new(name, &Device::flex());
        let ours = backbone.multiply_adds(side, side);
        assert_eq!(ours, count, "{name:?} at {side}");
    }
}

#[test]
fn multiply_adds_of_vgg_counted_by_hand() {
    // Channels in and out and side of the map, for an input of 224 x 224.
    let layers: [[u64; 3]; 13] = [
        [3, 64, 224],
        [64, 64, 224],
        [64, 128, 112],
        [128, 128, 112],
        [128, 256, 56],
        [256, 256, 56],
        [256, 256, 56],
        [256, 512, 28],
        [512, 512, 28],
        [512, 512, 28],
        [512, 512, 14],
        [512, 512, 14],
        [512, 512, 14],
    ];
    for narrow in NARROWINGS {
        let width = |channels: u64| match channels {
            3 => 3,
            _ => channels / narrow as u64,
        };
        let (mut multiply_adds, mut parameters) = (0, 0);
        for [input, output, side] in layers {
            let weights = width(input) * width(output) * 9;
            multiply_adds += weights * side * side;
            parameters += weights + 3 * width(output); // bias, gamma, beta
        }
        let backbone = Backbone::narrowed(BackboneName::Vgg16Bn, narrow, &Device::flex());
        assert_eq!(backbone.multiply_adds(224, 224), multiply_adds, "{narrow}");
        assert_eq!(backbone.parameters(), parameters, "{narrow}");
    }
}

#[test]
fn folding_batch_norms_changes_nothing() {
    let device = Device::flex();
    device.seed(1);
    for &name in BackboneName::ALL {
        // The narrowest input whose map has a column for every stripe.
        let mut widths = [128, 160, 192].into_iter();
        let width = widths.find(|&width| config(name).check(64, width).is_ok());
        let shape = [2, 3, 64, width.unwrap()];
        let input = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let network = trained(Network::new(&config(name), 5, &device));
        let (features, logits) = network.forward(input.clone());
        let (folded_features, folded_logits) = network.fold().forward(input.clone());
        assert_near(name.name(), &values(features), &values(folded_features));
        assert_near(name.name(), &values(logits), &values(folded_logits));
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
fn a_small_fluke_is_looked_at_closer_until_it_is_large() {
    let config = FinderConfig::default();
    let size = (1000, 800);
    let whole = Region::whole(size.0, size.1);
    // A fifth of the width; with 0.2 of 200 and of 100 on each side.
    let found = config.region(&[0.4, 0.5, 0.6, 0.625], whole).unwrap();
    let seen = FinderConfig::closer(found, whole, size).unwrap();
    let expected = Region {
        x0: 360.0,
        y0: 380.0,
        x1: 640.0,
        y1: 520.0,
    };
    assert_eq!(seen, expected);
    // The same fluke there takes 200 of 280 pixels: it is large. Its outputs are shares of what was seen.
    let again = config.region(&[0.25, 0.25, 0.75, 0.75], seen).unwrap();
    assert_eq!(
        (again.x0, again.y0, again.x1, again.y1),
        (430.0, 415.0, 570.0, 485.0)
    );
    assert_eq!(FinderConfig::closer(found, seen, size), None);
    // At the border there is nothing around it.
    let corner = config.region(&[0.0, 0.0, 0.25, 0.25], whole).unwrap();
    let seen = FinderConfig::closer(corner, whole, size).unwrap();
    assert_eq!(
        (seen.x0, seen.y0, seen.x1, seen.y1),
        (0.0, 0.0, 300.0, 240.0)
    );
}

#[test]
fn the_finders_outputs_are_shares_of_the_photo() {
    let config = FinderConfig::default();
    let whole = Region::whole(1000, 400);
    let region = config.region(&[0.1, 0.25, 0.6, 0.75], whole).unwrap();
    assert_eq!(
        (region.x0, region.y0, region.x1, region.y1),
        (100.0, 100.0, 600.0, 300.0)
    );
    assert_eq!(config.region(&[0.6, 0.25, 0.1, 0.75], whole), None);
    let device = Device::flex();
    let outputs = config
        .init(&device)
        .forward(Tensor::zeros([3, 1, config.side, config.side], &device));
    assert_eq!(outputs.dims(), [3, 4]);
}
