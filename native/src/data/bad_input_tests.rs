//! What a user gets for good and for bad folders.

use super::catalogue::{Catalogue, Reading, Source};
use super::fixture::{Folder, picture};
use crate::{Error, Result};
use flukeprint_core::gallery::Label;
use flukeprint_core::photo::Region;
use image::ImageFormat;

const ROWS: [(&str, &str); 5] = [
    ("e.jpg", "w_b"),
    ("d.jpg", "new_whale"),
    ("c.jpg", "w_a"),
    ("b.jpg", "w_b"),
    ("a.jpg", "w_c"),
];

fn read(folder: &Folder) -> Result<Catalogue> {
    let reading = Reading {
        list_folder: Some(folder.path()),
        ..Reading::default()
    };
    Catalogue::read(&Source::kaggle(folder.path()), &reading)
}

/// The message, after making sure that it is one line, that the exit code is 2 and that `names` are
/// in it.
fn refusal(folder: &Folder, names: &[&str]) -> String {
    let error = read(folder).unwrap_err();
    let message = error.to_string();
    assert_eq!(error.exit_code(), 2);
    assert_eq!(message.lines().count(), 1, "{message}");
    for name in names {
        assert!(message.contains(name), "{message}");
    }
    message
}

#[test]
fn a_good_folder_is_read_in_its_order() {
    let folder = Folder::with(&ROWS);
    folder.table(
        "bounding_boxes.csv",
        "Image,x0,y0,x1,y1\nc.jpg,1,2,30,20\nother.jpg,0,0,900,900\n",
    );
    let catalogue = read(&folder).unwrap();
    assert_eq!(catalogue.individuals, ["w_a", "w_b", "w_c"]);
    let files: Vec<&str> = catalogue
        .photos
        .iter()
        .map(|photo| photo.file.as_str())
        .collect();
    assert_eq!(files, ["e.jpg", "d.jpg", "c.jpg", "b.jpg", "a.jpg"]);
    let labels: Vec<Label> = catalogue.photos.iter().map(|photo| photo.label).collect();
    let [a, b, c] = [0, 1, 2].map(Label::Individual);
    assert_eq!(labels, [b, Label::New, a, b, c]);
    let regions: Vec<bool> = catalogue
        .photos
        .iter()
        .map(|photo| photo.region.is_some())
        .collect();
    assert_eq!(regions, [false, false, true, false, false]);
    assert_eq!(
        catalogue.photos[2].region,
        Some(Region {
            x0: 1.0,
            y0: 2.0,
            x1: 30.0,
            y1: 20.0
        })
    );
    assert_eq!(
        catalogue.photos_by_individual(),
        [vec![2], vec![0, 3], vec![4]]
    );
    assert_eq!(catalogue.new_whale_photos(), [1]);
    assert_eq!(
        folder.names(),
        ["bounding_boxes.csv", "train", "train.csv"],
        "nothing is written"
    );
}

#[test]
fn photos_may_lie_in_folders_of_the_folder() {
    let folder = Folder::with(&[]);
    std::fs::create_dir(folder.path().join("train/2019")).unwrap();
    folder.photo("2019/a.png", &picture(9, 5, ImageFormat::Png));
    folder.table("train.csv", "Id,Image,Site\nw_a,./2019//a.png,Bay\n");
    let catalogue = read(&folder).unwrap();
    assert_eq!(catalogue.photos[0].file, "2019/a.png");
    assert_eq!(
        (
            catalogue.photos[0].size.width,
            catalogue.photos[0].size.height
        ),
        (9, 5)
    );
}

#[test]
fn other_individuals_than_the_known_are_new_whales() {
    let folder = Folder::with(&ROWS);
    let known = ["w_z", "w_b", "new_whale"].map(str::to_owned);
    let reading = Reading {
        known: Some(&known),
        ..Reading::default()
    };
    let catalogue = Catalogue::read(&Source::kaggle(folder.path()), &reading).unwrap();
    assert_eq!(catalogue.individuals, known);
    let labels: Vec<Label> = catalogue.photos.iter().map(|photo| photo.label).collect();
    let (new, b) = (Label::New, Label::Individual(1));
    assert_eq!(labels, [b, new, new, b, new]);
    let error = catalogue
        .require_each_individual(&[0, 1, 2], "gallery photos")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "whale `w_z` has no photo among the gallery photos; add one or remove the whale"
    );
}

