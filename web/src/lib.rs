//! Flukeprint in a browser: the boundary between `flukeprint-core` and JavaScript, and nothing else.
//!
//! What JavaScript sees stands in `types.d.ts` as TypeScript. Bytes come in, plain objects go
//! out; every decision is the core's.

mod answer;
mod backend;
mod evidence;

use answer::{Answer, EncounterAnswer};
use backend::{Choice, Status};
use flukeprint_core::bundle::Loader;
use flukeprint_core::decision::OperatingPoint;
use flukeprint_core::identify;
use flukeprint_core::photo::{Photo, Region};
use js_sys::{Function, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// The types of what crosses the boundary as plain objects.
#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// Makes a panic's message reach the console, and runs the program's constructors.
///
/// # Errors
/// Whatever JavaScript throws on the way.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsValue> {
    console_error_panic_hook::set_once();
    // Absent where the linker was not asked for them, as in tests: there every call runs them (`build.rs`).
    let constructors = Reflect::get(&wasm_bindgen::exports(), &"__wasm_call_ctors".into())?;
    if let Some(constructors) = constructors.dyn_ref::<Function>() {
        constructors.call0(&JsValue::UNDEFINED)?;
    }
    Ok(())
}

/// Takes a bundle's files one by one and checks each.
#[wasm_bindgen]
#[derive(Debug)]
pub struct BundleLoader {
    loader: Option<Loader>,
}

#[wasm_bindgen]
impl BundleLoader {
    /// Reads `bundle.json`.
    ///
    /// # Errors
    /// When it cannot be used; the message is a sentence for people.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8]) -> Result<BundleLoader, JsError> {
        Ok(Self {
            loader: Some(Loader::new(manifest)?),
        })
    }

    /// The files to fetch, `{ path, bytes }` each.
    ///
    /// # Errors
    /// After [`BundleLoader::finish`].
    #[wasm_bindgen(unchecked_return_type = "BundleFile[]")]
    pub fn files(&mut self) -> Result<JsValue, JsError> {
        let files = self.loader()?.files();
        let files = files.map(|file| answer::BundleFile {
            path: &file.path,
            bytes: file.bytes as f64,
        });
        to_js(&files)
    }

    /// Takes a file after checking its size and SHA-256.
    ///
    /// # Errors
    /// When it is not the bundle's; the message names it.
    pub fn add(&mut self, path: &str, data: Vec<u8>) -> Result<(), JsError> {
        Ok(self.loader()?.add(path, data)?)
    }

    /// Builds the model on `backend` ("auto", "webgpu" or "wasm") and runs the bundle's self-check;
    /// where WebGPU fails it, WASM takes over. `on_status` hears what is being done.
    ///
    /// # Errors
    /// When the backend's name is unknown, a file is missing or the bundle cannot be used.
    pub async fn finish(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "\"auto\" | \"webgpu\" | \"wasm\"")] backend: String,
        #[wasm_bindgen(unchecked_param_type = "(text: string) => void")] on_status: Function,
    ) -> Result<Identifier, JsError> {
        let choice = Choice::parse(&backend)?;
        let loader = self.loader.take().ok_or_else(finished)?;
        let (inner, status) =
            backend::start(loader.finish()?, choice, &|text| call(&on_status, text)).await?;
        Ok(Identifier { inner, status })
    }

    fn loader(&mut self) -> Result<&mut Loader, JsError> {
        self.loader.as_mut().ok_or_else(finished)
    }
}

fn finished() -> JsError {
    JsError::new("this loader has finished; make a new one for another bundle")
}

/// A bundle, ready for photos.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Identifier {
    inner: identify::Identifier,
    status: Status,
}

#[wasm_bindgen]
impl Identifier {
    /// Which backend runs, and why it is not WebGPU if it is not.
    ///
    /// # Errors
    /// Never in practice.
    #[wasm_bindgen(unchecked_return_type = "BackendStatus")]
    pub fn backend(&self) -> Result<JsValue, JsError> {
        to_js(&self.status)
    }

    /// What the catalogue holds.
    ///
    /// # Errors
    /// Never in practice.
    #[wasm_bindgen(unchecked_return_type = "CatalogueFacts")]
    pub fn catalogue(&self) -> Result<JsValue, JsError> {
        to_js(&answer::catalogue(self.inner.manifest()))
    }

    /// What each operating point costs on photos that nothing was fitted to, the fitted share of new
    /// whales first; empty where the bundle does not say.
    ///
    /// # Errors
    /// Never in practice.
    #[wasm_bindgen(unchecked_return_type = "OperatingRates[]")]
    pub fn operating(&self) -> Result<JsValue, JsError> {
        to_js(&self.inner.manifest().operating)
    }

    /// Answers from now on for somebody who expects this share of new whales (none: as among the photos
    /// that the bundle was tuned on) and whom missing a known whale costs as much as so many false matches.
    ///
    /// # Errors
    /// When a number is out of range; the message is a sentence for people.
    pub fn set_operating_point(
        &mut self,
        new_share: Option<f32>,
        missed_cost: f32,
    ) -> Result<(), JsError> {
        let point = OperatingPoint {
            new_share,
            missed_cost,
        };
        Ok(self.inner.set_operating_point(point)?)
    }

