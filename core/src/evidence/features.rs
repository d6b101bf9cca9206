//! All of the front half in order: a gray picture to keypoints with descriptors.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::detect::{Detection, detect};
use super::image::GrayImage;
use super::patch::{AREA, PATCH, normalise, sample, sample_nearest};
use super::pyramid::Pyramid;
use super::rootsift::RootSift;
use super::shape::{is_too_long, product, upright_shape};
use super::{
    AffNet, CODE_OF_ONE, DESCRIPTOR, Features, Frame, HardNet, HardTFeat, Keypoint, OriNet,
    orientation,
};
use crate::members::read;
use crate::{Error, Result};

/// A keypoint's frame reaches so many of its scales (spec, *Region*).
const REACH: f32 = 5.192;
/// Detections that go on for every keypoint wanted.
const SPARE: f32 = 1.5;
/// Patches that a network sees at a time: their maps stay in the processor's cache.
const BATCH: usize = 32;
/// More keypoints than this are a mistake.
const MOST_KEYPOINTS: usize = 10_000;
/// A wider picture is a mistake too.
const WIDEST: usize = 4_096;

/// What describes a patch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DescriptorKind {
    /// Histograms of gradients; needs no network.
    #[default]
    RootSift,
    /// The small network.
    HardTFeat,
    /// The large network.
    HardNet,
}

/// How features are found. Two photos can be compared only with the same options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The picture is brought to this width first, in pixels, 1 to 4,096: flukes of one size have keypoints
    /// of like scales, and enlarging a small photo finds more of them.
    pub width: usize,
    /// Keypoints at most, 1 to 10,000.
    pub keypoints: usize,
    /// Whether frames stay upright, instead of being turned by [`OriNet`].
    pub upright: bool,
    /// Whether frames take the shape that [`AffNet`] sees, instead of staying round.
    pub affine: bool,
    /// The described region's size, in times the 5.192 scales of a keypoint; 0.25 to 8.
    pub region: f32,
    /// What describes.
    pub descriptor: DescriptorKind,
    /// How much more a response counts at the top of the picture, where a fluke's trailing edge is, than
    /// at its bottom: e to the power of this. 0, the same everywhere, to 10.
    pub trailing_edge: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            width: 512,
            keypoints: 400,
            upright: true,
            affine: false,
            region: 1.0,
            descriptor: DescriptorKind::RootSift,
            trailing_edge: 0.0,
        }
    }
}

impl Options {
    /// Checks every number's range.
    ///
    /// # Errors
    /// [`Error::Features`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        let ranges = [
            ("width", self.width as f32, 1.0, WIDEST as f32),
            (
                "keypoints",
                self.keypoints as f32,
                1.0,
                MOST_KEYPOINTS as f32,
            ),
            ("region", self.region, 0.25, 8.0),
            ("trailing_edge", self.trailing_edge, 0.0, 10.0),
        ];
        let out = ranges
            .iter()
            .find(|(_, value, low, high)| !(low..=high).contains(&value));
        match out {
            Some((name, value, low, high)) => Err(Error::Features {
                reason: format!("{name} is {value}, it must be {low} to {high}"),
            }),
            None => Ok(()),
        }
    }
}

/// The networks that [`Options`] may call for.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    /// For `affine`.
    pub affnet: Option<AffNet>,
    /// For not `upright`.
    pub orinet: Option<OriNet>,
    /// For [`DescriptorKind::HardTFeat`].
    pub hardtfeat: Option<HardTFeat>,
    /// For [`DescriptorKind::HardNet`].
    pub hardnet: Option<HardNet>,
}

/// Keypoints and descriptors of `image`, strongest first, on `device`, where the networks are.
///
/// Positions count in the picture of [`Options::width`], whose size is [`Features::size`]. Frames whose
/// corners leave the picture are dropped; a picture without texture, or too small for one frame, has no
/// keypoints.
///
/// # Errors
/// [`Error::Features`] when an option is out of range or its network is not there, [`Error::Device`] when
/// the device fails.
pub async fn features(
    image: &GrayImage,
    options: &Options,
    networks: &Networks,
    device: &Device,
) -> Result<Features> {
    options.validate()?;
    let image = &image.with_width(options.width)?;
    let pyramid = Pyramid::new(image);
    let mut regions = strongest(&pyramid, image.height(), options);
    if options.affine {
        let network = present(networks.affnet.as_ref(), "affine shapes need AffNet")?;
        regions = stretch(regions, &pyramid, network, device).await?;
    }
    if !options.upright {
        let network = present(networks.orinet.as_ref(), "turned frames need OriNet")?;
        turn(&mut regions, &pyramid, network, device).await?;
    }
    let (width, height) = (image.width(), image.height());
    let mut keypoints: Vec<Keypoint> = regions
        .into_iter()
        .map(|region| Keypoint {
            frame: scaled(region.frame, options.region),
            response: region.response,
        })
        .filter(|keypoint| keypoint.frame.lies_within(width, height))
        .collect();
    keypoints.truncate(options.keypoints);
    let descriptors = describe(&keypoints, &pyramid, options, networks, device).await?;
    Ok(Features {
        size: [width as u32, height as u32],
        keypoints,
        descriptors,
    })
}

/// A detection on its way to a keypoint.
struct Region {
    /// Where it was found.
    detection: Detection,
    frame: Frame,
    /// The detection's, favoured.
    response: f32,
}

