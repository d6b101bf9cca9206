//! Answers that local features verify, as whoever opens a bundle with keypoints relies on them.
#![allow(clippy::unwrap_used)]

mod common;

use common::spots::{WHOLE, bytes_of, embed, facts, gray, photo, with_keypoints};
use common::{contents, identifier, now};
use flukeprint_core::bundle::{EvidenceFacts, FileEntry, Loader, StaticFile, assemble};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Embedding, Fetched, Identifier, Says, VerifiedAnswer};
use flukeprint_core::photo::Photo;

fn fetched(identifier: &Identifier, embedding: &Embedding, files: &[StaticFile]) -> Vec<Fetched> {
    let wanted = identifier.to_verify(embedding).unwrap();
    let fetch = |(row, file): (u32, &FileEntry)| (row, Ok(bytes_of(files, &file.path)));
    wanted.into_iter().map(fetch).collect()
}

fn verify(
    identifier: &Identifier,
    photo: &Photo,
    embedding: &Embedding,
    fetched: &[Fetched],
) -> VerifiedAnswer {
    let mut heard = Vec::new();
    let verified = identifier.verify((photo, WHOLE), embedding, fetched, 5, |done| {
        heard.push(done);
    });
    let verified = now(verified).unwrap();
    assert_eq!(heard, (1..=fetched.len()).collect::<Vec<_>>());
    verified
}

fn labels(verified: &VerifiedAnswer) -> Vec<Label> {
    let candidates = verified.answer.candidates.iter();
    candidates.map(|candidate| candidate.label).collect()
}

#[test]
fn the_nearest_photos_of_the_first_whales_are_wanted() {
    let (contents, _) = with_keypoints();
    let identifier = identifier(contents);
    let embedding = embed(&identifier, &photo(77));
    let answer = identifier.decide(&[embedding.clone().into()], 5).unwrap();
    let first: Vec<u32> = answer
        .candidates
        .iter()
        .filter_map(|candidate| match candidate.label {
            Label::Individual(whale) => Some(whale),
            Label::New => None,
        })
        .take(3)
        .collect();
    let wanted = identifier.to_verify(&embedding).unwrap();
    // Whale i is on the photo in row i.
    assert_eq!(wanted.iter().map(|one| one.0).collect::<Vec<_>>(), first);
    for (row, file) in wanted {
        let photo = &identifier.photos()[row as usize];
        assert_eq!(photo.keypoints.as_ref(), Some(file));
        assert!(file.path.starts_with("keypoints/"), "{}", file.path);
    }
}

#[test]
fn a_match_raises_its_whale_to_the_first_place_and_shows_where() {
    let (contents, files) = with_keypoints();
    let identifier = identifier(contents);
    for number in 0..4 {
        let query = photo(number);
        let embedding = embed(&identifier, &query);
        let fetched = fetched(&identifier, &embedding, &files);
        let verified = verify(&identifier, &query, &embedding, &fetched);
        assert_eq!(verified.compared.len(), 3);
        assert!(verified.missing.is_empty());
        let Some(same) = verified.compared.iter().find(|one| one.row == number) else {
            continue; // not among the first three by a network of random weights
        };
        assert_eq!(labels(&verified)[0], Label::Individual(number));
        assert!(same.inliers >= 12, "{}", same.inliers);
        assert!(same.duplicate && same.probability == 1.0 && same.says == Says::Verified);
        assert_eq!(same.pairs.len(), same.inliers as usize);
        for pair in &same.pairs {
            // The photo is 240 pixels wide; files keep places to some thousandths.
            let scale = f64::from(same.size[0]) / 240.0;
            let expected = pair.query.map(|value| (value + 0.5) * scale - 0.5);
            let mapped = same.transform.unwrap().map(pair.query).unwrap();
            for place in [pair.gallery, mapped] {
                let apart = (place[0] - expected[0]).hypot(place[1] - expected[1]);
                assert!(apart < 0.2 * scale.max(1.0), "{place:?} {expected:?}");
            }
        }
        for other in verified.compared.iter().filter(|one| one.row != number) {
            assert!(other.inliers < same.inliers && !other.duplicate);
        }
        assert_eq!(verified.shown(same.label), Some(same));
        assert_eq!(verified.shown(Label::New), None);
        return;
    }
    unreachable!("each whale is among the first three of four for one photo at least");
}

