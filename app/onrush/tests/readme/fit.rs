//! Whether requests and answers are as the API's own description has them. It looks at what stands in the
//! README's examples: objects, lists, texts, numbers and references.

use serde_json::Value;

/// A request as a `curl` command makes it.
pub(crate) struct Curl {
    method: &'static str,
    path: String,
    body: Option<Value>,
    has_key: bool,
    has_bearer: bool,
}

impl Curl {
    /// Every `curl` of a script.
    pub(crate) fn all(script: &str) -> Vec<Curl> {
        let script = script.replace("\\\n", " ");
        let commands: Vec<&str> = script.split("curl -fsS ").skip(1).collect();
        commands.into_iter().map(Curl::read).collect()
    }

    fn read(command: &str) -> Curl {
        let body = command.split_once("-d '").and_then(|(_, rest)| rest.split_once('\''));
        let body = body.map(|(body, _)| serde_json::from_str(body).expect("the body is JSON"));
        let line = command.split('\n').next().expect("a line");
        let path = line.split_once("$URL").and_then(|(_, rest)| rest.split_whitespace().next());
        Curl {
            method: if body.is_some() || line.contains("-X POST") { "post" } else { "get" },
            path: path.unwrap_or_else(|| panic!("no $URL: {line}")).to_owned(),
            has_key: line.contains("-H 'Idempotency-Key: "),
            has_bearer: line.contains("-H \"Authorization: Bearer $"),
            body,
        }
    }

    /// Fails the test when the API is not described so.
    pub(crate) fn assert_fits(&self, api: &Value) {
        let Curl { method, path, .. } = self;
        let paths = api["paths"].as_object().expect("paths");
        let of_path = paths.iter().find(|(template, _)| matches(template, path));
        let operation = of_path.map(|(_, operations)| &operations[*method]);
        let operation = operation.filter(|operation| operation.is_object());
        let operation = operation.unwrap_or_else(|| panic!("{method} {path} is not described"));
        assert_eq!(operation["security"].is_array(), self.has_bearer, "{method} {path}");
        let needs_key = operation["parameters"].as_array().is_some_and(|parameters| {
            parameters.iter().any(|one| one["name"] == "Idempotency-Key" && one["required"] == true)
        });
        assert!(self.has_key || !needs_key, "{method} {path}");
        match &self.body {
            Some(body) => {
                assert_value_fits(
                    api,
                    &operation["requestBody"]["content"]["application/json"]["schema"],
                    body,
                );
            }
            None => assert_ne!(operation["requestBody"]["required"], true, "{method} {path}"),
        }
    }
}

/// `/v1/orders/{order}/pay` and `/v1/orders/$ORDER/pay`.
fn matches(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(path).all(|(known, given)| known.starts_with('{') || *known == given)
}

/// Fails the test when `value` is not what `schema` says.
pub(crate) fn assert_value_fits(api: &Value, schema: &Value, value: &Value) {
    if let Err(fault) = fits(api, schema, value) {
        panic!("{fault}: {value}");
    }
}

fn fits(api: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let found =
            api.pointer(reference.trim_start_matches('#')).ok_or(format!("{reference} is nowhere"))?;
        return fits(api, found, value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return match choices.iter().any(|choice| fits(api, choice, value).is_ok()) {
            true => Ok(()),
            false => Err(format!("{value} is none of {schema}")),
        };
    }
    let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    if !types.iter().any(|name| name.is_null() || *name == type_of(value)) {
        return Err(format!("{value} is not of type {types:?}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        return Err(format!("{value} is none of {words:?}"));
    }
    match value {
        Value::Object(members) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for name in required {
                members.get(name).ok_or(format!("{name} is missing"))?;
            }
            let known = |name: &str| schema["properties"].get(name).ok_or(format!("{name} is unknown"));
            members.iter().try_for_each(|(name, member)| fits(api, known(name)?, member))
        }
        Value::Array(entries) => entries.iter().try_for_each(|entry| fits(api, &schema["items"], entry)),
        _ => Ok(()),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
