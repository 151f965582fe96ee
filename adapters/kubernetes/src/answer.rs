//! From an ask to its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use kubewhy_diagnosis::ask::{Answer, Ask, Filter, Instance};
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_diagnosis::secret::Secret;
use serde_json::{Value, json};

use crate::request::{self, Form};
use crate::{CONCURRENCY, Cluster, REQUEST_TIMEOUT};

/// How long to wait before the one repetition of a request that the server was too busy for.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// What became of a request that brought nothing.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    Absent,
    Forbidden(String),
    /// The server was too busy, or gave no answer in time.
    Busy(String),
    Failed(String),
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Absent => Self::Absent,
            Failure::Forbidden(why) => Self::Forbidden(why),
            Failure::Busy(why) | Failure::Failed(why) => Self::Failed(why),
        }
    }
}

impl Cluster {
    pub(crate) async fn answer_one(&self, ask: &Ask) -> Answer {
        if let Some(why) = self.bounds.refusal(ask) {
            return Answer::Forbidden(why);
        }
        let answer = match ask {
            Ask::Get { kind: Kind::Cluster, name, .. } => return self.health(name).await,
            Ask::Get { kind, namespace, name } => self.get(*kind, namespace.as_deref(), name).await,
            Ask::List { kind, namespace, filter } => self.list_within(*kind, namespace.as_deref(), filter).await,
            Ask::Events { kind, namespace, name } => {
                // Events about cluster-wide objects live in namespace "default".
                let query = BTreeMap::from([(
                    "fieldSelector",
                    format!("involvedObject.kind={kind},involvedObject.name={name}"),
                )]);
                self.list(Kind::Event, Some(namespace.as_deref().unwrap_or("default")), query).await
            }
            Ask::Log { namespace, pod, container, instance } => {
                self.log(namespace, pod, container, *instance, request::LOG_LINES).await
            }
        };
        answer.unwrap_or_else(Answer::from)
    }

