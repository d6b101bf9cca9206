//! The recipes that come with the program.

/// Name and TOML of each.
macro_rules! recipes {
    ($($folder:literal: $($name:literal)*;)*) => {
        &[$($(($name, include_str!(concat!("../../../recipes/", $folder, $name, ".toml"))),)*)*]
    };
}

/// Recipes to train with.
pub const RECIPES: &[(&str, &str)] = recipes! {
    "":
        "demo" "small" "small-scratch" "tiny"
        "humpback-finder" "humpback-first" "humpback-second" "humpback-third" "humpback-mirrored"
        "humpback-strong" "humpback-large" "humpback-all" "humpback-kept";
};

/// Recipes of descriptors.
pub const DESCRIPTORS: &[(&str, &str)] = recipes! {
    "": "hardnet";
};

/// The steps of the ladder (spec, *The ladder*), in its order: recipes, and ensembles of them.
pub const LADDER: &[(&str, &str)] = recipes! {
    "ladder/":
        "resnet50-center" "resnet50-temperature" "resnet50-boxes" "resnet152"
        "resnet50-nearest" "resnet152-nearest" "both-nearest"
        "resnet50-heads" "se-resnext50" "se-resnext50-512" "se-resnext50-ring"
        "vgg16-bn" "vgg16-bn-gem"
        "se-resnext50-triplet" "inception-v4-triplet" "densenet121-triplet" "vgg16-bn-triplet"
        "ensemble" "ensemble-balanced";
};

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| *name)
}

/// The TOML of that name.
pub fn text(name: &str) -> Option<&'static str> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

fn all() -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    RECIPES.iter().chain(DESCRIPTORS).chain(LADDER)
}
