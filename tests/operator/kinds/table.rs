//! What the suite knows of a kind: rows, and nothing of how they are tried.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// A kind, by one object of it and the thing in Proxmox VE that the object stands for.
pub struct Table {
    pub kind: &'static str,
    /// The object's name.
    pub name: &'static str,
    /// The part of its spec that is always there: what names the thing, and what a spec cannot do without.
    pub fixed: Value,
    /// Made by hand before anything else.
    pub before: Vec<Call>,
    /// Secrets that the rows name, as manifests.
    pub secrets: &'static str,
    pub thing: Thing,
    pub fields: Vec<Field>,
    pub sets: Vec<Set>,
    pub needs: Vec<Need>,
    pub right: Right,
    /// Fields of the spec that have no row here since they have tests of their own.
    pub elsewhere: &'static [&'static str],
}

/// A request behind the operator's back.
#[derive(Clone)]
pub struct Call {
    pub method: &'static str,
    pub path: &'static str,
    pub form: Vec<(&'static str, &'static str)>,
}

/// A named thing in Proxmox VE, or one ACL entry.
pub struct Thing {
    /// As ledgers, messages and Events call it.
    pub claim: &'static str,
    pub shown: Shown,
    pub make: Call,
    pub change: Call,
    pub remove: Call,
}

