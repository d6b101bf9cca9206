//! Which layer of a published checkpoint is which of ours.

use flukeprint_core::model::backbone::BackboneName;
use std::collections::BTreeMap;
use std::ops::Range;

/// A way in which checkpoints name their layers.
pub(super) struct Naming {
    /// Whose it is.
    pub whose: &'static str,
    layers: Vec<Layer>,
    spelling: Spelling,
}

struct Layer {
    ours: String,
    theirs: String,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Convolution,
    Norm,
}

#[derive(Clone, Copy)]
enum Spelling {
    /// `layer.weight`.
    Torch,
    /// `layer_gamma`.
    Gluon,
}

impl Naming {
    /// Their name of each tensor and ours, for all tensors that such layers can have.
    pub(super) fn tensors(&self) -> BTreeMap<String, String> {
        let suffixes = |kind| -> &[(&str, &str)] {
            match (kind, self.spelling) {
                (Kind::Convolution, Spelling::Torch) => &[("weight", ".weight"), ("bias", ".bias")],
                (Kind::Convolution, Spelling::Gluon) => &[("weight", "_weight")],
                (Kind::Norm, Spelling::Torch) => &[
                    ("gamma", ".weight"),
                    ("beta", ".bias"),
                    ("running_mean", ".running_mean"),
                    ("running_var", ".running_var"),
                ],
                (Kind::Norm, Spelling::Gluon) => &[
                    ("gamma", "_gamma"),
                    ("beta", "_beta"),
                    ("running_mean", "_running_mean"),
                    ("running_var", "_running_var"),
                ],
            }
        };
        let names = |layer: &Layer| {
            suffixes(layer.kind)
                .iter()
                .map(|(ours, theirs)| {
                    (
                        format!("{}{theirs}", layer.theirs),
                        format!("{}.{ours}", layer.ours),
                    )
                })
                .collect::<Vec<_>>()
        };
        self.layers.iter().flat_map(names).collect()
    }
}

/// The namings that checkpoints of this backbone have; none for a backbone of our own.
pub(super) fn namings(backbone: BackboneName) -> Vec<Naming> {
    let torch = |whose, layers: Layers| Naming {
        whose,
        layers: layers.0,
        spelling: Spelling::Torch,
    };
    match backbone {
        BackboneName::Compact => Vec::new(),
        BackboneName::MobileNetV2 => vec![
            torch("torchvision", mobilenet_torchvision()),
            torch("timm", mobilenet_timm()),
        ],
        BackboneName::MobileNetV2Gluon => vec![Naming {
            whose: "GluonCV",
            layers: mobilenet_gluon().0,
            spelling: Spelling::Gluon,
        }],
        BackboneName::ResNet50 => vec![torch("torchvision and timm", resnet([3, 4, 6, 3], ""))],
        BackboneName::ResNet152 => vec![torch("torchvision and timm", resnet([3, 8, 36, 3], ""))],
        BackboneName::SeResNeXt50 | BackboneName::SeResNeXt50Cadene => {
            vec![
                torch("timm", se_resnext("", "se")),
                torch("Cadene", se_resnext("layer0.", "se_module")),
            ]
        }
        BackboneName::Vgg16Bn => vec![torch("torchvision and timm", vgg16_bn())],
        BackboneName::DenseNet121 => vec![torch("torchvision and timm", densenet121())],
        BackboneName::InceptionV4 => vec![torch("Cadene and timm", inception_v4())],
    }
}

/// A list of layers being written.
#[derive(Default)]
struct Layers(Vec<Layer>);

impl Layers {
    fn convolution(&mut self, ours: impl Into<String>, theirs: impl Into<String>) {
        self.add(ours.into(), theirs.into(), Kind::Convolution);
    }

    fn norm(&mut self, ours: impl Into<String>, theirs: impl Into<String>) {
        self.add(ours.into(), theirs.into(), Kind::Norm);
    }

    /// A convolution and its norm, which we keep as `conv` and `norm` of one layer.
    fn pair(&mut self, ours: &str, convolution: &str, norm: &str) {
        self.convolution(format!("{ours}.conv"), convolution);
        self.norm(format!("{ours}.norm"), norm);
    }

    fn add(&mut self, ours: String, theirs: String, kind: Kind) {
        self.0.push(Layer { ours, theirs, kind });
    }
}

