//! The worst mistakes, a card each.

use super::super::mistakes::{Mistake, Shown};
use super::markup::section;
use super::{escape, pictures};

/// The section of all.
pub(super) fn mistakes(mistakes: &[Mistake]) -> String {
    let title = "The worst mistakes";
    if mistakes.is_empty() {
        return section(title, "<p>Every first answer is right.</p>\n");
    }
    let lead = "<p>Wrong first answers, the most certain first: the photo, the photo that it was taken to be \
                like, and the gallery's nearest photo of the right whale. Now and then it is the label that is \
                wrong.</p>\n";
    let cards: String = mistakes.iter().map(card).collect();
    section(
        title,
        &format!("{lead}<ol class=\"mistakes\">\n{cards}</ol>\n"),
    )
}

fn name(whale: Option<&str>) -> String {
    whale.map_or_else(
        || "a new whale".to_owned(),
        |whale| format!("whale {whale}"),
    )
}

fn card(mistake: &Mistake) -> String {
    let shows = name(mistake.shows.as_deref());
    let taken = name(mistake.taken_for.as_deref());
    let words = format!(
        "<p><strong>{}</strong> taken for <strong>{}</strong> with {:.0} %; the right answer came at place \
         {}.</p>\n",
        escape(&shows),
        escape(&taken),
        100.0 * mistake.probability,
        mistake.rank
    );
    let like = mistake.like.as_ref();
    let right = mistake.right.as_ref();
    let right_caption = match mistake.shows {
        Some(_) => shows.clone(),
        None => "not in the gallery".to_owned(),
    };
    let like_caption = match mistake.taken_for {
        Some(_) => format!("taken for {taken}"),
        None => "the nearest photo of a new whale".to_owned(),
    };
    let three = [
        picture(Some(&mistake.photo), &format!("the photo: {shows}")),
        picture(like, &like_caption),
        picture(right, &format!("right: {right_caption}")),
    ];
    format!(
        "<li>\n{words}<div class=\"three\">\n{}</div>\n</li>\n",
        three.concat()
    )
}

fn picture(shown: Option<&Shown>, caption: &str) -> String {
    let none = |why: &str| format!("<div class=\"none\">{why}</div>");
    let (picture, file) = match shown {
        None => (none("no photo to show"), String::new()),
        Some(shown) => {
            let file = format!("<br>{}", escape(&shown.file));
            let alt = escape(&format!("Photo {}; {caption}", shown.file));
            let picture = match pictures::data_uri(shown) {
                Some(uri) => format!("<img src=\"{uri}\" alt=\"{alt}\">"),
                None => none("this photo is not on this disk"),
            };
            (picture, file)
        }
    };
    format!(
        "<figure>{picture}<figcaption>{}{file}</figcaption></figure>\n",
        escape(caption)
    )
}