    /// Names the whale in a JPEG, PNG or WebP: `count` candidates. Without a `region` the finder
    /// proposes one. `on_stage` hears the name of each stage as it begins.
    ///
    /// # Errors
    /// When the photo cannot be read or answered; the message is a sentence for people.
    #[wasm_bindgen(unchecked_return_type = "Answer")]
    pub async fn identify(
        &self,
        photo: Vec<u8>,
        #[wasm_bindgen(unchecked_param_type = "Region | null | undefined")] region: JsValue,
        count: usize,
        #[wasm_bindgen(unchecked_param_type = "(name: StageName) => void")] on_stage: Function,
    ) -> Result<JsValue, JsError> {
        let region: Option<Region> = region_of(region)?;
        let mut clock = answer::Clock::default();
        let tell = |stage: identify::Stage| {
            clock.begin(stage);
            call(&on_stage, stage.name());
        };
        let identified = self.inner.identify(&photo, region, count, tell).await?;
        to_js(&Answer::new(
            &self.inner,
            &identified,
            clock.end(),
            self.status.name,
        ))
    }

    /// Names the whale that several photos show: the `embedding` of each one's answer, by this bundle, and
    /// where it was compared, beside it the `findings` of its verified answer.
    ///
    /// # Errors
    /// When there is none, or they are another bundle's; the message is a sentence for people.
    #[wasm_bindgen(unchecked_return_type = "EncounterAnswer")]
    pub fn decide(
        &self,
        #[wasm_bindgen(unchecked_param_type = "readonly EncounterPhoto[]")] photos: JsValue,
        count: usize,
    ) -> Result<JsValue, JsError> {
        let photos: Vec<identify::EncounterPhoto> = embedding_of(photos)?;
        let answer = self.inner.decide(&photos, count)?;
        to_js(&EncounterAnswer::new(&self.inner, &answer))
    }

    /// The gallery photos that a photo is to be compared with, `{ row, path, bytes }` each, best first; the
    /// paths are relative to the bundle. `photo` is the `embedding` of its answer.
    ///
    /// # Errors
    /// When the bundle has no keypoints; the message is a sentence for people.
    #[wasm_bindgen(unchecked_return_type = "KeypointFile[]")]
    pub fn to_verify(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Embedding")] photo: JsValue,
    ) -> Result<JsValue, JsError> {
        let photo: identify::Embedding = embedding_of(photo)?;
        let files = self.inner.to_verify(&photo)?;
        to_js(&evidence::files(&files))
    }

    /// Compares a photo that is answered (its `region` and `embedding` are its answer's) with gallery
    /// photos, and answers anew: `count` candidates. `rows` names the photos, and `files` has for each the
    /// bytes of its file, or in words why they could not be had. `on_compared` hears how many are done.
    ///
    /// # Errors
    /// When the photo cannot be read or compared; the message is a sentence for people.
    #[wasm_bindgen(unchecked_return_type = "VerifiedAnswer")]
    #[allow(
        clippy::too_many_arguments,
        reason = "JavaScript hands over each by itself"
    )]
    pub async fn verify(
        &self,
        photo: Vec<u8>,
        #[wasm_bindgen(unchecked_param_type = "Region")] region: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Embedding")] embedding: JsValue,
        rows: Vec<u32>,
        #[wasm_bindgen(unchecked_param_type = "(Uint8Array | string)[]")] files: Vec<JsValue>,
        count: usize,
        #[wasm_bindgen(unchecked_param_type = "(done: number) => void")] on_compared: Function,
    ) -> Result<JsValue, JsError> {
        let photo = Photo::decode(&photo)?;
        let region: Region = region_of(region)?;
        let embedding: identify::Embedding = embedding_of(embedding)?;
        let fetched = evidence::fetched(rows, files);
        let tell = |done: usize| {
            let _ = on_compared.call1(&JsValue::NULL, &JsValue::from(done as u32));
        };
        let fluke = (&photo, region);
        let verified = self
            .inner
            .verify(fluke, &embedding, &fetched, count, tell)
            .await?;
        to_js(&evidence::Verified::new(&self.inner, &verified, &embedding))
    }
}

fn region_of<T: DeserializeOwned>(region: JsValue) -> Result<T, JsError> {
    serde_wasm_bindgen::from_value(region)
        .map_err(|_| JsError::new("the fluke's box needs the four numbers x0, y0, x1 and y1"))
}

fn embedding_of<T: DeserializeOwned>(embedding: JsValue) -> Result<T, JsError> {
    serde_wasm_bindgen::from_value(embedding)
        .map_err(|_| JsError::new("each photo needs the embedding that `identify` gave it"))
}

/// Calls back with a word. What the callback throws is its own affair.
fn call(function: &Function, text: &str) {
    let _ = function.call1(&JsValue::NULL, &JsValue::from_str(text));
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}