/// The detections that go on, strongest first, those of one strength in the order of their places.
fn strongest(pyramid: &Pyramid, height: usize, options: &Options) -> Vec<Region> {
    let favoured = |detection: Detection| {
        let low = detection.center[1] / height as f32;
        let shape = [REACH * detection.sigma, 0.0, 0.0, REACH * detection.sigma];
        Region {
            detection,
            frame: Frame {
                center: detection.center,
                shape,
            },
            response: detection.response * libm::expf(-options.trailing_edge * low),
        }
    };
    let mut regions: Vec<Region> = detect(pyramid).into_iter().map(favoured).collect();
    regions.sort_by(|a, b| b.response.total_cmp(&a.response));
    regions.truncate(libm::ceilf(SPARE * options.keypoints as f32) as usize);
    regions
}

/// The regions with AffNet's shapes; without those that are too long.
async fn stretch(
    regions: Vec<Region>,
    pyramid: &Pyramid,
    network: &AffNet,
    device: &Device,
) -> Result<Vec<Region>> {
    let fill = |region: &Region, patch: &mut [f32]| {
        let found = &region.detection;
        let octave = &pyramid.octaves[found.octave];
        sample(
            &octave.images[found.level - 1],
            octave.distance,
            &region.frame,
            patch,
        );
    };
    let shapes = run(&regions, fill, |patches| network.forward(patches), device).await?;
    let stretched = regions.into_iter().zip(shapes.chunks_exact(3));
    let stretched = stretched.filter_map(|(region, t)| {
        let shape = upright_shape([t[0], t[1], t[2]]);
        let frame = Frame {
            shape: product(region.frame.shape, shape),
            ..region.frame
        };
        (!is_too_long(shape)).then_some(Region { frame, ..region })
    });
    Ok(stretched.collect())
}

/// Turns the regions by OriNet's angles.
async fn turn(
    regions: &mut [Region],
    pyramid: &Pyramid,
    network: &OriNet,
    device: &Device,
) -> Result<()> {
    let fill = |region: &Region, patch: &mut [f32]| sample_nearest(pyramid, &region.frame, patch);
    let angles = run(regions, fill, |patches| network.forward(patches), device).await?;
    for (region, o) in regions.iter_mut().zip(angles.chunks_exact(2)) {
        let turn = orientation::turn(orientation::angle([o[0], o[1]]));
        region.frame.shape = product(region.frame.shape, turn);
    }
    Ok(())
}

/// The descriptors' codes, `[keypoints, 128]`.
async fn describe(
    keypoints: &[Keypoint],
    pyramid: &Pyramid,
    options: &Options,
    networks: &Networks,
    device: &Device,
) -> Result<Vec<i8>> {
    let fill = |keypoint: &Keypoint, patch: &mut [f32]| {
        sample_nearest(pyramid, &keypoint.frame, patch);
    };
    let values = match options.descriptor {
        DescriptorKind::RootSift => return Ok(root_sift(keypoints, fill)),
        DescriptorKind::HardTFeat => {
            let network = present(networks.hardtfeat.as_ref(), "the descriptor is HardTFeat")?;
            run(keypoints, fill, |patches| network.forward(patches), device).await?
        }
        DescriptorKind::HardNet => {
            let network = present(networks.hardnet.as_ref(), "the descriptor is HardNet")?;
            run(keypoints, fill, |patches| network.forward(patches), device).await?
        }
    };
    Ok(values.into_iter().map(code).collect())
}

fn root_sift(keypoints: &[Keypoint], fill: impl Fn(&Keypoint, &mut [f32])) -> Vec<i8> {
    let describer = RootSift::new();
    let (mut patch, mut values) = ([0.0; AREA], [0.0; DESCRIPTOR]);
    let mut codes = Vec::with_capacity(keypoints.len() * DESCRIPTOR);
    for keypoint in keypoints {
        fill(keypoint, &mut patch);
        describer.describe(&patch, &mut values);
        codes.extend(values.map(code));
    }
    codes
}

/// An entry of a unit vector as it is kept.
fn code(value: f32) -> i8 {
    libm::rintf(value * CODE_OF_ONE).clamp(-127.0, 127.0) as i8
}

/// What `network` says of the normalised patch of every item, one after the other.
async fn run<T>(
    items: &[T],
    fill: impl Fn(&T, &mut [f32]),
    network: impl Fn(Tensor<4>) -> Tensor<2>,
    device: &Device,
) -> Result<Vec<f32>> {
    let mut outputs = Vec::new();
    for batch in items.chunks(BATCH) {
        let mut patches = vec![0.0; batch.len() * AREA];
        for (item, patch) in batch.iter().zip(patches.chunks_exact_mut(AREA)) {
            fill(item, patch);
            normalise(patch);
        }
        let data = TensorData::new(patches, [batch.len(), 1, PATCH, PATCH]);
        let output = network(Tensor::from_data(data, device));
        outputs.extend(read(output, device).await?);
    }
    Ok(outputs)
}

fn scaled(frame: Frame, factor: f32) -> Frame {
    Frame {
        shape: frame.shape.map(|a| a * factor),
        ..frame
    }
}

fn present<'a, N>(network: Option<&'a N>, why: &str) -> Result<&'a N> {
    network.ok_or_else(|| Error::Features {
        reason: why.to_string() + ", which is not loaded",
    })
}