    async fn get(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<Answer, Failure> {
        let path = request::object(kind, namespace, name);
        let mut value = self.get_json(&path, &BTreeMap::new(), form(kind)).await?;
        if kind == Kind::Secret {
            value = secrets(&value).into_iter().next().ok_or(Failure::Absent)?;
        }
        object(kind, value).map(Answer::Object)
    }

    /// A list, or those of the namespaces that may be read in place of one across all.
    async fn list_within(&self, kind: Kind, namespace: Option<&str>, filter: &Filter) -> Result<Answer, Failure> {
        let Some(namespaces) = self.bounds.instead_of_all(kind, namespace) else {
            let mut answer = self.list(kind, namespace, selectors(filter)).await?;
            if let (Kind::Namespace, Answer::List { items, .. }) = (kind, &mut answer) {
                items.retain(|namespace| self.bounds.holds(namespace.name()));
            }
            return Ok(answer);
        };
        let lists = namespaces.iter().map(|namespace| self.list(kind, Some(namespace), selectors(filter)));
        let lists: Vec<Answer> = futures::stream::iter(lists).buffered(CONCURRENCY).try_collect().await?;
        let (mut all, mut whole) = (Vec::new(), true);
        for list in lists {
            let Answer::List { items, complete } = list else { continue };
            all.extend(items);
            whole &= complete;
        }
        // What pods on a node take can only be counted where all of them can be seen.
        whole &= !matches!(filter, Filter::OnNode(_) | Filter::Scheduled);
        Ok(Answer::List { items: all, complete: whole })
    }

    async fn list(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        mut query: BTreeMap<&'static str, String>,
    ) -> Result<Answer, Failure> {
        let path = request::collection(kind, namespace);
        query.insert("limit", request::PAGE.to_owned());
        let mut items = Vec::new();
        for _ in 0..request::MAX_PAGES {
            let mut page = self.get_json(&path, &query, form(kind)).await?;
            let next = page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().to_owned();
            let values = if kind == Kind::Secret {
                secrets(&page)
            } else {
                match page.get_mut("items").map(Value::take) {
                    Some(Value::Array(items)) => items,
                    _ => Vec::new(),
                }
            };
            // One object that cannot be read does not spoil the others; the list is told to be incomplete.
            let before = values.len();
            let read: Vec<Object> = values.into_iter().filter_map(|value| object(kind, value).ok()).collect();
            let whole = read.len() == before;
            items.extend(read);
            if !whole {
                return Ok(Answer::List { items, complete: false });
            }
            if next.is_empty() {
                return Ok(Answer::List { items, complete: true });
            }
            query.insert("continue", next);
        }
        Ok(Answer::List { items, complete: false })
    }

    async fn log(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        instance: Instance,
        lines: &str,
    ) -> Result<Answer, Failure> {
        let path = format!("{}/log", request::object(Kind::Pod, Some(namespace), pod));
        let mut query = BTreeMap::from([
            ("container", container.to_owned()),
            ("tailLines", lines.to_owned()),
            ("limitBytes", request::LOG_BYTES.to_string()),
        ]);
        if instance == Instance::Previous {
            query.insert("previous", "true".to_owned());
        }
        let text = match self.get_text(&path, &query, Form::Whole).await {
            // The kubelet's "previous terminated container not found" and "is waiting to start" mean that there is none.
            Err(Failure::Failed(why)) if why.contains("not found") || why.contains("waiting to start") => {
                return Ok(Answer::Absent);
            }
            other => other?,
        };
        if text.len() >= request::LOG_BYTES && lines == request::LOG_LINES {
            return Box::pin(self.log(namespace, pod, container, instance, "20")).await;
        }
        Ok(Answer::Log(Arc::from(text)))
    }

    pub(crate) async fn get_json(
        &self,
        path: &str,
        query: &BTreeMap<&str, String>,
        form: Form,
    ) -> Result<Value, Failure> {
        let text = self.get_text(path, query, form).await?;
        serde_json::from_str(&text).map_err(|error| Failure::Failed(format!("the answer is no JSON: {error}")))
    }

    async fn get_text(&self, path: &str, query: &BTreeMap<&str, String>, form: Form) -> Result<String, Failure> {
        match self.send(path, query, form).await {
            Err(Failure::Busy(_)) => {
                tokio::time::sleep(RETRY_AFTER).await;
                self.send(path, query, form).await
            }
            other => other,
        }
    }

    async fn send(&self, path: &str, query: &BTreeMap<&str, String>, form: Form) -> Result<String, Failure> {
        self.turn().await;
        let request = http::Request::get(request::url(path, query))
            .header(http::header::ACCEPT, form.accept())
            .body(Vec::new())
            .map_err(|error| Failure::Failed(error.to_string()))?;
        match tokio::time::timeout(REQUEST_TIMEOUT, self.client.request_text(request)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(kube::Error::Api(status))) => Err(refused(&status)),
            Ok(Err(error)) => Err(Failure::Failed(deepest(&error))),
            Err(_) => Err(Failure::Busy(format!("no answer within {} s", REQUEST_TIMEOUT.as_secs()))),
        }
    }
}

fn form(kind: Kind) -> Form {
    if kind == Kind::Secret { Form::Table } else { Form::Whole }
}

fn selectors(filter: &Filter) -> BTreeMap<&'static str, String> {
    const NOT_FINISHED: &str = "status.phase!=Succeeded,status.phase!=Failed";
    match filter {
        Filter::All => BTreeMap::new(),
        Filter::Labels(selector) => BTreeMap::from([("labelSelector", selector.to_string())]),
        Filter::OnNode(node) => BTreeMap::from([("fieldSelector", format!("spec.nodeName={node},{NOT_FINISHED}"))]),
        Filter::Scheduled => BTreeMap::from([("fieldSelector", format!("spec.nodeName!=,{NOT_FINISHED}"))]),
    }
}

/// What a Status means. A 404 without the object's name says that the server does not know the kind, not that the object
/// is absent.
fn refused(status: &kube::core::Status) -> Failure {
    let why = status.message.clone();
    match status.code {
        404 if status.details.as_ref().is_some_and(|details| !details.name.is_empty()) => Failure::Absent,
        404 => Failure::Failed("this cluster does not serve it (404)".to_owned()),
        403 => Failure::Forbidden(why),
        429 | 503 | 504 => Failure::Busy(why),
        code => Failure::Failed(format!("{why} ({code})")),
    }
}

