use std::collections::BTreeSet;

use serde_json::Value;

use super::document;
use crate::route::{Route, hot};

fn described() -> BTreeSet<(String, String)> {
    let api: Value = serde_json::from_slice(&document()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    let methods = |(path, item): (&String, &Value)| {
        let methods: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
        methods.into_iter().map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

#[test]
fn every_route_is_described_and_every_description_has_a_route() {
    let routes: BTreeSet<(String, String)> =
        Route::ALL.into_iter().map(|route| (route.method().to_string(), route.path().to_owned())).collect();
    assert_eq!(described(), routes);
}

#[test]
fn what_the_hot_path_takes_is_described_under_the_same_address() {
    let mut hot_count = 0;
    for (method, path) in described() {
        let address = path.replace(['{', '}'], "");
        let method: http::Method = method.parse().unwrap();
        if let Some(taken) = hot(method.as_str().as_bytes(), address.as_bytes()) {
            assert_eq!((taken.route.method(), taken.route.path()), (method, path.as_str()));
            hot_count += 1;
        }
    }
    assert_eq!(hot_count, 3);
}

#[test]
fn description_is_openapi_3_1_and_every_operation_says_who_may() {
    let api: Value = serde_json::from_slice(&document()).unwrap();
    assert_eq!(api["openapi"], "3.1.0");
    for (method, path) in described() {
        let operation = &api["paths"][&path][method.to_lowercase()];
        let tag = operation["tags"][0].as_str().unwrap();
        let secured = operation["security"].is_array();
        assert_eq!(secured, ["organiser", "buyer", "integrator"].contains(&tag), "{method} {path}");
    }
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let text = String::from_utf8(document().to_vec()).unwrap();
    let api: Value = serde_json::from_str(&text).unwrap();
    let mut references = text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap());
    assert!(references.clone().count() > 20);
    let dangling = references.find(|pointer| api.pointer(pointer).is_none());
    assert_eq!(dangling, None);
}
