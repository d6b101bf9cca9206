//! Values and gradients of losses and poolings against PyTorch's, from `tests/fixtures/losses.py`.

use super::Targets;
use super::classification::{cross_entropy, focal, hard_binary};
use super::descriptor::hardest;
use super::feature::{center, gaussian_mixture, ring};
use super::margin::{arcface, cosface, cosines, dynamic_margins, nearest_center};
use crate::train::load_weights;
use crate::train::metric::loss::{batch_hard, triplet, unit};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::model::named::{Named, Values};
use flukeprint_core::model::pool::{gem, gem_learned, max_average};
use std::cell::RefCell;
use std::path::Path;

/// One case of the fixture.
struct Case<'a> {
    name: &'a str,
    fixture: &'a Named,
    device: Device,
    /// A function for each input that was read, from gradients to the input's own.
    inputs: RefCell<Vec<(String, Reader)>>,
}

type Reader = Box<dyn Fn(&burn::tensor::Gradients) -> Vec<f32>>;

impl Case<'_> {
    fn values(&self, key: &str) -> &Values {
        let key = format!("{}/{key}", self.name);
        self.fixture.get(&key).expect(&key)
    }

    fn data(&self, name: &str) -> TensorData {
        let values = self.values(&format!("in/{name}"));
        TensorData::new(values.values.clone(), values.shape.clone())
    }

    /// An input whose gradient is to be compared.
    fn input<const D: usize>(&self, name: &str) -> Tensor<D> {
        let tensor = Tensor::<D>::from_data(self.data(name), &self.device).require_grad();
        let twin = tensor.clone();
        let read = move |gradients: &burn::tensor::Gradients| {
            let gradient = twin.grad(gradients).expect("a gradient");
            gradient.into_data().try_into_vec().expect("f32")
        };
        let entry = (name.to_owned(), Box::new(read) as Reader);
        self.inputs.borrow_mut().push(entry);
        tensor
    }

    fn labels(&self) -> Vec<u32> {
        let labels = &self.values("in/labels").values;
        labels.iter().map(|&label| label as u32).collect()
    }

    fn targets(&self) -> Targets {
        let classes: Vec<Option<u32>> = self.labels().into_iter().map(Some).collect();
        Targets::new(&classes, &self.device)
    }

    fn nobody(&self, batch: usize) -> Targets {
        Targets::new(&vec![None; batch], &self.device)
    }

    fn near(&self, what: &str, found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len(), "{} {what}", self.name);
        let scale = wanted.iter().fold(1e-3_f32, |most, v| most.max(v.abs()));
        for (a, b) in found.iter().zip(wanted) {
            let name = self.name;
            assert!((a - b).abs() <= 2e-5 * scale, "{name} {what}: {a} and {b}");
        }
    }

    /// A pooling's output against the fixture's, then its weighted sum.
    fn pooled(&self, pooled: Tensor<2>) -> Tensor<1> {
        let values: Vec<f32> = pooled.to_data().try_into_vec().expect("f32");
        self.near("pooled", &values, &self.values("pooled").values);
        (pooled * self.input("weights")).sum()
    }

    fn loss(&self) -> Tensor<1> {
        let logits = || self.input::<2>("logits");
        let features = || self.input::<2>("features");
        let directions = || self.input::<2>("directions");
        let targets = || self.targets();
        match self.name {
            "cross_entropy" => cross_entropy(logits(), &targets()),
            "cross_entropy_uniform" => cross_entropy(logits(), &self.nobody(6)),
            "focal" => focal(logits(), &targets(), 2.0),
            "bce_hard" => hard_binary(logits(), &targets(), 3),
            "bce_none" => hard_binary(logits(), &self.nobody(6), 3),
            "center" => center(features(), self.input("centers"), &targets()),
            "ring" => ring(features(), self.input("radius")),
            "lgm" => gaussian_mixture(features(), self.input("centers"), &targets(), 0.3, 0.1),
            "arcface" => {
                let cosines = cosines(features(), directions());
                cross_entropy(arcface(cosines, &targets(), 30.0, &[0.3; 5]), &targets())
            }
            "cosface" => {
                let cosines = cosines(features(), directions());
                cross_entropy(cosface(cosines, &targets(), 30.0, 0.35), &targets())
            }
            "subcenter" => {
                let photos = &self.values("in/photos").values;
                let photos: Vec<usize> = photos.iter().map(|&n| n as usize).collect();
                let cosines = nearest_center(cosines(features(), directions()), 2);
                let logits = arcface(cosines, &targets(), 20.9, &dynamic_margins(&photos));
                cross_entropy(logits, &targets())
            }
            "triplet" => {
                let [a, p, n] = ["anchors", "positives", "negatives"].map(|n| self.input(n));
                triplet(unit(a), unit(p), unit(n), 0.3)
            }
            "batch_hard" => batch_hard(unit(features()), &self.labels(), 0.3).unwrap(),
            "hardnet" => hardest(self.input("anchors"), self.input("positives")).loss,
            "gem" => self.pooled(gem(self.input("map"), 3.74)),
            "gem_learned" => self.pooled(gem_learned(self.input("map"), self.input("p"))),
            "max_average" => self.pooled(max_average(self.input("map"))),
            other => panic!("the fixture has a case that nothing here computes: {other}"),
        }
    }
}

#[test]
fn values_and_gradients_are_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/losses.safetensors");
    let fixture = load_weights(&path).unwrap();
    let mut names: Vec<&str> = fixture
        .keys()
        .filter_map(|key| key.split('/').next())
        .collect();
    names.dedup();
    assert_eq!(names.len(), 17);
    for name in names {
        let case = Case {
            name,
            fixture: &fixture,
            device: Device::flex().autodiff(),
            inputs: RefCell::default(),
        };
        let loss = case.loss();
        let value: Vec<f32> = loss.to_data().try_into_vec().unwrap();
        case.near("value", &value, &case.values("out").values);
        let gradients = loss.backward();
        for (input, read) in case.inputs.borrow().iter() {
            let wanted = case.values(&format!("grad/{input}"));
            case.near(input, &read(&gradients), &wanted.values);
        }
    }
}