/// How Proxmox VE shows a thing.
pub enum Shown {
    /// The answer here has the fields by their names.
    Fields(&'static str),
    /// The answer here has the privileges of a role as its keys.
    Privileges(&'static str),
    /// It is the entry of this role for this group on this path.
    Entry { path: &'static str, role: &'static str, group: &'static str },
}

/// A field of a spec.
pub struct Field {
    /// Where it is in the spec, with `/` between the levels.
    pub path: &'static str,
    /// What Proxmox VE calls it.
    pub name: &'static str,
    pub one: Setting,
    pub two: Setting,
    /// What it means that Proxmox VE does not show it.
    pub absent: &'static str,
    /// What clears it, where it can be cleared.
    pub empty: Option<Value>,
    pub unset: Unset,
}

/// A value of a field: in the spec, and as Proxmox VE takes and shows it.
pub struct Setting {
    pub spec: Value,
    pub pve: &'static str,
}

/// What it means that a field is not in the spec.
#[derive(Clone, Copy, PartialEq)]
pub enum Unset {
    /// It is not managed: what stands in Proxmox VE stays.
    Unmanaged,
    /// The kind has a default.
    Default(&'static str),
    /// The kind does not go without.
    Required,
}

/// Which value of a field an object is to have.
#[derive(Clone, Copy, PartialEq)]
pub enum Choice {
    One,
    Two,
    Empty,
    Unset,
}

/// A list whose elements are claimed one by one.
pub struct Set {
    /// Where it is in the spec, with `/` between the levels.
    pub path: &'static str,
    /// The field that says what happens to other elements.
    pub policy: &'static str,
    /// Two elements as the spec and as Proxmox VE shows them.
    pub ours: [(Value, &'static str); 2],
    /// An element that no object names, as Proxmox VE shows it.
    pub theirs: &'static str,
    /// As messages and Events call the first of ours, and theirs.
    pub claims: [&'static str; 2],
    pub listed: Listed,
    /// Whether it may be empty and ignored, or the kind does not go without.
    pub optional: bool,
    pub take_first: Call,
    pub put_theirs: Call,
}

/// How Proxmox VE shows a set.
pub enum Listed {
    /// As this list of texts in the answer here.
    Texts(&'static str, &'static str),
    /// As the members of this pool.
    Pool(&'static str),
    /// As the entries on this path.
    Entries(&'static str),
}

/// Something that an object refers to and waits for.
pub struct Need {
    /// The object that waits.
    pub name: &'static str,
    pub spec: Value,
    pub reason: &'static str,
    /// What its message names.
    pub says: &'static str,
    pub comes: Comes,
}

/// How something that is waited for comes to be.
pub enum Comes {
    /// As an object: kind, name, spec.
    Object(&'static str, &'static str, &'static str),
    ByHand(Call),
    Manifest(&'static str),
}

/// The privilege without which the thing can be seen and not written, and the path that the refusal names.
pub struct Right {
    pub privilege: &'static str,
    pub path: &'static str,
}

impl Call {
    pub fn new(method: &'static str, path: &'static str, form: &[(&'static str, &'static str)]) -> Self {
        Self { method, path, form: form.to_vec() }
    }
}

impl Field {
    /// A text that is not managed when unset and cleared when empty.
    pub fn text(path: &'static str, name: &'static str, one: &'static str, two: &'static str) -> Self {
        let setting = |text| Setting { spec: json!(text), pve: text };
        Self {
            path,
            name,
            one: setting(one),
            two: setting(two),
            absent: "",
            empty: Some(json!("")),
            unset: Unset::Unmanaged,
        }
    }

    /// A boolean that is true first.
    pub fn flag(path: &'static str, name: &'static str, absent: &'static str) -> Self {
        let setting = |value, pve| Setting { spec: json!(value), pve };
        let (one, two) = (setting(true, "1"), setting(false, "0"));
        Self { path, name, one, two, absent, empty: None, unset: Unset::Unmanaged }
    }

    /// A moment.
    pub fn expiry() -> Self {
        let one = Setting { spec: json!("2040-01-01T00:00:00Z"), pve: "2208988800" };
        let two = Setting { spec: json!("2041-01-01T01:00:00+01:00"), pve: "2240611200" };
        Self { one, two, absent: "0", ..Self::text("expiresAt", "expire", "", "") }
    }

    /// A key of the Secret `values`, which has each of the two values under itself.
    pub fn secret(path: &'static str, name: &'static str, one: &'static str, two: &'static str) -> Self {
        let setting = |key| Setting { spec: json!({"name": "values", "key": key}), pve: key };
        Self { one: setting(one), two: setting(two), empty: None, ..Self::text(path, name, "", "") }
    }

    /// A field without which there is no object.
    pub fn required(self) -> Self {
        Self { empty: None, unset: Unset::Required, ..self }
    }

    pub fn value(&self, choice: Choice) -> Option<&Value> {
        match choice {
            Choice::One => Some(&self.one.spec),
            Choice::Two => Some(&self.two.spec),
            Choice::Empty => self.empty.as_ref(),
            Choice::Unset => None,
        }
    }

    /// What Proxmox VE shows of a new thing.
    pub fn shown(&self, choice: Choice) -> String {
        let text = match (choice, self.unset) {
            (Choice::One, _) => self.one.pve,
            (Choice::Two, _) => self.two.pve,
            (Choice::Unset, Unset::Default(default)) => default,
            (Choice::Unset | Choice::Empty, _) => self.absent,
        };
        text.to_owned()
    }
}

impl Table {
    /// A spec with a choice for each field.
    pub fn spec(&self, choose: impl Fn(&Field) -> Choice) -> Value {
        let mut spec = self.fixed.clone();
        for field in &self.fields {
            if let Some(value) = field.value(choose(field)) {
                insert(&mut spec, field.path, value.clone());
            }
        }
        spec
    }

    /// What Proxmox VE shows of it, by PVE's names.
    pub fn shown(&self, choose: impl Fn(&Field) -> Choice) -> BTreeMap<&'static str, String> {
        self.fields.iter().map(|field| (field.name, field.shown(choose(field)))).collect()
    }
}

/// Puts a value into a spec.
pub fn insert(spec: &mut Value, path: &str, value: Value) {
    let mut at = spec;
    for level in path.split('/') {
        if at.is_null() {
            *at = json!({});
        }
        at = &mut at[level];
    }
    *at = value;
}

impl Choice {
    /// The choice for one field, and the first value for the others.
    pub fn of(field: &Field, name: &str, choice: Self) -> Self {
        if field.name == name { choice } else { Self::One }
    }

    /// The choice, or the first value where the field cannot have it.
    pub fn where_possible(self, field: &Field) -> Self {
        match self {
            Self::Empty if field.empty.is_none() => Self::One,
            Self::Unset if field.unset == Unset::Required => Self::One,
            possible => possible,
        }
    }
}
