//! Which device computes: WebGPU where it passes the bundle's self-check, WASM otherwise.

use burn::tensor::Device;
use flukeprint_core::bundle::Bundle;
use flukeprint_core::identify::Identifier;
use serde::Serialize;
use wasm_bindgen::JsError;

/// What the caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// WebGPU if it works.
    Auto,
    /// The same; the name says what the caller hopes for.
    WebGpu,
    /// WASM without trying WebGPU.
    Wasm,
}

impl Choice {
    /// The choice of that name.
    pub(crate) fn parse(name: &str) -> Result<Self, JsError> {
        match name {
            "auto" => Ok(Self::Auto),
            "webgpu" => Ok(Self::WebGpu),
            "wasm" => Ok(Self::Wasm),
            other => Err(JsError::new(&format!(
                "there is no backend `{other}`; choose auto, webgpu or wasm"
            ))),
        }
    }
}

/// What runs, and why it is not WebGPU if it is not.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Status {
    pub(crate) name: &'static str,
    pub(crate) note: Option<&'static str>,
    /// What WebGPU itself said of that.
    pub(crate) detail: Option<String>,
}

/// Why WebGPU does not run: in a sentence, and in its own words.
type Refusal = (&'static str, Option<String>);

/// Builds the model and checks it on the device that it will run on.
pub(crate) async fn start(
    bundle: Bundle,
    choice: Choice,
    tell: &dyn Fn(&str),
) -> Result<(Identifier, Status), JsError> {
    tell("building the model");
    let on_cpu = Identifier::new(bundle, &Device::flex())?;
    let (mut note, mut detail) = (None, None);
    if choice != Choice::Wasm {
        tell("starting WebGPU");
        match on_webgpu(&on_cpu).await {
            Ok(on_gpu) => {
                let status = Status {
                    name: "webgpu",
                    note,
                    detail,
                };
                return Ok((on_gpu, status));
            }
            Err((sentence, its_own)) => (note, detail) = (Some(sentence), its_own),
        }
    }
    tell("checking the model");
    on_cpu.self_check().await?;
    let status = Status {
        name: "wasm",
        note,
        detail,
    };
    Ok((on_cpu, status))
}

/// The model on the GPU, if there is one that computes what the CPU computes. The check compiles
/// all kernels, so the first photo need not wait for them.
async fn on_webgpu(on_cpu: &Identifier) -> Result<Identifier, Refusal> {
    if !has_webgpu() {
        return Err(("This browser has no WebGPU.", None));
    }
    let device = Device::wgpu_options()
        .init_async()
        .await
        .map_err(|error| ("WebGPU did not start.", Some(error.to_string())))?;
    let on_gpu = on_cpu.clone().to_device(&device);
    on_gpu
        .self_check()
        .await
        .map_err(|error| ("WebGPU failed the self-check.", Some(error.to_string())))?;
    Ok(on_gpu)
}

/// Whether `navigator.gpu` is there, in a worker or in a window.
fn has_webgpu() -> bool {
    let property = |object: &wasm_bindgen::JsValue, name: &str| {
        js_sys::Reflect::get(object, &name.into()).ok()
    };
    let navigator = property(&js_sys::global(), "navigator");
    navigator
        .and_then(|navigator| property(&navigator, "gpu"))
        .is_some_and(|gpu| gpu.is_object())
}
