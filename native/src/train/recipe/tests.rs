//! Recipes as a person writes them.

use super::shipped::{LADDER, RECIPES};
use super::{ClassifierKind, Recipe};
use flukeprint_core::model::pool::{Cut, Pooling};

const DEMO: &str = RECIPES[0].1;

fn refusal(text: &str) -> String {
    let message = Recipe::parse("mine.toml", text).unwrap_err().to_string();
    assert!(message.contains("mine.toml"), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn every_shipped_recipe_is_one_and_survives_its_own_toml() {
    let ladder = LADDER.iter().filter(|(_, text)| !text.contains("members"));
    for &(name, text) in RECIPES.iter().chain(ladder) {
        let recipe = Recipe::load(name).unwrap();
        assert_eq!(recipe.name, name);
        let toml = recipe.to_toml().unwrap();
        assert_eq!(
            Recipe::parse(name, &toml).unwrap(),
            Recipe::parse(name, text).unwrap()
        );
    }
}

#[test]
fn a_switch_that_is_off_leaves_the_recipes_hash_alone() {
    let toml = Recipe::load("demo").unwrap().to_toml().unwrap();
    for key in [
        "samples",
        "center",
        "boxes",
        "narrow",
        "erasing",
        "rgb",
        "views",
        "unseen_whales",
    ] {
        assert!(!toml.contains(&format!("{key} =")), "{key}");
        assert!(!toml.contains(&format!("[{key}]")), "{key}");
    }
}

#[test]
fn views_and_augmentation_are_read_and_reach_the_inputs() {
    let text = "base = \"demo\"\n[input]\nviews = [0.0, 0.2]\n\
                [augmentation]\nerasing = 0.5\nrgb = 1.0\n";
    let recipe = Recipe::parse("mine.toml", text).unwrap();
    assert_eq!(recipe.preprocessing().views, [0.0, 0.2]);
    let augmentation = &recipe.augmentation;
    assert_eq!((augmentation.erasing, augmentation.rgb), (0.5, 1.0));
    let toml = recipe.to_toml().unwrap();
    assert_eq!(Recipe::parse("mine.toml", &toml).unwrap(), recipe);
    assert!(
        Recipe::load("demo")
            .unwrap()
            .preprocessing()
            .views
            .is_empty()
    );
}

#[test]
fn whales_are_kept_out_as_the_recipe_says() {
    let text = "base = \"demo\"\n[validation]\nunseen_whales = 40\n";
    let recipe = Recipe::parse("mine.toml", text).unwrap();
    assert_eq!(recipe.validation.unseen_whales, 40);
    assert_eq!(recipe.validation.new_whales, 1000);
    let toml = recipe.to_toml().unwrap();
    assert_eq!(Recipe::parse("mine.toml", &toml).unwrap(), recipe);
    assert_eq!(Recipe::load("demo").unwrap().validation.unseen_whales, 0);
}

#[test]
fn a_recipe_stands_on_its_base() {
    let first = Recipe::load("resnet50-center").unwrap();
    assert_eq!(first.model.pooling, Pooling::MaxAverage);
    assert!(!first.input.boxes && !first.classifier.per_head);
    let later = Recipe::load("vgg16-bn-triplet").unwrap();
    assert_eq!((later.model.heads, later.model.head_width), (4, 512));
    assert_eq!(later.model.cut, Cut::Stripes);
    assert_eq!(later.model.pooling, Pooling::Gem);
    assert_eq!((later.ring, later.center), (0.01, 0.0));
    assert_eq!((later.head.epochs, later.full.epochs), (100, 100));
    assert!(later.input.boxes && later.classifier.per_head);
    assert_eq!(later.classifier.kind, ClassifierKind::Linear);
}

#[test]
fn a_circle_of_bases_and_an_unknown_base_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("circle.toml");
    let name = path.to_str().unwrap();
    std::fs::write(&path, format!("base = {name:?}\n")).unwrap();
    let message = Recipe::load(name).unwrap_err().to_string();
    assert!(message.contains("circle"), "{message}");
    let message = Recipe::parse("mine.toml", "base = \"vgg16\"").unwrap_err();
    let message = message.to_string();
    assert!(message.ends_with("did you mean vgg16-bn?"), "{message}");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let message = refusal(&DEMO.replace("clip =", "clap ="));
    assert!(message.contains("clap"), "{message}");
    assert!(message.ends_with("did you mean clip?"), "{message}");
    let message = refusal("base = \"demo\"\nclap = 3");
    assert!(message.ends_with("did you mean clip?"), "{message}");
}

#[test]
fn an_unknown_backbone_or_loss_names_the_nearest() {
    let message = refusal(&DEMO.replace("\"compact\"", "\"resnet-50\""));
    assert!(message.ends_with("did you mean resnet50?"), "{message}");
    let message = refusal("base = \"demo\"\n[classifier]\nkind = \"arkface\"");
    assert!(message.ends_with("did you mean arcface?"), "{message}");
    let message = refusal("base = \"demo\"\n[classifier]\nloss = \"fokal\"");
    assert!(message.ends_with("did you mean focal?"), "{message}");
}

#[test]
fn an_unknown_recipe_names_the_nearest() {
    let message = Recipe::load("demmo").unwrap_err().to_string();
    assert!(message.ends_with("did you mean demo?"), "{message}");
}

#[test]
fn an_ensemble_is_no_recipe_to_train() {
    let message = Recipe::load("ensemble").unwrap_err().to_string();
    assert!(message.contains("flukeprint ladder"), "{message}");
}

#[test]
fn too_many_stripes_for_the_width_are_refused() {
    let message = refusal(&DEMO.replace("heads = 4", "heads = 99"));
    assert!(message.contains("99"), "{message}");
    let whole = DEMO.replace("heads = 4", "heads = 99\ncut = \"whole\"");
    assert!(Recipe::parse("mine.toml", &whole).is_ok());
}

#[test]
fn numbers_out_of_range_are_named() {
    for (from, to, name) in [
        ("ring = 0.01", "ring = -1.0", "ring"),
        ("ring = 0.01", "ring = 0.01\ncenter = nan", "center"),
        (
            "[model]",
            "[samples]\nmixup = -0.5\n[model]",
            "samples.mixup",
        ),
        (
            "[model]",
            "[samples]\nat_least = 0\n[model]",
            "samples.at_least",
        ),
        (
            "[model]",
            "[classifier]\ncenters = 0\n[model]",
            "classifier.centers",
        ),
        ("[model]", "[model]\nnarrow = 3", "narrow"),
        (
            "margin = 0.1",
            "margin = 0.1\nviews = [0.0, 1.5]",
            "views is 1.5",
        ),
        (
            "margin = 0.1",
            "margin = 0.1\nviews = [-0.25]",
            "views is -0.25",
        ),
        (
            "[augmentation]",
            "[augmentation]\nerasing = 2.0",
            "`erasing` is 2",
        ),
        (
            "[augmentation]",
            "[augmentation]\nrgb = nan",
            "`rgb` is NaN",
        ),
    ] {
        let message = refusal(&DEMO.replace(from, to));
        assert!(message.contains(name), "{name}: {message}");
    }
}
