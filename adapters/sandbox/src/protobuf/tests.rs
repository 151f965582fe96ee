//! `recorded.json` holds objects of a 1.34 server in both forms.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;

#[derive(Deserialize)]
struct Recorded {
    json: Value,
    protobuf: String,
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("recorded.json")).expect("recorded objects")
}

fn bytes(recorded: &Recorded) -> Vec<u8> {
    BASE64_STANDARD.decode(&recorded.protobuf).expect("base64")
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[test]
fn objects_mean_the_same_in_both_forms() {
    for recorded in recorded() {
        let decoded = decode(&bytes(&recorded)).expect("protobuf");
        let name = format!("{} {}", recorded.json["kind"], recorded.json["metadata"]["name"]);
        assert_eq!(without_nulls(decoded), without_nulls(recorded.json), "{name}");
    }
}

#[test]
fn unknown_kinds_are_another_media_type() {
    // apiVersion "e.org/v1", kind "W", nothing in it
    let body = b"k8s\0\x0a\x0d\x0a\x08e.org/v1\x12\x01W\x12\x00";
    let status = decode(body).expect_err("unknown");
    assert_eq!(status.code, 415);
    assert_eq!(decode(b"{}").expect_err("no protobuf").code, 400);
}

#[test]
fn options_of_a_deletion_are_read_in_every_group() {
    // apiVersion "apps/v1", kind "DeleteOptions", gracePeriodSeconds 0, orphanDependents left out
    let body = b"k8s\0\x0a\x18\x0a\x07apps/v1\x12\x0dDeleteOptions\x12\x02\x08\x00";
    let options = decode(body).expect("options");
    assert_eq!(options, json!({"apiVersion": "apps/v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_body_panics(noise in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 0..12), cut in any::<prop::sample::Index>()) {
        for recorded in recorded().iter().take(6) {
            let mut body = bytes(recorded);
            for (place, byte) in &noise {
                let place = place.index(body.len());
                body[place] = *byte;
            }
            let _ = decode(&body);
            body.truncate(cut.index(body.len()));
            let _ = decode(&body);
        }
    }

    #[test]
    fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&body);
        let _ = decode(&[b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod\x12\x7f", body.as_slice()].concat());
    }
}
