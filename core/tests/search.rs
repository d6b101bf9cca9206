//! Answers for which all photos of the gallery vote, as whoever has a bundle's keypoints relies on them.
#![allow(clippy::unwrap_used)]

mod common;

use common::spots::{WHOLE, bytes_of, embed, gray, look, photo, with_keypoints};
use common::{identifier, now};
use flukeprint_core::bundle::{Contents, FileEntry, Loader, SearchFacts, StaticFile, assemble};
use flukeprint_core::decision::EvidenceParameters;
use flukeprint_core::evidence::Features;
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Identifier, VerifiedAnswer};
use flukeprint_core::photo::Photo;

/// Only the first whale by score is compared, and the first by votes.
fn facts(verify: &EvidenceParameters) -> SearchFacts {
    SearchFacts {
        index: IndexOptions::default(),
        vote: VoteOptions::default(),
        parameters: EvidenceParameters {
            whales: 1,
            votes_weight: 2.0,
            new_raise: 0.1,
            ..verify.clone()
        },
    }
}

fn searchable() -> (Contents, Vec<StaticFile>) {
    let (mut contents, files) = with_keypoints();
    let evidence = contents.evidence.as_mut().unwrap();
    evidence.search = Some(facts(&evidence.parameters));
    (contents, files)
}

/// The index of the photos of whales 0 to 3 but for those `without` keypoints.
fn index(without: &[u32]) -> Index {
    let photos: Vec<Features> = (0..4)
        .map(|number| match without.contains(&number) {
            true => Features::default(),
            false => look(&photo(number)),
        })
        .collect();
    Index::build(&photos, &IndexOptions::default())
}

fn search(
    identifier: &Identifier,
    files: &[StaticFile],
    index: &Index,
    photo: &Photo,
) -> VerifiedAnswer {
    let embedding = embed(identifier, photo);
    let fetch = |file: &FileEntry| Ok(bytes_of(files, &file.path));
    now(identifier.search(index, (photo, WHOLE), &embedding, fetch, 5)).unwrap()
}

fn before(identifier: &Identifier, photo: &Photo) -> flukeprint_core::decision::Answer {
    let embedding = embed(identifier, photo);
    identifier.decide(&[embedding.into()], 5).unwrap()
}

#[test]
fn a_whale_that_the_network_puts_last_is_found_by_its_votes() {
    let (contents, files) = searchable();
    let identifier = identifier(contents);
    let index = index(&[]);
    let mut found_by_votes_alone = 0;
    for number in 0..4 {
        let query = photo(number);
        let first = before(&identifier, &query).candidates[0].label;
        found_by_votes_alone += usize::from(first != Label::Individual(number));
        let searched = search(&identifier, &files, &index, &query);
        let best = searched.answer.candidates[0];
        assert_eq!(best.label, Label::Individual(number));
        assert!(searched.missing.is_empty());
        let same = searched.compared.iter().find(|one| one.row == number);
        assert!(same.unwrap().duplicate);
        let most = searched.findings.votes.iter().copied().fold(0.0, f32::max);
        assert_eq!(searched.findings.votes[number as usize], most);
        assert_eq!(searched.findings.votes.len(), 5);
    }
    assert!(found_by_votes_alone >= 2, "{found_by_votes_alone}");
}

#[test]
fn a_photo_whose_file_is_gone_does_not_vote_and_the_answer_stands() {
    let (contents, files) = searchable();
    let identifier = identifier(contents);
    let query = photo(2);
    let searched = search(&identifier, &files, &index(&[2]), &query);
    assert_eq!(searched.findings.votes[2], 0.0);
    assert_eq!(searched.answer.candidates.len(), 5);

    // Where it cannot be compared with either, that is said.
    let embedding = embed(&identifier, &query);
    let gone = |_: &FileEntry| Err("gone".to_owned());
    let all = index(&[]);
    let searched = identifier.search(&all, (&query, WHOLE), &embedding, gone, 5);
    let searched = now(searched).unwrap();
    assert!(searched.compared.is_empty());
    assert!(
        searched
            .missing
            .iter()
            .any(|one| one.row == 2 && one.reason == "gone")
    );
    // Its votes speak for it still, and against nobody: `New` stays where it was.
    assert_eq!(searched.answer.candidates[0].label, Label::Individual(2));
    let new = before(&identifier, &query).new.score;
    assert_eq!(searched.answer.new.score, new);
}

#[test]
fn where_nobody_can_vote_or_nothing_is_seen_the_answer_is_what_it_was() {
    let (contents, files) = searchable();
    let identifier = identifier(contents);
    let query = photo(1);
    let embedding = embed(&identifier, &query);
    let gone = |_: &FileEntry| Err("gone".to_owned());
    let nobody = index(&[0, 1, 2, 3]);
    let searched = identifier.search(&nobody, (&query, WHOLE), &embedding, gone, 5);
    assert_eq!(now(searched).unwrap().answer, before(&identifier, &query));

    let searched = search(&identifier, &files, &index(&[]), &gray());
    assert_eq!(searched.keypoints, 0);
    assert_eq!(searched.answer, before(&identifier, &gray()));
}

#[test]
fn an_index_of_another_gallery_and_a_bundle_without_a_vote_are_refused() {
    let (contents, _) = searchable();
    let searching = identifier(contents);
    let query = photo(0);
    let embedding = embed(&searching, &query);
    let ask = |identifier: &Identifier, index: &Index| {
        let gone = |_: &FileEntry| Err("gone".to_owned());
        let searched = identifier.search(index, (&query, WHOLE), &embedding, gone, 5);
        now(searched).unwrap_err().to_string()
    };
    let smaller = Index::build(&[Features::default()], &IndexOptions::default());
    assert!(ask(&searching, &smaller).contains("another gallery"));
    let verifying = identifier(with_keypoints().0);
    assert!(ask(&verifying, &index(&[])).contains("tune --evidence"));
}

#[test]
fn a_search_of_before_a_reach_was_asked_for_looks_everywhere() {
    let text = r#"{"neighbours": 4, "probes": 16}"#;
    let vote: VoteOptions = serde_json::from_str(text).unwrap();
    assert_eq!((vote.reach, vote.validate().is_ok()), (2.0, true));
}

#[test]
fn a_bundle_that_does_not_tell_of_votes_is_written_as_before() {
    let manifest = bytes_of(&assemble(with_keypoints().0).unwrap(), "bundle.json");
    assert!(!String::from_utf8(manifest).unwrap().contains("search"));
}

#[test]
fn a_vote_that_cannot_be_held_is_refused_when_the_bundle_is_opened() {
    type Damage = fn(&mut SearchFacts);
    let broken: [(Damage, &str); 5] = [
        (|facts| facts.vote.probes = 0, "probes"),
        (|facts| facts.vote.reach = 0.0, "reach"),
        (|facts| facts.vote.neighbours = 4000, "neighbours"),
        (|facts| facts.index.rounds = 4000, "rounds"),
        (|facts| facts.parameters.votes_weight = -1.0, "votes_weight"),
    ];
    for (damage, word) in broken {
        let (mut contents, _) = searchable();
        damage(contents.evidence.as_mut().unwrap().search.as_mut().unwrap());
        let files = assemble(contents).unwrap();
        let error = Loader::new(&bytes_of(&files, "bundle.json")).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