/// The innermost cause of a transport error says most: "connection refused".
pub(crate) fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

fn object(kind: Kind, mut value: Value) -> Result<Object, Failure> {
    if let Some(fields) = value.as_object_mut() {
        // The items of a list leave out what the list says.
        fields.insert("kind".to_owned(), json!(kind.name()));
        fields.insert("apiVersion".to_owned(), json!(kind.api_version()));
    }
    let hides_keys = kind == Kind::Secret && hides_keys(&value);
    let object = Object::from_value(value).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(match object {
        Object::Secret(secret) if hides_keys => {
            Object::Secret(Arc::new(Secret { keys: None, ..Arc::unwrap_or_clone(secret) }))
        }
        other => other,
    })
}

/// Tells whether a Secret has data whose keys nothing names: no managed fields, as where somebody cleared them.
fn hides_keys(secret: &Value) -> bool {
    let managed = secret.pointer("/metadata/managedFields").and_then(Value::as_array);
    secret.get("data") == Some(&Value::Null) && managed.is_none_or(Vec::is_empty)
}

/// The rows of a table of Secrets as Secrets without data: type from the column, keys from the managed fields.
fn secrets(table: &Value) -> Vec<Value> {
    let columns = table.get("columnDefinitions").and_then(Value::as_array);
    let type_column = columns.into_iter().flatten().position(|column| column.get("name") == Some(&json!("Type")));
    let count_column = columns.into_iter().flatten().position(|column| column.get("name") == Some(&json!("Data")));
    let rows = table.get("rows").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| {
        let cell = |column: Option<usize>| row.get("cells").and_then(|cells| cells.get(column?)).cloned();
        let empty = cell(count_column) == Some(json!(0));
        let data = if empty { json!({}) } else { Value::Null };
        Some(json!({"metadata": row.pointer("/object/metadata")?, "type": cell(type_column), "data": data}))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_the_server_does_not_know_is_no_absent_object() {
        let unknown: kube::core::Status = serde_json::from_value(json!({
            "status": "Failure", "code": 404, "reason": "NotFound", "message": "the server could not find the requested resource", "details": {}
        }))
        .expect("a Status");
        assert!(matches!(refused(&unknown), Failure::Failed(_)));
        let absent: kube::core::Status = serde_json::from_value(json!({
            "status": "Failure", "code": 404, "reason": "NotFound", "message": "secrets \"x\" not found", "details": {"name": "x", "kind": "secrets"}
        }))
        .expect("a Status");
        assert!(matches!(refused(&absent), Failure::Absent));
    }

    #[test]
    fn a_table_of_secrets_has_types_and_keys_and_no_data() {
        let table = json!({
            "columnDefinitions": [{"name": "Name"}, {"name": "Type"}, {"name": "Data"}, {"name": "Age"}],
            "rows": [{"cells": ["s", "Opaque", 1, "3d"], "object": {"metadata": {"name": "s", "namespace": "shop",
                "managedFields": [{"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:data": {"f:user": {}}}}]}}}]
        });
        let secret = object(Kind::Secret, secrets(&table).remove(0)).expect("a Secret");
        let Object::Secret(secret) = secret else { panic!("a Secret") };
        assert_eq!(secret.type_.as_deref(), Some("Opaque"));
        assert_eq!(secret.keys, Some(["user".to_owned()].into()));
    }

    #[test]
    fn keys_that_nothing_names_are_unknown_and_not_absent() {
        let table = |count: usize| {
            json!({
                "columnDefinitions": [{"name": "Name"}, {"name": "Type"}, {"name": "Data"}, {"name": "Age"}],
                "rows": [{"cells": ["s", "Opaque", count, "3d"], "object": {"metadata": {"name": "s", "namespace": "shop"}}}]
            })
        };
        let keys = |count| match object(Kind::Secret, secrets(&table(count)).remove(0)) {
            Ok(Object::Secret(secret)) => secret.keys.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(keys(1), None);
        assert_eq!(keys(0), Some([].into()));
    }
}