fn resnet(depths: [usize; 4], stem: &str) -> Layers {
    let mut layers = Layers::default();
    layers.pair("stem", &format!("{stem}conv1"), &format!("{stem}bn1"));
    for (ours, theirs) in blocks(depths) {
        for (part, number) in [("reduce", 1), ("convolve", 2), ("expand", 3)] {
            layers.pair(
                &format!("{ours}.{part}"),
                &format!("{theirs}.conv{number}"),
                &format!("{theirs}.bn{number}"),
            );
        }
        layers.pair(
            &format!("{ours}.shortcut"),
            &format!("{theirs}.downsample.0"),
            &format!("{theirs}.downsample.1"),
        );
    }
    layers
}

fn se_resnext(stem: &str, squeeze: &str) -> Layers {
    let depths = [3, 4, 6, 3];
    let mut layers = resnet(depths, stem);
    for (ours, theirs) in blocks(depths) {
        for (part, number) in [("squeeze", 1), ("excite", 2)] {
            layers.convolution(
                format!("{ours}.squeeze.{part}"),
                format!("{theirs}.{squeeze}.fc{number}"),
            );
        }
    }
    layers
}

/// Our and their names of a residual network's blocks.
fn blocks(depths: [usize; 4]) -> impl Iterator<Item = (String, String)> {
    let theirs = (1..)
        .zip(depths)
        .flat_map(|(stage, depth)| (0..depth).map(move |block| format!("layer{stage}.{block}")));
    theirs
        .enumerate()
        .map(|(index, theirs)| (format!("blocks.{index}"), theirs))
}

fn vgg16_bn() -> Layers {
    let mut layers = Layers::default();
    let places = [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40];
    for (block, place) in places.into_iter().enumerate() {
        layers.pair(
            &format!("blocks.{block}"),
            &format!("features.{place}"),
            &format!("features.{}", place + 1),
        );
    }
    layers
}

fn densenet121() -> Layers {
    let mut layers = Layers::default();
    layers.pair("stem", "features.conv0", "features.norm0");
    for (block, depth) in [6, 12, 24, 16].into_iter().enumerate() {
        for layer in 0..depth {
            let ours = format!("blocks.{block}.layers.{layer}");
            let theirs = format!("features.denseblock{}.denselayer{}", block + 1, layer + 1);
            layers.norm(format!("{ours}.norm.norm"), format!("{theirs}.norm1"));
            layers.pair(
                &format!("{ours}.reduce"),
                &format!("{theirs}.conv1"),
                &format!("{theirs}.norm2"),
            );
            layers.convolution(format!("{ours}.grow"), format!("{theirs}.conv2"));
        }
        let ours = format!("blocks.{block}.transition");
        let theirs = format!("features.transition{}", block + 1);
        layers.norm(format!("{ours}.norm.norm"), format!("{theirs}.norm"));
        layers.convolution(format!("{ours}.reduce"), format!("{theirs}.conv"));
    }
    layers.norm("last.norm", "features.norm5");
    layers
}

/// A branch's number, its layers' names and those of its ends.
type BranchNames = (usize, &'static [&'static str], &'static [&'static str]);

