//! Every backbone on WebGPU beside the processor: an invalid kernel is skipped in silence there, and
//! poolings and grouped convolutions take kernels that no bundle of the other tests does.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::bundle::SelfCheck;
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Small, because the test's GPU is a program.
const NARROW: usize = 8;
const SIDES: [usize; 2] = [64, 96];

async fn map(backbone: &Backbone, device: &Device) -> Vec<f32> {
    let [height, width] = SIDES;
    let input = TensorData::new(SelfCheck::input(height, width), [1, 3, height, width]);
    let map = backbone.forward(Tensor::<4>::from_data(input, device));
    let data = map.into_data_async().await.unwrap();
    data.try_into_vec().unwrap()
}

#[wasm_bindgen_test]
async fn every_backbone_computes_on_webgpu_what_it_computes_on_the_processor() {
    let processor = Device::flex();
    let graphics = Device::wgpu_options().init_async().await.unwrap();
    for &name in BackboneName::ALL {
        let backbone = Backbone::narrowed(name, NARROW, &processor).fold();
        let expected = map(&backbone, &processor).await;
        let found = map(&backbone.to_device(&graphics), &graphics).await;
        let size = expected.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        assert!(size > 0.0 && size.is_finite(), "{name:?}: {size}");
        assert_eq!(expected.len(), found.len(), "{name:?}");
        for (a, b) in expected.iter().zip(&found) {
            assert!(
                (a - b).abs() <= 1e-3 * size,
                "{name:?}: {a} and {b} of {size}"
            );
        }
    }
}
