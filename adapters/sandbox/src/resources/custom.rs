//! Resources that a `CustomResourceDefinition` describes.

use std::borrow::Cow;

use serde_json::Value;

use super::{Custom, Resource, Subresource, Word};

const VERBS: [&str; 8] = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// A column of `additionalPrinterColumns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrinterColumn {
    /// Heading.
    pub name: String,
    /// `OpenAPI` type: `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: String,
    /// `OpenAPI` format; mostly empty.
    pub format: String,
    /// What the column means; mostly empty.
    pub description: String,
    /// 0 is always shown, above that only in wide output.
    pub priority: i64,
    /// Where the value stands in the object: `.status.phase`.
    pub json_path: String,
}

/// Where the `scale` subresource of a custom resource finds its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalePaths {
    /// `specReplicasPath`: `.spec.replicas`.
    pub spec_replicas: String,
    /// `statusReplicasPath`: `.status.replicas`.
    pub status_replicas: String,
    /// `labelSelectorPath`: `.status.selector`.
    pub selector: Option<String>,
}

pub(super) fn definition_name(crd: &Value) -> Option<String> {
    Some(format!("{}.{}", text(crd, "/spec/names/plural")?, text(crd, "/spec/group")?))
}

/// The served versions of a definition, the preferred one first.
pub(super) fn resources(crd: &Value) -> Vec<Resource> {
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut served: Vec<Resource> = versions.iter().filter_map(|version| resource(crd, version)).collect();
    served.sort_by_key(|resource| std::cmp::Reverse(version_rank(&resource.version)));
    served
}

fn resource(crd: &Value, version: &Value) -> Option<Resource> {
    if version.get("served") != Some(&Value::Bool(true)) {
        return None;
    }
    let kind = text(crd, "/spec/names/kind")?;
    let singular = text(crd, "/spec/names/singular").unwrap_or_else(|| kind.to_lowercase());
    let list_kind = text(crd, "/spec/names/listKind").unwrap_or_else(|| format!("{kind}List"));
    let scale = scale(version);
    Some(Resource {
        group: text(crd, "/spec/group")?.into(),
        version: text(version, "/name")?.into(),
        subresources: subresources(version, &kind, scale.is_some()),
        kind: kind.into(),
        list_kind: list_kind.into(),
        plural: text(crd, "/spec/names/plural")?.into(),
        singular: singular.into(),
        short_names: texts(crd, "/spec/names/shortNames"),
        namespaced: crd.pointer("/spec/scope").and_then(Value::as_str) == Some("Namespaced"),
        categories: texts(crd, "/spec/names/categories"),
        verbs: VERBS.map(Cow::Borrowed).to_vec(),
        custom: Some(Custom {
            definition: definition_name(crd)?,
            columns: columns(version),
            scale,
            schema: version.pointer("/schema/openAPIV3Schema").cloned().unwrap_or_default(),
        }),
    })
}

fn subresources(version: &Value, kind: &str, scalable: bool) -> Vec<Subresource> {
    let verbs = || ["get", "patch", "update"].map(Cow::Borrowed).to_vec();
    let status = version.pointer("/subresources/status").map(|_| Subresource {
        name: "status".into(),
        group: "".into(),
        version: "".into(),
        kind: kind.to_owned().into(),
        verbs: verbs(),
    });
    let scale = scalable.then(|| Subresource {
        name: "scale".into(),
        group: "autoscaling".into(),
        version: "v1".into(),
        kind: "Scale".into(),
        verbs: verbs(),
    });
    status.into_iter().chain(scale).collect()
}

fn scale(version: &Value) -> Option<ScalePaths> {
    let scale = version.pointer("/subresources/scale")?;
    Some(ScalePaths {
        spec_replicas: text(scale, "/specReplicasPath")?,
        status_replicas: text(scale, "/statusReplicasPath")?,
        selector: text(scale, "/labelSelectorPath"),
    })
}

fn columns(version: &Value) -> Vec<PrinterColumn> {
    let columns = version.get("additionalPrinterColumns").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    columns.iter().filter_map(column).collect()
}

fn column(column: &Value) -> Option<PrinterColumn> {
    Some(PrinterColumn {
        name: text(column, "/name")?,
        kind: text(column, "/type")?,
        format: text(column, "/format").unwrap_or_default(),
        description: text(column, "/description").unwrap_or_default(),
        priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
        json_path: text(column, "/jsonPath")?,
    })
}

/// `v2` before `v1` before `v1beta2` before `v1alpha1` before everything that is no such version.
pub(crate) fn version_rank(version: &str) -> (u8, u64, u64) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, stage) = rest.split_at(digits);
    let Ok(major) = major.parse() else { return (0, 0, 0) };
    let (level, minor) = match stage {
        "" => return (3, major, 0),
        _ => match (stage.strip_prefix("beta"), stage.strip_prefix("alpha")) {
            (Some(minor), _) => (2, minor),
            (_, Some(minor)) => (1, minor),
            _ => return (0, 0, 0),
        },
    };
    minor.parse().map_or((0, 0, 0), |minor| (level, major, minor))
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(value: &Value, pointer: &str) -> Vec<Word> {
    let list = value.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(|text| Cow::Owned(text.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ranked_as_kubernetes_ranks_them() {
        let mut versions = ["foo1", "v1alpha2", "v10", "v1", "v11beta2", "v1beta1", "v2", "v3beta1"];
        versions.sort_by_key(|version| std::cmp::Reverse(version_rank(version)));
        assert_eq!(versions, ["v10", "v2", "v1", "v11beta2", "v3beta1", "v1beta1", "v1alpha2", "foo1"]);
    }
}
