//! Export: a tuned run or an ensemble to a bundle, and bundles on disk.

mod folder;
mod thumbnails;

/// What a bundle's kept search is called before its hash.
pub(crate) const SEARCH: &str = "search";

pub(crate) use folder::{WANTED, check_place, read_bundle, write_folder};
pub use folder::{open_bundle, write_bundle};
pub(crate) use thumbnails::{MARGIN, small_picture, thumbnail, thumbnail_margin};

use crate::Result;
use crate::data::Catalogue;
use crate::ensemble::Ensemble;
use crate::evaluate::Embeddings;
use crate::evaluate::evidence::{TunedEdges, TunedEvidence, catalogue_edges, keypoint_files};
use crate::progress::Progress;
use crate::train::Run;
use burn::tensor::Device;
use flukeprint_core::bundle::weights::without_classifiers;
use flukeprint_core::bundle::{
    Contents, EdgeFacts, EnsembleFacts, EvidenceFacts, FileEntry, GalleryPhoto, Loader,
    MemberFacts, ModelFacts, SearchFacts, SelfCheck, StaticFile, assemble,
};
use flukeprint_core::evidence::verify::CompareOptions;
use flukeprint_core::evidence::vote::{IndexOptions, VoteOptions};
use flukeprint_core::evidence::{Chip, Options};
use flukeprint_core::gallery::{Gallery, Label};
use flukeprint_core::identify::Identifier;
use std::path::Path;

/// The largest difference that a device's embedding may have from the CPU's in one of its values.
/// 32-bit devices differ by about 1e-5; a wrong kernel by more than the values themselves.
const SELF_CHECK_TOLERANCE: f32 = 2e-3;

/// What an export says of itself and what it leaves out.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// What the catalogue is called.
    pub title: String,
    /// Day of the export, `YYYY-MM-DD`.
    pub date: String,
    /// Whether each gallery photo gets a small picture.
    pub thumbnails: bool,
    /// How trailing edges count; each gallery photo gets its own then.
    pub edges: Option<TunedEdges>,
    /// How evidence counts; each gallery photo gets its keypoints then, so that answers can be verified and
    /// photos vote.
    pub evidence: Option<TunedEvidence>,
}

/// Packs a tuned run, [`Ensemble::alone`], or several that answer together into a bundle at `out`; the
/// gallery is all photos of the catalogue, held-out ones too (spec, *Deciding*, 6). `device` embeds them;
/// the known answer of the self-check is the CPU's in any case.
///
/// # Errors
/// Photos or weights that cannot be used, a full disk. A bundle that was at `out` before is still there
/// then.
pub fn export_ensemble(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    options: &ExportOptions,
    out: &Path,
    device: &Device,
    progress: &dyn Progress,
) -> Result<()> {
    let split = ensemble.split(catalogue)?;
    let mut files = Vec::new();
    let everything = split.everything();
    let mut photos = gallery_photos(catalogue, &everything);
    let evidence = options.evidence.clone().map(evidence);
    if options.thumbnails {
        let margin = thumbnail_margin(evidence.as_ref());
        files = thumbnails::add(catalogue, &mut photos, margin, progress)?;
    }
    if evidence.is_some() {
        let found = keypoint_files(ensemble.first(), catalogue, progress)?;
        for (photo, bytes) in photos.iter_mut().zip(found) {
            let (entry, file) = FileEntry::of_keypoints(bytes);
            photo.keypoints = Some(entry);
            files.push(file);
        }
    }
    if options.edges.is_some() {
        let traced = catalogue_edges(ensemble.first(), catalogue, progress)?;
        for (photo, edge) in photos.iter_mut().zip(traced) {
            photo.edge = edge;
        }
    }
    let embeddings = ensemble.embeddings(catalogue, &split, device, progress)?;
    let gallery = embeddings.gallery(catalogue, &everything)?;
    let mut contents = contents(ensemble, options, gallery, photos)?;
    contents.evidence = evidence;
    if !contents.decision.asks_the_classifier() {
        contents.weights = without_classifiers("the weights", &contents.weights)?;
    }
    files.extend(with_self_check(contents)?);
    write_bundle(out, &files)
}

/// The files of a bundle whose gallery is `places` of the catalogue, to measure with: no pictures, and a
/// self-check that checks nothing.
pub(crate) fn measuring_bundle(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    embeddings: &Embeddings,
    places: &[usize],
) -> Result<Vec<StaticFile>> {
    let options = ExportOptions {
        title: String::new(),
        date: String::new(),
        thumbnails: false,
        edges: None,
        evidence: None,
    };
    let photos = gallery_photos(catalogue, places);
    let gallery = embeddings.gallery(catalogue, places)?;
    Ok(assemble(contents(ensemble, &options, gallery, photos)?)?)
}