#[test]
fn queries_that_are_all_new_whales_are_fine_when_the_known_are_given() {
    let folder = Folder::with(&[("a.jpg", "new_whale")]);
    let reading = Reading {
        known: Some(&[]),
        ..Reading::default()
    };
    assert!(Catalogue::read(&Source::kaggle(folder.path()), &reading).is_ok());
}

#[test]
fn a_missing_folder_is_named() {
    let folder = Folder::with(&[]);
    std::fs::remove_dir(folder.path().join("train")).unwrap();
    refusal(&folder, &["no folder", "train"]);
}

#[test]
fn a_missing_table_is_named() {
    let folder = Folder::with(&[]);
    std::fs::remove_file(folder.path().join("train.csv")).unwrap();
    refusal(&folder, &["no file", "train.csv"]);
}

#[test]
fn a_table_of_boxes_that_was_asked_for_must_be_there() {
    let folder = Folder::with(&ROWS);
    let boxes = Some(folder.path().join("my_boxes.csv"));
    let source = Source {
        boxes,
        ..Source::kaggle(folder.path())
    };
    let error = Catalogue::read(&source, &Reading::default()).unwrap_err();
    assert!(error.to_string().contains("my_boxes.csv"), "{error}");
}

#[test]
fn tables_without_the_columns_are_named_with_them() {
    let folder = Folder::with(&ROWS);
    folder.table("bounding_boxes.csv", "Image,x,y,w,h\n");
    refusal(
        &folder,
        &[
            "bounding_boxes.csv",
            "[Image, x, y, w, h]",
            "[Image, x0, y0, x1, y1]",
        ],
    );
    folder.table("train.csv", "image,label\n");
    refusal(&folder, &["train.csv", "[image, label]", "[Image, Id]"]);
}

#[test]
fn an_empty_catalogue_is_refused() {
    refusal(&Folder::with(&[]), &["train.csv", "no photo"]);
}

#[test]
fn a_catalogue_of_new_whales_alone_is_refused() {
    refusal(
        &Folder::with(&[("a.jpg", "new_whale"), ("b.jpg", "new_whale")]),
        &["train.csv", "new_whale"],
    );
}

#[test]
fn a_row_whose_photo_is_missing_is_named() {
    let folder = Folder::with(&ROWS);
    std::fs::remove_file(folder.path().join("train/b.jpg")).unwrap();
    let message = refusal(&folder, &["train.csv line 5", "b.jpg", "missing"]);
    assert!(
        !message.contains("left with no photo"),
        "w_b has another: {message}"
    );
}

#[test]
fn an_empty_a_cut_and_an_undecodable_photo_are_named() {
    let whole = picture(40, 20, ImageFormat::Jpeg);
    let cases = [
        (&b""[..], "empty"),
        (&whole[..whole.len() / 2], "cut short"),
        (b"hello", "decoded"),
    ];
    for (bytes, word) in cases {
        let folder = Folder::with(&ROWS);
        folder.photo("b.jpg", bytes);
        refusal(&folder, &["train.csv line 5", "b.jpg", word]);
    }
}

#[test]
fn two_rows_for_one_photo_are_refused_with_the_same_id_and_with_another() {
    for (again, id) in [("a.jpg", "w_c"), ("a.jpg", "w_b"), ("./a.jpg", "w_c")] {
        let folder = Folder::with(&ROWS);
        let text = std::fs::read_to_string(folder.path().join("train.csv")).unwrap();
        folder.table("train.csv", &format!("{text}{again},{id}\n"));
        refusal(&folder, &["train.csv line 7", "a.jpg", "line 6", "w_c"]);
    }
}

#[test]
fn a_photo_without_an_id_is_named() {
    for row in ["a.jpg,", "a.jpg", "a.jpg,\"  \""] {
        let folder = Folder::with(&ROWS);
        folder.table("train.csv", &format!("Image,Id\ne.jpg,w_b\n{row}\n"));
        refusal(&folder, &["train.csv line 3", "a.jpg", "no Id"]);
    }
}