fn inception_v4() -> Layers {
    let mut layers = Layers::default();
    let mut add = |ours: String, theirs: String| {
        layers.pair(&ours, &format!("{theirs}.conv"), &format!("{theirs}.bn"));
    };
    for layer in 0..3 {
        add(format!("stem.{layer}"), format!("features.{layer}"));
    }
    // For each kind of block: its places, and for each branch the names of its layers and ends.
    let kinds: [(Range<usize>, &[BranchNames]); 8] = [
        (3..4, &[(1, &["conv"], &[])]),
        (
            4..5,
            &[
                (0, &["branch0.0", "branch0.1"], &[]),
                (
                    1,
                    &["branch1.0", "branch1.1", "branch1.2", "branch1.3"],
                    &[],
                ),
            ],
        ),
        (5..6, &[(0, &["conv"], &[])]),
        (
            6..10,
            &[
                (0, &["branch0"], &[]),
                (1, &["branch1.0", "branch1.1"], &[]),
                (2, &["branch2.0", "branch2.1", "branch2.2"], &[]),
                (3, &["branch3.1"], &[]),
            ],
        ),
        (
            10..11,
            &[
                (0, &["branch0"], &[]),
                (1, &["branch1.0", "branch1.1", "branch1.2"], &[]),
            ],
        ),
        (
            11..18,
            &[
                (0, &["branch0"], &[]),
                (1, &["branch1.0", "branch1.1", "branch1.2"], &[]),
                (
                    2,
                    &[
                        "branch2.0",
                        "branch2.1",
                        "branch2.2",
                        "branch2.3",
                        "branch2.4",
                    ],
                    &[],
                ),
                (3, &["branch3.1"], &[]),
            ],
        ),
        (
            18..19,
            &[
                (0, &["branch0.0", "branch0.1"], &[]),
                (
                    1,
                    &["branch1.0", "branch1.1", "branch1.2", "branch1.3"],
                    &[],
                ),
            ],
        ),
        (
            19..22,
            &[
                (0, &["branch0"], &[]),
                (1, &["branch1_0"], &["branch1_1a", "branch1_1b"]),
                (
                    2,
                    &["branch2_0", "branch2_1", "branch2_2"],
                    &["branch2_3a", "branch2_3b"],
                ),
                (3, &["branch3.1"], &[]),
            ],
        ),
    ];
    for (places, branches) in kinds {
        for place in places {
            for (branch, chain, ends) in branches {
                let ours = format!("blocks.{}.branches.{branch}", place - 3);
                for (part, names) in [("layers", chain), ("ends", ends)] {
                    for (index, name) in names.iter().enumerate() {
                        add(
                            format!("{ours}.{part}.{index}"),
                            format!("features.{place}.{name}"),
                        );
                    }
                }
            }
        }
    }
    layers
}

fn mobilenet_torchvision() -> Layers {
    let mut layers = Layers::default();
    layers.pair("stem", "features.0.0", "features.0.1");
    for block in 0..17 {
        let theirs = format!("features.{}.conv", block + 1);
        let parts: &[&str] = match block {
            0 => &["depthwise"],
            _ => &["expand", "depthwise"],
        };
        for (index, part) in parts.iter().enumerate() {
            layers.pair(
                &format!("blocks.{block}.{part}"),
                &format!("{theirs}.{index}.0"),
                &format!("{theirs}.{index}.1"),
            );
        }
        layers.pair(
            &format!("blocks.{block}.project"),
            &format!("{theirs}.{}", parts.len()),
            &format!("{theirs}.{}", parts.len() + 1),
        );
    }
    layers.pair("last", "features.18.0", "features.18.1");
    layers
}

fn mobilenet_timm() -> Layers {
    let mut layers = Layers::default();
    layers.pair("stem", "conv_stem", "bn1");
    let places = (0..)
        .zip([1, 2, 3, 4, 3, 3, 1])
        .flat_map(|(stage, depth)| (0..depth).map(move |block| format!("blocks.{stage}.{block}")));
    for (block, theirs) in places.enumerate() {
        let parts: &[(&str, &str)] = match block {
            0 => &[("depthwise", "conv_dw"), ("project", "conv_pw")],
            _ => &[
                ("expand", "conv_pw"),
                ("depthwise", "conv_dw"),
                ("project", "conv_pwl"),
            ],
        };
        for (index, (part, name)) in parts.iter().enumerate() {
            layers.pair(
                &format!("blocks.{block}.{part}"),
                &format!("{theirs}.{name}"),
                &format!("{theirs}.bn{}", index + 1),
            );
        }
    }
    layers.pair("last", "conv_head", "bn2");
    layers
}

fn mobilenet_gluon() -> Layers {
    let mut layers = Layers::default();
    let prefix = "mobilenetv20_features_";
    for (ours, number) in [("stem", 0), ("last", 1)] {
        layers.pair(
            ours,
            &format!("{prefix}conv{number}"),
            &format!("{prefix}batchnorm{number}"),
        );
    }
    for block in 0..17 {
        for (number, part) in ["expand", "depthwise", "project"].into_iter().enumerate() {
            let theirs = format!("{prefix}linearbottleneck{block}_");
            layers.pair(
                &format!("blocks.{block}.{part}"),
                &format!("{theirs}conv{number}"),
                &format!("{theirs}batchnorm{number}"),
            );
        }
    }
    layers
}