fn gallery_photos(catalogue: &Catalogue, places: &[usize]) -> Vec<GalleryPhoto> {
    let photo = |&place: &usize| {
        let entry = &catalogue.photos[place];
        GalleryPhoto {
            file: entry.file.clone(),
            individual: match entry.label {
                Label::Individual(i) => Some(i),
                Label::New => None,
            },
            thumbnail: None,
            keypoints: None,
            edge: None,
            sha256: None,
        }
    };
    places.iter().map(photo).collect()
}

fn contents(
    ensemble: &Ensemble,
    options: &ExportOptions,
    gallery: Gallery,
    photos: Vec<GalleryPhoto>,
) -> Result<Contents> {
    Ok(Contents {
        title: options.title.clone(),
        model: model(ensemble)?,
        preprocessing: ensemble.first().recipe.preprocessing(),
        decision: ensemble.decision,
        operating: match &options.edges {
            Some(tuned) => tuned.operating.clone(),
            None => ensemble.operating.clone(),
        },
        evidence: None,
        edges: options.edges.clone().map(|tuned| EdgeFacts {
            parameters: tuned.edges,
        }),
        date: options.date.clone(),
        filters: Vec::new(),
        self_check: SelfCheck {
            embedding: Vec::new(),
            tolerance: SELF_CHECK_TOLERANCE,
        },
        weights: ensemble.shipped_weights()?,
        gallery,
        photos,
    })
}

/// How local features verify an answer, and how the whole gallery votes.
fn evidence(tuned: TunedEvidence) -> EvidenceFacts {
    EvidenceFacts {
        chip: Chip::default(),
        options: Options::default(),
        compare: CompareOptions::default(),
        parameters: tuned.verify,
        search: Some(SearchFacts {
            index: IndexOptions::default(),
            vote: VoteOptions::default(),
            parameters: tuned.search,
        }),
    }
}

/// The first member's facts, and the others' beside them.
fn model(ensemble: &Ensemble) -> Result<ModelFacts> {
    let run = ensemble.first();
    let recipe = &run.recipe;
    // The weights file has the finder of the first member with one too.
    let finder = |run: &Run| {
        let finder = run.recipe.finder.as_ref().filter(|_| run.has_finder())?;
        Some(finder.model.clone())
    };
    let others: Vec<MemberFacts> = ensemble
        .others()
        .iter()
        .map(member)
        .collect::<Result<_>>()?;
    Ok(ModelFacts {
        embedder: recipe.model.clone(),
        finder: ensemble.members().find_map(finder),
        recipe: recipe.name.clone(),
        recipe_sha256: recipe.sha256()?,
        data_sha256: run.facts.data_sha256.clone(),
        seed: recipe.seed,
        start_sha256: run.facts.start_sha256.clone(),
        ensemble: (!others.is_empty()).then_some(EnsembleFacts {
            fuse: ensemble.fuse,
            others,
        }),
    })
}

fn member(run: &Run) -> Result<MemberFacts> {
    let recipe = &run.recipe;
    Ok(MemberFacts {
        embedder: recipe.model.clone(),
        preprocessing: recipe.preprocessing(),
        recipe: recipe.name.clone(),
        recipe_sha256: recipe.sha256()?,
        seed: recipe.seed,
        start_sha256: run.facts.start_sha256.clone(),
    })
}

/// The bundle's files, after the network that they hold has computed its known answer itself.
fn with_self_check(mut contents: Contents) -> Result<Vec<StaticFile>> {
    let files = assemble(contents.clone())?;
    let identifier = Identifier::new(load(&files)?, &Device::flex())?;
    contents.self_check.embedding = pollster::block_on(identifier.known_embedding())?;
    Ok(assemble(contents)?)
}

fn load(files: &[StaticFile]) -> Result<flukeprint_core::bundle::Bundle> {
    let manifest = files
        .iter()
        .find(|file| file.path == "bundle.json")
        .map_or(&[][..], |file| &file.bytes);
    let mut loader = Loader::new(manifest)?;
    for file in files.iter().filter(|file| file.path != "bundle.json") {
        loader.add(&file.path, file.bytes.clone())?;
    }
    Ok(loader.finish()?)
}