#[test]
fn where_nothing_is_found_the_order_stays() {
    let (contents, files) = with_keypoints();
    let identifier = identifier(contents);
    let gray = gray();
    let embedding = embed(&identifier, &gray);
    let fetched = fetched(&identifier, &embedding, &files);
    let verified = verify(&identifier, &gray, &embedding, &fetched);
    assert_eq!(verified.keypoints, 0);
    assert!(verified.compared.iter().all(|one| one.inliers == 0));
    // Of equal ones the first: the nearest photo.
    let first = verified.compared.first();
    assert_eq!(first.and_then(|one| verified.shown(one.label)), first);
    let before = identifier.decide(&[embedding.clone().into()], 5).unwrap();
    assert_eq!(verified.answer, before);
}

#[test]
fn a_file_that_is_damaged_or_does_not_come_leaves_the_answer_and_is_named() {
    let (contents, files) = with_keypoints();
    let identifier = identifier(contents);
    let query = photo(1);
    let embedding = embed(&identifier, &query);
    let mut fetched = fetched(&identifier, &embedding, &files);
    let whole = fetched[2].clone();
    fetched[0].1 = Err("the network did not answer".to_owned());
    fetched[1].1.as_mut().unwrap()[40] ^= 1;
    fetched.push((99, whole.1.clone()));
    let verified = verify(&identifier, &query, &embedding, &fetched);
    assert_eq!(verified.compared.len(), 1);
    assert_eq!(verified.compared[0].row, whole.0);
    let reasons: Vec<&str> = verified
        .missing
        .iter()
        .map(|one| one.reason.as_str())
        .collect();
    assert_eq!(reasons[0], "the network did not answer");
    assert!(reasons[1].contains("wrong SHA-256"), "{}", reasons[1]);
    assert!(reasons[2].contains("no such photo"), "{}", reasons[2]);

    // Without any, the answer is what it was.
    for one in &mut fetched {
        one.1 = Err("gone".to_owned());
    }
    let verified = verify(&identifier, &query, &embedding, &fetched);
    let before = identifier.decide(&[embedding.clone().into()], 5).unwrap();
    assert_eq!(verified.answer, before);
    assert_eq!(verified.missing.len(), 4);
}

#[test]
fn a_bundle_without_keypoints_says_so() {
    let identifier = identifier(contents());
    let embedding = embed(&identifier, &photo(0));
    let error = identifier.to_verify(&embedding).unwrap_err();
    assert!(error.to_string().contains("no keypoints"), "{error}");
}

#[test]
fn a_bundle_without_keypoints_is_written_as_before() {
    for file in assemble(contents()).unwrap() {
        let text = String::from_utf8_lossy(&file.bytes);
        assert!(!text.contains("keypoints"), "{}", file.path);
        assert!(!text.contains("\"evidence\""), "{}", file.path);
    }
}

#[test]
fn facts_that_cannot_be_used_are_refused_when_the_bundle_is_opened() {
    type Damage = fn(&mut EvidenceFacts);
    let broken: [(Damage, &str); 4] = [
        (|facts| facts.chip.width = 0, "width"),
        (|facts| facts.compare.matching.ratio = 2.0, "ratio"),
        (|facts| facts.parameters.odds_weight = -1.0, "odds_weight"),
        (|facts| facts.options.affine = true, "network"),
    ];
    for (damage, word) in broken {
        let mut contents = contents();
        let mut facts = facts();
        damage(&mut facts);
        contents.evidence = Some(facts);
        let files = assemble(contents).unwrap();
        let error = Loader::new(&bytes_of(&files, "bundle.json")).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_file_of_keypoints_outside_the_bundle_is_refused() {
    let (mut contents, _) = with_keypoints();
    if let Some(file) = &mut contents.photos[1].keypoints {
        file.path = "../../other".to_owned();
    }
    let loader = common::loader(&assemble(contents).unwrap());
    let error = loader.finish().unwrap_err();
    assert!(error.to_string().contains("../../other"), "{error}");
}

#[test]
fn inliers_say_what_their_probability_allows() {
    let said = [1.0, 0.9, 0.899, 0.5, 0.499, 0.0, f64::NAN].map(Says::of);
    let [verified, likely, little] = [Says::Verified, Says::Likely, Says::Little];
    assert_eq!(
        said,
        [verified, verified, likely, likely, little, little, little]
    );
}