#[test]
fn a_whale_with_no_photo_is_named() {
    let folder = Folder::with(&ROWS);
    folder.table("train.csv", "Image,Id\ne.jpg,w_b\n,w_lonely\n");
    refusal(
        &folder,
        &["train.csv line 3", "whale `w_lonely` is left with no photo"],
    );
}

#[test]
fn a_whale_whose_only_photo_cannot_be_used_is_named() {
    let folder = Folder::with(&ROWS);
    std::fs::remove_file(folder.path().join("train/c.jpg")).unwrap();
    refusal(
        &folder,
        &[
            "train.csv line 4",
            "c.jpg",
            "whale `w_a` is left with no photo",
        ],
    );
}

#[test]
fn a_photo_outside_the_folder_is_refused() {
    for image in [
        "../train.csv",
        "/etc/hostname",
        "x/../../train.csv",
        "..\\a.jpg",
        ".",
        "a.jpg/..",
    ] {
        let folder = Folder::with(&ROWS);
        folder.table("train.csv", &format!("Image,Id\ne.jpg,w_b\n{image},w_a\n"));
        refusal(&folder, &["train.csv line 3", image, "outside the folder"]);
    }
}

#[test]
fn boxes_that_are_none_are_named() {
    let cases = [
        ("c.jpg,0,0,50,10", "outside the photo of 40 x 20"),
        ("c.jpg,-9,0,30,10", "outside the photo of 40 x 20"),
        ("c.jpg,30,0,10,10", "inside out"),
        ("c.jpg,1,2,three,10", "x1 = `three`"),
        ("e.jpg,0,0,5,5", "box already on line 2"),
    ];
    for (row, words) in cases {
        let folder = Folder::with(&ROWS);
        folder.table(
            "bounding_boxes.csv",
            &format!("Image,x0,y0,x1,y1\ne.jpg,0,0,9,9\n{row}\n"),
        );
        refusal(&folder, &["bounding_boxes.csv line 3", &row[..5], words]);
    }
}

#[test]
fn many_bad_rows_are_one_line_and_a_list() {
    let folder = Folder::with(&ROWS);
    std::fs::remove_file(folder.path().join("train/a.jpg")).unwrap();
    folder.photo("c.jpg", b"");
    folder.table("bounding_boxes.csv", "Image,x0,y0,x1,y1\ne.jpg,0,0,9,90\n");
    let list = folder.path().join("bad-rows.txt");
    let list_name = list.display().to_string();
    let first = "(first: train.csv line 4: photo `c.jpg` is empty; copy it again; whale `w_a` is left with no photo)";
    refusal(&folder, &["3 of 6 rows cannot be used", first, &list_name]);
    let listed = std::fs::read_to_string(&list).unwrap();
    let starts: Vec<&str> = listed
        .lines()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            "train.csv line 4",
            "train.csv line 6",
            "bounding_boxes.csv line 2"
        ]
    );
    assert_eq!(
        folder.names(),
        ["bad-rows.txt", "bounding_boxes.csv", "train", "train.csv"]
    );
}

#[test]
fn rows_count_among_the_tables_that_have_bad_ones() {
    let folder = Folder::with(&ROWS);
    folder.photo("c.jpg", b"");
    folder.photo("a.jpg", b"");
    folder.table("bounding_boxes.csv", "Image,x0,y0,x1,y1\ne.jpg,0,0,9,9\n");
    refusal(&folder, &["2 of 5 rows"]);
}

#[test]
fn without_a_folder_for_the_list_it_goes_to_the_temporary_one() {
    let folder = Folder::with(&ROWS);
    folder.photo("a.jpg", b"");
    folder.photo("b.jpg", b"");
    let missing = folder.path().join("not/there");
    let reading = Reading {
        list_folder: Some(&missing),
        ..Reading::default()
    };
    let error = Catalogue::read(&Source::kaggle(folder.path()), &reading).unwrap_err();
    let Error::Rows {
        list: Some(list), ..
    } = error
    else {
        unreachable!("{error}")
    };
    assert_eq!(std::fs::read_to_string(&list).unwrap().lines().count(), 2);
    assert!(!missing.exists());
    std::fs::remove_file(list).unwrap();
}
