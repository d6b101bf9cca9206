//! Which photos are found and which a table means.

use super::*;
use crate::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn names(found: &Found) -> Vec<&str> {
    found
        .photos
        .iter()
        .map(|photo| photo.name.as_str())
        .collect()
}

fn found(folder: &Path) -> Found {
    find_photos(&[folder.to_owned()]).unwrap()
}

fn table(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

#[test]
fn a_folder_gives_its_photos_by_name_and_counts_the_rest() {
    let season = folder(&[
        "b/2.PNG",
        "b/10.jpeg",
        "a.JPG",
        "c.webp",
        "notes.txt",
        "._a.jpg",
        "raw.cr2",
    ]);
    let season = found(season.path());
    assert_eq!(names(&season), ["a.JPG", "b/10.jpeg", "b/2.PNG", "c.webp"]);
    assert_eq!((season.others, season.repeated), (3, 0));
}

#[test]
fn a_photo_that_is_given_twice_is_there_once_and_a_missing_one_keeps_its_place() {
    let season = folder(&["a.jpg", "b.jpg"]);
    let at = |name: &str| season.path().join(name);
    let given = [at("b.jpg"), at("no.jpg"), season.path().to_owned()];
    let found = find_photos(&given).unwrap();
    assert_eq!(names(&found), ["b.jpg", "no.jpg", "a.jpg"]);
    assert_eq!(found.repeated, 1);
}

#[test]
fn a_folder_without_photos_is_named_with_what_it_holds() {
    let empty = folder(&["notes.txt"]);
    let error = find_photos(&[empty.path().to_owned()]).unwrap_err();
    assert!(
        matches!(error, Error::NoPhotosIn { others: 1, .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), 2);
    assert!(
        error
            .to_string()
            .contains(&empty.path().display().to_string())
    );
}

#[test]
fn encounters_are_read_by_path_or_file_name() {
    let season = folder(&["a.jpg", "b/c.jpg", "d.jpg", "e.jpg", "f.jpg"]);
    let found = found(season.path());
    let names = Names::new(&found.photos);
    let table =
        table("Encounter,Image\nnoon,d.jpg\ndawn,b/c.jpg\nnoon,a.jpg\n,e.jpg\nnoon,else.jpg\n");
    let encounters = Encounters::read(table.path(), &names).unwrap();
    let encounter = |name: &str, photos: &[usize]| Encounter {
        name: name.to_owned(),
        photos: photos.to_vec(),
    };
    assert_eq!(
        encounters.encounters,
        [encounter("noon", &[0, 2]), encounter("dawn", &[1])]
    );
    assert_eq!(encounters.elsewhere, 1);
}

#[test]
fn encounters_that_cannot_be_meant_are_refused_in_one_line() {
    let season = folder(&["a.jpg", "b/a.jpg", "b/c.jpg", "d/c.jpg"]);
    let found = found(season.path());
    let names = Names::new(&found.photos);
    for (text, word) in [
        ("Image,Encounter\nc.jpg,noon\n", "b/c.jpg or "),
        (
            "Image,Encounter\na.jpg,noon\na.jpg,dawn\n",
            "line 2 and again on line 3",
        ),
        ("Image,Encounter\n,noon\n", "line 2 names no photo"),
        ("Image,Encounter\nelse.jpg,noon\n", "no row"),
        ("Image,Encounter\n", "no row"),
        ("Photo,Sighting\na.jpg,noon\n", "Image, Encounter"),
    ] {
        let table = table(text);
        let error = Encounters::read(table.path(), &names)
            .unwrap_err()
            .to_string();
        assert!(error.contains(word) && !error.contains('\n'), "{error}");
    }
    // The whole path is clear where the file name is not.
    let clear = table("Image,Encounter\nd/c.jpg,noon\na.jpg,noon\n");
    let encounters = Encounters::read(clear.path(), &names).unwrap().encounters;
    assert_eq!(encounters[0].photos, [0, 3]);
}

#[test]
fn boxes_are_found_by_path_first_and_an_unclear_one_is_refused() {
    let season = folder(&["a.jpg", "b/a.jpg", "b/c.jpg"]);
    let found = found(season.path());
    let names = Names::new(&found.photos);
    let clear = table("Image,x0,y0,x1,y1\na.jpg,0,0,9,9\nb/a.jpg,1,1,5,5\nc.jpg,2,2,4,4\n");
    let boxes = names.boxes(clear.path()).unwrap();
    let lefts: Vec<f32> = boxes.iter().map(|region| region.unwrap().x0).collect();
    assert_eq!(lefts, [0.0, 1.0, 2.0]);

    let photos: Vec<PhotoFile> = ["x/c.jpg", "y/c.jpg"]
        .map(|name| PhotoFile {
            path: PathBuf::from(name),
            name: name.to_owned(),
        })
        .into();
    let unclear = table("Image,x0,y0,x1,y1\nc.jpg,2,2,4,4\n");
    let error = Names::new(&photos).boxes(unclear.path()).unwrap_err();
    assert!(matches!(error, Error::SameName { .. }), "{error}");
}
