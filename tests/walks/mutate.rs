//! Specs that the apiserver must refuse: one thing is wrong with each, by what the schema says.

use regex::Regex;
use serde_json::{Value, json};

use crate::random::Random;
use crate::schema::{self, Choice, SPECS};

/// What can be wrong with a spec.
const WAYS: &[fn(&mut Value, &Value, &mut Random) -> bool] =
    &[lacking, of_another_type, null, unknown_field, unknown_word, too_long, out_of_range, too_few, odd_text, contrary];

/// The spec with one thing wrong, if there is a way.
pub fn broken(kind: &str, spec: &Value, random: &mut Random) -> Option<Value> {
    for _ in 0..20 {
        let mut broken = spec.clone();
        if random.pick(WAYS)(&mut broken, &SPECS[kind], random) {
            return Some(broken);
        }
    }
    None
}

/// The spec with something changed that cannot be.
pub fn moved(kind: &str, old: &Value, new: &Value, random: &mut Random) -> Option<Value> {
    let mut fields = schema::immutable(&SPECS[kind]);
    fields.retain(|field| old.get(field).is_some());
    if fields.is_empty() {
        return None;
    }
    let (field, mut moved) = (random.pick(&fields), new.clone());
    match &mut moved[field] {
        Value::String(text) => text.insert(0, 'x'),
        Value::Object(_) => drop(moved.as_object_mut()?.remove(field)),
        _ => return None,
    }
    Some(moved)
}

/// The places whose schema is such.
fn at<'s>(
    value: &Value,
    schema: &'s Value,
    random: &mut Random,
    fits: impl Fn(&Value) -> bool,
) -> Option<(String, &'s Value)> {
    let all = schema::places(value, schema);
    let fitting: Vec<_> = all.into_iter().filter(|(_, schema)| fits(schema)).collect();
    (!fitting.is_empty()).then(|| random.pick(&fitting).clone())
}

fn lacking(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |it| it["required"].is_array()) else { return false };
    let required = schema["required"].as_array().expect("a list");
    let field = random.pick(required).as_str().expect("a name");
    let fields = value.pointer_mut(&place).and_then(Value::as_object_mut);
    fields.is_some_and(|fields| fields.remove(field).is_some())
}

fn of_another_type(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |_| true) else { return false };
    let other = match schema["type"].as_str() {
        Some("string") => json!(7),
        Some("object" | "array") => json!("text"),
        _ => json!("7"),
    };
    *value.pointer_mut(&place).expect("a place") = other;
    !place.is_empty()
}

fn null(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    // A null is what server-side apply takes for a field that is not there, but in a list.
    let Some((place, _)) = at(value, schema, random, |it| it["type"] == "array") else { return false };
    let list = value.pointer_mut(&place).and_then(Value::as_array_mut);
    list.is_some_and(|list| {
        list.push(Value::Null);
        true
    })
}

fn unknown_field(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, _)) = at(value, schema, random, |it| it["properties"].is_object()) else { return false };
    value.pointer_mut(&place).expect("a place")["unheardOf"] = json!(true);
    true
}

fn unknown_word(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, _)) = at(value, schema, random, |it| it["enum"].is_array()) else { return false };
    *value.pointer_mut(&place).expect("a place") = json!("unheardOf");
    true
}

fn too_long(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |it| it["maxLength"].is_u64()) else { return false };
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap_or_default()).expect("a length");
    *value.pointer_mut(&place).expect("a place") = json!("a".repeat(most + 1));
    true
}

fn out_of_range(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |it| it["minimum"].is_number()) else { return false };
    let least = schema::whole(&schema["minimum"]).unwrap_or_default();
    *value.pointer_mut(&place).expect("a place") = json!(least - 1);
    true
}

fn too_few(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, _)) = at(value, schema, random, |it| it["minItems"].as_u64() >= Some(1)) else { return false };
    *value.pointer_mut(&place).expect("a place") = json!([]);
    true
}

/// Blanks, slashes and line feeds where an id or a path is.
fn odd_text(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |it| schema::pattern(it).is_some()) else { return false };
    let text = value.pointer(&place).and_then(Value::as_str).unwrap_or_default().to_owned();
    let odd = match random.below(8) {
        0 => format!("{text}/"),
        1 => format!("/{text}"),
        2 => format!("{text}\n"),
        3 => format!(" {text}"),
        4 => format!("{text}/../x"),
        5 => text.replacen('/', "//", 1),
        6 => String::new(),
        _ => format!("{text}\u{e4}"),
    };
    let pattern = schema::pattern(schema).expect("a pattern");
    let pattern = Regex::new(&format!(r"\A(?:{pattern})\z")).expect("a pattern");
    let refused = !(pattern.is_match(&odd) || odd.is_empty() && schema::may_be_empty(schema));
    *value.pointer_mut(&place).expect("a place") = json!(odd);
    refused
}

/// Two fields that exclude each other, or none of those of which one is needed.
fn contrary(value: &mut Value, schema: &Value, random: &mut Random) -> bool {
    let Some((place, schema)) = at(value, schema, random, |it| !schema::choices(it).is_empty()) else { return false };
    let Choice { fields, needed } = random.pick(&schema::choices(schema)).clone();
    let Some(object) = value.pointer_mut(&place).and_then(Value::as_object_mut) else { return false };
    if needed && random.chance(50) {
        for field in &fields {
            object.remove(field);
        }
        return true;
    }
    for field in &fields {
        let value = match schema["properties"][field]["type"].as_str() {
            Some("string") => json!("ab"),
            _ => json!({"name": "ab"}),
        };
        object.entry(field.clone()).or_insert(value);
    }
    true
}
