//! MXNet/GluonCV's names.

use flukeprint_core::model::named::Named;

/// MobileNetV2 under GluonCV's names, renamed to ours. What has no name of ours keeps its own, so
/// that it is reported.
pub fn mobilenet_v2(weights: Named) -> Named {
    weights
        .into_iter()
        .map(|(name, values)| (rename(&name).unwrap_or(name), values))
        .collect()
}

fn rename(name: &str) -> Option<String> {
    let rest = name.strip_prefix("mobilenetv20_features_")?;
    let (layer, rest) = match rest.strip_prefix("linearbottleneck") {
        Some(rest) => {
            let (block, rest) = rest.split_once('_')?;
            let part = match rest
                .strip_prefix("conv")
                .or_else(|| rest.strip_prefix("batchnorm"))?
                .chars()
                .next()?
            {
                '0' => "expand",
                '1' => "depthwise",
                '2' => "project",
                _ => return None,
            };
            (format!("blocks.{block}.{part}"), rest)
        }
        None if rest.starts_with("conv0_") || rest.starts_with("batchnorm0_") => {
            ("stem".to_owned(), rest)
        }
        None if rest.starts_with("conv1_") || rest.starts_with("batchnorm1_") => {
            ("last".to_owned(), rest)
        }
        None => return None,
    };
    let (_, tensor) = rest.split_once('_')?;
    let tensor = match tensor {
        "weight" => "conv.weight",
        other if ["gamma", "beta", "running_mean", "running_var"].contains(&other) => {
            &format!("norm.{other}")
        }
        _ => return None,
    };
    Some(format!("{layer}.{tensor}"))
}

#[cfg(test)]
mod tests {
    use super::rename;

    #[test]
    fn names_are_ours() {
        for (theirs, ours) in [
            ("mobilenetv20_features_conv0_weight", "stem.conv.weight"),
            (
                "mobilenetv20_features_batchnorm1_running_var",
                "last.norm.running_var",
            ),
            (
                "mobilenetv20_features_linearbottleneck12_conv1_weight",
                "blocks.12.depthwise.conv.weight",
            ),
            (
                "mobilenetv20_features_linearbottleneck0_batchnorm2_gamma",
                "blocks.0.project.norm.gamma",
            ),
        ] {
            assert_eq!(rename(theirs).as_deref(), Some(ours));
        }
        assert_eq!(rename("mobilenetv20_output_pred_weight"), None);
    }
}
